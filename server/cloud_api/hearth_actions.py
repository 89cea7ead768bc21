"""What the cloud's API cannot express: the actions of Hearth's own, for ``hearth rooms``, ``users``, ``streams``, ``nodes``, ``logs``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from calls.figures import StreamFigures
from rooms.errors import RoomUnknown
from server.cloud_api.action import Action, Call, Family
from server.cloud_api.parameters import Parameters, RoomId, text


class DescribeRooms(Parameters, frozen=True):
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000
    marker: Annotated[str, text(128, empty=0)] = ""
    """From the answer before this one; empty = from the beginning."""


class DescribeRoom(Parameters, frozen=True):
    room_id: RoomId


class DescribeStreams(Parameters, frozen=True):
    room_id: RoomId
    with_figures: bool = False
    """Quality of each stream's media as well."""
    with_history: bool = False
    """And its course over the last minutes."""


class DescribeNodes(Parameters, frozen=True):
    pass


class DescribeSdkLogs(Parameters, frozen=True):
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000


class KnownRoom(msgspec.Struct, rename="pascal"):
    room_id: str
    user_count: int
    stream_count: int
    create_time: int
    """Epoch ms, as all times here."""


class KnownRooms(msgspec.Struct, rename="pascal"):
    marker: str
    room_list: list[KnownRoom]


class KnownUser(msgspec.Struct, rename="pascal"):
    user_id: str
    user_name: str
    user_role: int
    login_time: int


class KnownUsers(msgspec.Struct, rename="pascal"):
    user_list: list[KnownUser]


class KnownStream(msgspec.Struct, rename="pascal"):
    stream_id: str
    user_id: str
    user_name: str
    node_id: str
    create_time: int
    extra_info: str
    figures: StreamFigures | UnsetType | None = UNSET
    """Only if asked for. Null: the stream's node did not answer."""


class KnownStreams(msgspec.Struct, rename="pascal"):
    stream_list: list[KnownStream]


class KnownNode(msgspec.Struct, rename="pascal"):
    node_id: str
    ws_url: str
    rtmp_url: str
    media_addresses: tuple[str, ...]
    sessions: int
    streams: int
    draining: bool
    start_time: int
    version: str


class KnownNodes(msgspec.Struct, rename="pascal"):
    node_list: list[KnownNode]


class SdkLogEntries(msgspec.Struct, rename="pascal"):
    log_list: list[dict[str, Any]]
    """Records as the SDKs sent them, without credentials."""


async def _rooms(call: Call, asked: DescribeRooms) -> KnownRooms:
    page = await call.rooms.rooms(call.app_id, limit=asked.limit, cursor=asked.marker)
    return KnownRooms(page.cursor, [KnownRoom(room.room_id, room.user_count, room.stream_count, room.created_at) for room in page.rooms])


async def _users(call: Call, asked: DescribeRoom) -> KnownUsers:
    users = await call.rooms.users(call.app_id, asked.room_id)
    if not users:
        raise RoomUnknown("no such room")
    return KnownUsers([KnownUser(user.user_id, user.user_name, user.role, user.joined_at) for user in users])


async def _streams(call: Call, asked: DescribeStreams) -> KnownStreams:
    streams = await call.rooms.streams(call.app_id, asked.room_id)
    if not streams and not await call.rooms.users(call.app_id, asked.room_id):
        raise RoomUnknown("no such room")
    figures: Sequence[StreamFigures | UnsetType | None] = [UNSET] * len(streams)
    if asked.with_figures or asked.with_history:
        figures = await call.house.figures.of(call.app_id, streams, history=asked.with_history)
    return KnownStreams(
        [
            KnownStream(stream.stream_id, stream.user_id, stream.user_name, stream.node_id, stream.created_at, stream.extra_info, known)
            for stream, known in zip(streams, figures, strict=True)
        ]
    )


async def _nodes(call: Call, _: DescribeNodes) -> KnownNodes:
    return KnownNodes(
        [
            KnownNode(
                node.node_id, node.ws_url, node.rtmp_url, node.media_addresses, node.sessions, node.streams, node.draining,
                node.started_at, node.version,
            )
            for node in await call.rooms.nodes()
        ]
    )  # fmt: skip


async def _logs(call: Call, asked: DescribeSdkLogs) -> SdkLogEntries:
    return SdkLogEntries([*call.house.sdk_logs.recent(call.app_id, asked.limit)])


ACTIONS = (
    Action(
        "HearthDescribeRooms", "Lists the rooms of the App, page by page.",
        Family.ROOM, DescribeRooms, _rooms, KnownRooms, rate=50,
    ),
    Action(
        "HearthDescribeUsers", "Lists all users of a room with their login times.",
        Family.ROOM, DescribeRoom, _users, KnownUsers, rate=50,
    ),
    Action(
        "HearthDescribeStreams", "Lists the streams of a room with all that is known of them.",
        Family.ROOM, DescribeStreams, _streams, KnownStreams, rate=50,
    ),
    Action(
        "HearthDescribeNodes", "Lists the processes of the system.",
        Family.ROOM, DescribeNodes, _nodes, KnownNodes, rate=50,
    ),
    Action(
        "HearthDescribeSdkLogs", "The newest log records that SDKs sent to this node, the newest last.",
        Family.ROOM, DescribeSdkLogs, _logs, SdkLogEntries, rate=50,
    ),
)  # fmt: skip
