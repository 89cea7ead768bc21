"""Frames: one binary WebSocket message each, a header of 13 bytes and a protobuf body (``sdk-3x.md`` §3). Pure functions.

```
0      magic 0xAF        2  message type, uint16      8   stream id, uint32
1      0                 4  body length, uint32       12  0
```

Everything is big endian. A stream is a number that the client picks: for a request and its answer, for the heartbeats, or for one service
(a "persistent channel", PC). Streams belong to their socket.
"""

from __future__ import annotations

import enum
import struct
from typing import Final, NamedTuple

from google.protobuf.message import Message

HEADER_BYTES: Final = 13
_MAGIC: Final = 0xAF
_HEADER: Final = struct.Struct(">BxHIIx")


class MessageType(enum.IntEnum):
    """What the body is (§3.2)."""

    CONNECTION_CLOSED = 1
    STREAM_CLOSED = 2
    CLOSE_CONNECTION = 3
    HTTP_REQUEST = 4
    HTTP_RESPONSE = 5
    HEARTBEAT_REQUEST = 12
    HEARTBEAT_RESPONSE = 13
    GET_CONFIG_REQUEST = 14
    GET_CONFIG_RESPONSE = 15
    HTTP_REQUEST_ACK = 16
    PC_UPWARD_MESSAGE = 17
    PC_UPWARD_MESSAGE_ACK = 18
    PC_ESTABLISHED = 19
    PC_BROKEN = 20
    PC_DOWNWARD_MESSAGE = 21
    GET_APP_CONFIG_REQUEST = 23
    GET_APP_CONFIG_RESPONSE = 24
    PUSH_EXCEPTION = 30
    HTTP_REQUEST_2 = 33
    REDIRECT_2 = 34
    DISPATCH_REQUEST_2 = 35
    DISPATCH_RESPONSE_2 = 36
    GET_SERVER_ADDRESS_REQUEST = 39
    GET_SERVER_ADDRESS_RESPONSE = 40


class Service(enum.IntEnum):
    """``service_no``: who a PC or an HTTP request is for (§3.5)."""

    MEDIA_GATEWAY = 1
    ROOMS = 17
    WEBRTC = 18
    WEBRTC_LOW_LATENCY = 19


class FrameInvalid(Exception):
    """Not a frame of this dialect, or a body that is not the message it should be."""


class Frame(NamedTuple):
    type: int
    """A ``MessageType``, or a number that this server does not know."""
    stream: int
    body: bytes


def decode_frame(data: bytes) -> Frame:
    """Read a WebSocket message. Raises ``FrameInvalid``."""
    if len(data) < HEADER_BYTES:
        raise FrameInvalid("shorter than a header")
    magic, kind, length, stream = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise FrameInvalid("another magic number")
    if length != len(data) - HEADER_BYTES:
        raise FrameInvalid("another length than it says")
    return Frame(kind, stream, data[HEADER_BYTES:])


def frame_header(kind: MessageType, stream: int, length: int) -> bytes:
    """What stands in front of a body of ``length`` bytes."""
    return _HEADER.pack(_MAGIC, kind, length, stream)


def encode_frame(kind: MessageType, stream: int, message: Message) -> bytes:
    """``message`` as it is: zeros are the caller's affair (``explicit_zeros``)."""
    body = message.SerializeToString()
    return frame_header(kind, stream, len(body)) + body
