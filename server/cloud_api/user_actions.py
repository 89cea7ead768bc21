"""DescribeUserNum, DescribeUserList, DescribeUsers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from rooms.errors import RoomUnknown
from rooms.model import User
from server.cloud_api.action import Action, Call, Family
from server.cloud_api.codes import RoomCode
from server.cloud_api.errors import Refused
from server.cloud_api.parameters import Parameters, RoomId, UserId, items, text

ADMIN_ROLE = 4
"""UserRole of administrators, recorders and moderators (zego-cloud.md §2.4)."""


class DescribeUserNum(Parameters, frozen=True):
    room_id: Annotated[list[RoomId], items(10)]


class DescribeUserList(Parameters, frozen=True):
    room_id: RoomId
    mode: Literal[0, 1] = 0
    """By login time: 0 = the earliest first, 1 = the latest first."""
    limit: Annotated[int, Meta(ge=0, le=200)] = 200
    """Users per page; 0 = as many as there may be."""
    marker: Annotated[str, text(128, empty=0)] = ""
    """From the answer before this one; empty = from the beginning."""


class DescribeUsers(Parameters, frozen=True):
    room_id: RoomId
    user_id: Annotated[list[UserId], items(10)]


class UserCount(msgspec.Struct, rename="pascal"):
    room_id: str
    user_count: int
    admin_user_count: int


class UserCounts(msgspec.Struct, rename="pascal"):
    user_count_list: list[UserCount]


class UserEntry(msgspec.Struct, rename="pascal"):
    user_id: str
    user_name: str
    user_role: int


class UserPage(msgspec.Struct, rename="pascal"):
    marker: str
    """Of the next page; empty = this was the last."""
    user_list: list[UserEntry]


class UserStatus(msgspec.Struct, rename="pascal"):
    user_id: str
    status: int
    """1 = in the room, 0 = not."""
    login_time: int
    """Epoch ms; 0 if not in the room."""
    user_role: int


class UserStatuses(msgspec.Struct, rename="pascal"):
    user_status_list: list[UserStatus]


async def _describe_user_num(call: Call, asked: DescribeUserNum) -> UserCounts:
    counts: list[UserCount] = []
    for room_id in asked.room_id:
        users = await call.rooms.users(call.app_id, room_id)
        counts.append(UserCount(room_id, len(users), sum(user.role == ADMIN_ROLE for user in users)))
    return UserCounts(counts)


async def _describe_user_list(call: Call, asked: DescribeUserList) -> UserPage:
    users = await call.rooms.users(call.app_id, asked.room_id)
    if asked.mode == 1:
        users.reverse()
    if asked.marker:
        after = _read_marker(asked.marker)
        # Also right when the user of the marker has left meanwhile.
        users = [user for user in users if (_place(user) < after if asked.mode == 1 else _place(user) > after)]
    most = asked.limit or 200
    page, rest = users[:most], users[most:]
    marker = f"{page[-1].joined_at}-{page[-1].user_id}" if page and rest else ""
    return UserPage(marker, [UserEntry(user.user_id, user.user_name, user.role) for user in page])


def _place(user: User) -> tuple[int, str]:
    return user.joined_at, user.user_id


def _read_marker(marker: str) -> tuple[int, str]:
    joined_at, dash, user_id = marker.partition("-")
    if not dash or not user_id or not (joined_at.isascii() and joined_at.isdecimal()):
        raise Refused(RoomCode.BAD_PARAMETER, "Marker: not one of ours")
    return int(joined_at), user_id


async def _describe_users(call: Call, asked: DescribeUsers) -> UserStatuses:
    present = {user.user_id: user for user in await call.rooms.users(call.app_id, asked.room_id)}
    if not present:
        raise RoomUnknown("no such room")
    return UserStatuses([_status(user_id, present.get(user_id)) for user_id in asked.user_id])


def _status(user_id: str, user: User | None) -> UserStatus:
    return UserStatus(user_id, 0, 0, 0) if user is None else UserStatus(user_id, 1, user.joined_at, user.role)


ACTIONS = (
    Action(
        "DescribeUserNum", "Counts the users of rooms; a room that does not exist has none.",
        Family.ROOM, DescribeUserNum, _describe_user_num, UserCounts, rate=10,
    ),
    Action(
        "DescribeUserList", "Lists the users of a room, page by page; a room that does not exist has none.",
        Family.ROOM, DescribeUserList, _describe_user_list, UserPage, rate=200, room_rate=1,
    ),
    Action(
        "DescribeUsers", "Tells which of some users are in a room, and since when.",
        Family.ROOM, DescribeUsers, _describe_users, UserStatuses, rate=10, room_unknown=RoomCode.USERS_ROOM_UNKNOWN,
    ),
)  # fmt: skip
