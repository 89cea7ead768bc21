"""ForbidRTCStream, ResumeRTCStream and their plurals, DescribeRTCStreamState, RTMPDispatchV2."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from auth.rtmp_credential import RtmpGrant, RtmpRight, sign_rtmp
from rooms.errors import SequenceStale
from rooms.model import NodeInfo
from server.cloud_api.action import Action, Call, Family
from server.cloud_api.codes import MediaCode, RoomCode
from server.cloud_api.errors import Refused
from server.cloud_api.parameters import Parameters, Sequence64, StreamId, StreamIds, UserName, text
from server.proxies import parse_address

RTMP_SECONDS = 7200
"""How long an address of RTMPDispatchV2 may be used to begin (zego-cloud.md §2.4)."""
_STREAM_ID = re.compile(r"[0-9A-Za-z_-]+")


class OneStream(Parameters, frozen=True):
    stream_id: StreamId
    sequence: Sequence64
    """Rises with each call for the same stream within 10 s; milliseconds of the clock will do."""


class ManyStreams(Parameters, frozen=True):
    stream_id: StreamIds
    sequence: Sequence64


class RtmpDispatch(Parameters, frozen=True):
    stream_id: StreamId
    sequence: Sequence64
    type: Annotated[str, text(16, too_long=MediaCode.DISPATCH_TYPE)]
    """push or pull. No Literal: the cloud has a code of its own for anything else."""
    client_ip: Annotated[str, text(45, empty=0)] = msgspec.field(default="", name="ClientIP")
    room_id: Annotated[str, text(128, empty=0)] = ""
    """Not of the cloud. push: the stream goes on the air in this room when its media comes, as one of UserId's."""
    user_id: Annotated[str, text(64, empty=0)] = ""
    """Who the room is told publishes it; need not be there."""
    user_name: UserName = ""


class StreamState(msgspec.Struct):
    create_time: str
    """Unix seconds."""
    close_time: str
    """Unix seconds; empty while it is live."""


Change = Callable[[Call, str, int], Awaitable[None]]


async def _forbid(call: Call, stream_id: str, sequence: int) -> None:
    await call.rooms.moderation.forbid_stream(call.app_id, call.stream_id(stream_id), sequence)


async def _resume(call: Call, stream_id: str, sequence: int) -> None:
    await call.rooms.moderation.resume_stream(call.app_id, call.stream_id(stream_id), sequence)


def _one(change: Change, failed: MediaCode) -> Callable[[Call, OneStream], Awaitable[None]]:
    async def carry_out(call: Call, asked: OneStream) -> None:
        try:
            await change(call, asked.stream_id, asked.sequence)
        except SequenceStale:
            raise Refused(failed, "Sequence is not higher than that of an earlier call") from None

    return carry_out


def _many(change: Change, failed: MediaCode) -> Callable[[Call, ManyStreams], Awaitable[None]]:
    async def carry_out(call: Call, asked: ManyStreams) -> None:
        stale: list[str] = []
        for stream_id in dict.fromkeys(asked.stream_id):
            try:
                await change(call, stream_id, asked.sequence)
            except SequenceStale:
                stale.append(stream_id)
        if stale:
            raise Refused(failed, f"Sequence is not higher than that of an earlier call for {', '.join(stale)}; the others are done")

    return carry_out


async def _describe_state(call: Call, asked: OneStream) -> StreamState:
    state = await call.rooms.moderation.stream_state(call.app_id, call.stream_id(asked.stream_id))
    if state is None:
        raise Refused(MediaCode.STREAM_UNKNOWN, "there is no such stream")
    if not state.live:
        raise Refused(MediaCode.STREAM_CLOSED, "the stream is closed")
    return StreamState(str(state.created_at // 1000), "")


async def _rtmp_dispatch(call: Call, asked: RtmpDispatch) -> list[str]:
    stream_id = call.stream_id(asked.stream_id)
    if not _STREAM_ID.fullmatch(stream_id):
        raise Refused(MediaCode.STREAM_FORMAT, "StreamId: letters, digits, _ and - only")
    if asked.type not in ("push", "pull"):
        raise Refused(MediaCode.DISPATCH_TYPE, "Type: push or pull")
    if asked.client_ip and parse_address(asked.client_ip) is None:
        raise Refused(MediaCode.CLIENT_IP, "ClientIP: not an IP address")
    right: RtmpRight = "push" if asked.type == "push" else "pull"
    nodes = [node for node in await call.rooms.nodes() if node.rtmp_url and not node.draining]
    if right == "pull":
        nodes = await _holders(call, stream_id, nodes)
    if not nodes:
        code = MediaCode.NO_PUBLISH_NODE if right == "push" else MediaCode.NO_PLAY_NODE
        raise Refused(code, "no node speaks RTMP")
    expires = call.house.clock() // 1000 + RTMP_SECONDS
    if asked.room_id and not asked.user_id:
        raise Refused(RoomCode.BAD_PARAMETER, "UserId: needed with RoomId")
    query = sign_rtmp(call.app.keys, stream_id, RtmpGrant(right, expires, asked.room_id, asked.user_id, asked.user_name))
    # The least busy first: callers take the first that answers.
    nodes.sort(key=lambda node: node.streams)
    return [f"{node.rtmp_url.rstrip('/')}/{call.app_id}/{stream_id}?{query}" for node in nodes]


async def _holders(call: Call, stream_id: str, nodes: list[NodeInfo]) -> list[NodeInfo]:
    """The node that holds a stream; all of them if nobody publishes it yet."""
    stream = await call.rooms.stream(call.app_id, stream_id)
    return nodes if stream is None else [node for node in nodes if node.node_id == stream.node_id]


_RATE = MediaCode.APP_RATE

ACTIONS = (
    Action(
        "ForbidRTCStream", "Stops a stream at once, and every publish and play of it until it is resumed. The id need not be known.",
        Family.MEDIA, OneStream, _one(_forbid, MediaCode.FORBID_FAILED), rate=20, rate_code=_RATE,
        codes={MediaCode.FORBID_FAILED: "Sequence is stale"},
    ),
    Action(
        "ResumeRTCStream", "Allows a forbidden stream again.",
        Family.MEDIA, OneStream, _one(_resume, MediaCode.RESUME_FAILED), rate=20, rate_code=_RATE,
        codes={MediaCode.RESUME_FAILED: "Sequence is stale"},
    ),
    Action(
        "ForbidRTCStreams", "ForbidRTCStream for up to 20 streams.",
        Family.MEDIA, ManyStreams, _many(_forbid, MediaCode.BATCH_FORBID_FAILED), rate=20, rate_code=_RATE,
        codes={MediaCode.BATCH_FORBID_FAILED: "Sequence is stale for some streams", MediaCode.STREAM_LIST: "more than 20 streams"},
    ),
    Action(
        "ResumeRTCStreams", "ResumeRTCStream for up to 20 streams.",
        Family.MEDIA, ManyStreams, _many(_resume, MediaCode.BATCH_RESUME_FAILED), rate=20, rate_code=_RATE,
        codes={MediaCode.BATCH_RESUME_FAILED: "Sequence is stale for some streams", MediaCode.STREAM_LIST: "more than 20 streams"},
    ),
    Action(
        "DescribeRTCStreamState", "Tells whether a stream is live.",
        Family.MEDIA, OneStream, _describe_state, StreamState, rate=40, rate_code=_RATE,
        codes={MediaCode.STREAM_UNKNOWN: "there is no such stream", MediaCode.STREAM_CLOSED: "it existed and is closed"},
    ),
    Action(
        "RTMPDispatchV2", "Addresses to publish or play a stream over RTMP, good for two hours.",
        Family.MEDIA, RtmpDispatch, _rtmp_dispatch, list[str], rate=40, rate_code=MediaCode.DISPATCH_RATE,
        codes={
            MediaCode.NO_PUBLISH_NODE: "push: no node speaks RTMP", MediaCode.NO_PLAY_NODE: "pull: no node speaks RTMP",
            MediaCode.STREAM_FORMAT: "StreamId has a character that is not allowed",
            MediaCode.DISPATCH_TYPE: "Type is neither push nor pull",
            MediaCode.CLIENT_IP: "ClientIP is not an IP address",
        },
    ),
)  # fmt: skip
