"""SendBroadcastMessage, SendBarrageMessage, SendCustomCommand.

The sender need not be in the room. A client with the sender's userID does not get the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from server.cloud_api.action import Action, Call, Family
from server.cloud_api.codes import RoomCode
from server.cloud_api.parameters import Message, Parameters, RoomId, UserId, UserName, items


class SendMessage(Parameters, frozen=True):
    room_id: RoomId
    user_id: UserId
    message_category: Literal[1, 2]
    """1 system, 2 chat."""
    message_content: Message
    user_name: UserName = ""


class SendCustomCommand(Parameters, frozen=True):
    room_id: RoomId
    from_user_id: UserId
    message_content: Message
    to_user_id: Annotated[list[UserId], items(10, too_many=RoomCode.TOO_MANY_USERS)] | None = None
    """Absent = everybody in the room."""


class BroadcastSent(msgspec.Struct, rename="pascal"):
    message_id: int


class BarrageSent(msgspec.Struct, rename="pascal"):
    message_id: str


class FailedUser(msgspec.Struct, rename="pascal"):
    uid: str
    code: int


class CommandSent(msgspec.Struct, rename="pascal"):
    fail_users: list[FailedUser]


async def _send_broadcast(call: Call, asked: SendMessage) -> BroadcastSent:
    sent = await call.rooms.messages.broadcast_from_server(
        call.app_id, asked.room_id, asked.user_id, asked.user_name, asked.message_content, category=asked.message_category
    )
    return BroadcastSent(sent.message_id)


async def _send_barrage(call: Call, asked: SendMessage) -> BarrageSent:
    sent = await call.rooms.messages.barrage_from_server(
        call.app_id, asked.room_id, asked.user_id, asked.user_name, asked.message_content, category=asked.message_category
    )
    return BarrageSent(sent.message_id)


async def _send_command(call: Call, asked: SendCustomCommand) -> CommandSent:
    absent = await call.rooms.messages.command_from_server(
        call.app_id, asked.room_id, asked.from_user_id, asked.from_user_id, asked.message_content, to=asked.to_user_id or ()
    )
    return CommandSent([FailedUser(user_id, RoomCode.USER_OFFLINE) for user_id in absent])


_CODES: Mapping[int, str] = {
    RoomCode.MESSAGE_TOO_LONG: "MessageContent is longer than 1024 bytes",
    RoomCode.MESSAGE_EMPTY: "MessageContent is empty",
}

ACTIONS = (
    Action(
        "SendBroadcastMessage", "Sends a message to everybody in a room, reliably.",
        Family.ROOM, SendMessage, _send_broadcast, BroadcastSent, rate=100, codes=_CODES,
    ),
    Action(
        "SendBarrageMessage", "Sends a message to everybody in a room, best effort.",
        Family.ROOM, SendMessage, _send_barrage, BarrageSent, rate=100, codes=_CODES,
    ),
    Action(
        "SendCustomCommand", "Sends a command to some users in a room or to all; says which of them are not there.",
        Family.ROOM, SendCustomCommand, _send_command, CommandSent, rate=100,
        codes={
            **_CODES,
            RoomCode.TOO_MANY_USERS: "more than 10 receivers",
            RoomCode.USER_OFFLINE: "in FailUsers: this user is not in the room",
        },
    ),
)  # fmt: skip
