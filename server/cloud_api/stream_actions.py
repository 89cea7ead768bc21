"""DescribeSimpleStreamList, AddStream, DeleteStream: the stream list of a room. Media is not touched."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from rooms.errors import RoomUnknown, StreamUnknown
from server.cloud_api.action import Action, Call, Family
from server.cloud_api.codes import RoomCode
from server.cloud_api.errors import Refused
from server.cloud_api.parameters import Parameters, RoomId, StreamId, UserId, UserName, text


class DescribeSimpleStreamList(Parameters, frozen=True):
    room_id: RoomId


class AddStream(Parameters, frozen=True):
    room_id: RoomId
    user_id: UserId
    stream_id: StreamId
    user_name: UserName = ""
    stream_title: Annotated[str, text(127, empty=0)] = ""
    extra_info: Annotated[str, text(1024, empty=0)] = ""
    censor_flag: Literal[0, 1] = 0
    """Accepted and without meaning: there is no moderation service here."""


class DeleteStream(Parameters, frozen=True):
    room_id: RoomId
    user_id: UserId
    stream_id: StreamId
    user_name: UserName = ""


class StreamEntry(msgspec.Struct, rename="pascal"):
    stream_id: str
    user_id: str
    user_name: str
    create_time: int
    """Epoch ms."""
    stream_number_id: int
    """uint32."""


class StreamEntries(msgspec.Struct, rename="pascal"):
    stream_list: list[StreamEntry]


async def _describe_streams(call: Call, asked: DescribeSimpleStreamList) -> StreamEntries:
    streams = await call.rooms.streams(call.app_id, asked.room_id)
    if not streams and not await call.rooms.users(call.app_id, asked.room_id):
        raise RoomUnknown("no such room")
    return StreamEntries(
        [
            StreamEntry(stream.stream_id, stream.user_id, stream.user_name, stream.created_at, stream.stream_sid & 0xFFFFFFFF)
            for stream in streams
        ]
    )


async def _add_stream(call: Call, asked: AddStream) -> None:
    await call.rooms.moderation.add_stream(call.app_id, asked.room_id, asked.user_id, asked.user_name, asked.stream_id, asked.extra_info)


async def _delete_stream(call: Call, asked: DeleteStream) -> None:
    try:
        await call.rooms.moderation.delist_stream(call.app_id, asked.room_id, asked.user_id, asked.stream_id)
    except StreamUnknown:
        if not await call.rooms.users(call.app_id, asked.room_id):
            raise RoomUnknown("no such room") from None
        raise Refused(RoomCode.STREAM_UNKNOWN, "this user has no such stream in the room") from None


ACTIONS = (
    Action(
        "DescribeSimpleStreamList", "Lists the streams of a room.",
        Family.ROOM, DescribeSimpleStreamList, _describe_streams, StreamEntries, rate=50, room_rate=0.1,
    ),
    Action(
        "AddStream", "Puts a stream into the stream list of a room.", Family.ROOM, AddStream, _add_stream, rate=10,
        codes={RoomCode.STREAM_OF_ANOTHER_USER: "the stream id is in use by another user"},
    ),
    Action(
        "DeleteStream", "Takes a stream out of the stream list of a room.", Family.ROOM, DeleteStream, _delete_stream, rate=10,
        codes={RoomCode.STREAM_UNKNOWN: "this user has no such stream in the room"},
    ),
)  # fmt: skip
