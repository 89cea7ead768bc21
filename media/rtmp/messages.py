"""Types and bodies of RTMP's control messages, and aggregates (RTMP 1.0 §5.4, §7.1)."""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator

from media.flv import TIMESTAMP_MODULUS, Tag, TagKind


class MessageType(enum.IntEnum):
    SET_CHUNK_SIZE = 1
    ABORT = 2
    ACKNOWLEDGEMENT = 3
    USER_CONTROL = 4
    WINDOW_ACK_SIZE = 5
    SET_PEER_BANDWIDTH = 6
    AUDIO = 8
    VIDEO = 9
    DATA_AMF3 = 15
    COMMAND_AMF3 = 17
    DATA_AMF0 = 18
    COMMAND_AMF0 = 20
    AGGREGATE = 22


class UserControl(enum.IntEnum):
    """Event types of user control messages (§7.1.7)."""

    STREAM_BEGIN = 0
    STREAM_EOF = 1
    PING_REQUEST = 6
    PING_RESPONSE = 7


_EVENT = struct.Struct(">HI")
_UINT32 = struct.Struct(">I")


def user_control(event: UserControl, value: int) -> bytes:
    """``value``: a message stream id, or a ping's time in ms."""
    return _EVENT.pack(event, value)


def read_user_control(body: bytes) -> tuple[int, int] | None:
    """Event type and its first value; None if it is cut short."""
    return _EVENT.unpack_from(body) if len(body) >= _EVENT.size else None


def uint32(value: int) -> bytes:
    return _UINT32.pack(value)


def read_uint32(body: bytes) -> int | None:
    return int(_UINT32.unpack_from(body)[0]) if len(body) >= _UINT32.size else None


MAX_AGGREGATED = 256
"""Messages in one aggregate: five seconds of sound, more than any server gathers."""


def read_aggregate(timestamp: int, body: bytes) -> Iterator[Tag]:
    """The messages in an aggregate (§7.1.6): FLV tags, whose times count from the first of them.

    What is cut short is left out, and so is what is beyond ``MAX_AGGREGATED``.
    """
    at = 0
    first: int | None = None
    for _ in range(MAX_AGGREGATED):
        if at + 11 > len(body):
            return
        size = int.from_bytes(body[at + 1 : at + 4], "big")
        time = body[at + 7] << 24 | int.from_bytes(body[at + 4 : at + 7], "big")
        first = time if first is None else first
        end = at + 11 + size
        if end > len(body):
            return
        if body[at] in (TagKind.AUDIO, TagKind.VIDEO, TagKind.DATA):
            yield Tag(TagKind(body[at]), (timestamp + time - first) % TIMESTAMP_MODULUS, body[at + 11 : end])
        at = end + 4
