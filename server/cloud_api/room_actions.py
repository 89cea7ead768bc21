"""KickoutUser, CloseRoom."""

from __future__ import annotations

from typing import Annotated

from rooms.errors import RoomUnknown, UserUnknown
from server.cloud_api.action import Action, Call, Family
from server.cloud_api.codes import RoomCode
from server.cloud_api.parameters import Parameters, Reason, RoomId, UserId, items


class KickoutUser(Parameters, frozen=True):
    room_id: RoomId
    user_id: Annotated[list[UserId], items(5, too_many=RoomCode.TOO_MANY_USERS)]
    custom_reason: Reason = ""


class CloseRoom(Parameters, frozen=True):
    room_id: RoomId
    custom_reason: Reason = ""
    room_close_callback: bool = False


async def _kickout_user(call: Call, asked: KickoutUser) -> None:
    """A user who is not there is no error (zego-cloud.md §2.4); with the last one the room is gone, which is none either."""
    for place, user_id in enumerate(asked.user_id):
        try:
            await call.rooms.kick(call.app_id, asked.room_id, user_id, message=asked.custom_reason)
        except UserUnknown:
            continue
        except RoomUnknown:
            if place == 0:
                raise
            return


async def _close_room(call: Call, asked: CloseRoom) -> None:
    await call.rooms.close_room(call.app_id, asked.room_id, message=asked.custom_reason, told=asked.room_close_callback)


ACTIONS = (
    Action(
        "KickoutUser", "Removes users from a room. Their apps are told CustomReason, their streams end.",
        Family.ROOM, KickoutUser, _kickout_user, rate=50,
        codes={RoomCode.TOO_MANY_USERS: "more than 5 users"},
    ),
    Action(
        "CloseRoom", "Removes everybody from a room and ends it.",
        Family.ROOM, CloseRoom, _close_room, rate=1, room_unknown=RoomCode.CLOSE_ROOM_UNKNOWN,
    ),
)  # fmt: skip
