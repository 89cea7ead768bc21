"""Payloads of service 17: a header of 7 bytes, a protobuf header, a body. Pure functions (``sdk-3x.md`` §5).

```
0  0x31        1  length of the SwHeader, uint16        3  length of the body, uint32        (big endian)
```
"""

from __future__ import annotations

import enum
import struct
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError, Message

from signaling.accesshub.downward import frame_around_stream
from signaling.accesshub.explicit_zeros import with_zeros
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.varints import varint
from signaling.refusals import Kind, Refused

_MAGIC: Final = 0x31
_LENGTHS: Final = struct.Struct(">BHI")
_CONTEXT_KEY: Final = b"\x30"
"""Tag of ``SwHeader.context_key``; ``varint5`` of it follows."""
_KEY_BYTES: Final = 5


class Command(enum.IntEnum):
    """``cmd`` of a request; its answer has the next number."""

    LOGIN = 1001
    LOGOUT = 1003
    ENTER = 301001
    QUIT = 301003
    HEARTBEAT = 301005
    RENEW_TOKEN = 301007
    SET_EXTRA_INFO = 301011
    GET_EXTRA_INFO = 301013
    ADD_STREAM = 302001
    DELETE_STREAM = 302003
    UPDATE_STREAM = 302005
    STREAM_LIST = 302007
    BROADCAST = 303001
    BARRAGE = 303005
    CUSTOM_COMMAND = 303017
    TRANSPARENT = 303021
    CHANNEL_MESSAGE = 303023
    USER_LIST = 304001


PUSH: Final = 1101
MERGED_PUSH: Final = 1103
KICKOUT: Final = 1105
ACKNOWLEDGEMENTS: Final = (1102, 1104)
"""Of pushes with ``qos_flag`` 1, which this server does not send."""

BODIES: Final[dict[int, type[Message]]] = {
    Command.LOGIN: pb.SwLoginRoomReq,
    Command.LOGOUT: pb.SwLogoutRoomReq,
    Command.ENTER: pb.LrEnterRoomReq,
    Command.QUIT: pb.LrQuitRoomReq,
    Command.HEARTBEAT: pb.LrHbReq,
    Command.RENEW_TOKEN: pb.LrRenewTokenReq,
    Command.SET_EXTRA_INFO: pb.LrSetTransReq,
    Command.GET_EXTRA_INFO: pb.LrGetTransReq,
    Command.ADD_STREAM: pb.LrAddStreamReq,
    Command.DELETE_STREAM: pb.LrDeleteStreamReq,
    Command.UPDATE_STREAM: pb.LrUpdateStreamReq,
    Command.STREAM_LIST: pb.LrGetStreamListReq,
    Command.BROADCAST: pb.LrSendImReq,
    Command.BARRAGE: pb.LrSendBigImReq,
    Command.CUSTOM_COMMAND: pb.LrSignalLiveCustomReq,
    Command.TRANSPARENT: pb.LrSignalTransparentMsgReq,
    Command.CHANNEL_MESSAGE: pb.LrSendChannelMsgReq,
    Command.USER_LIST: pb.LrGetUserlistReq,
}


class Address(NamedTuple):
    """Where an answer belongs."""

    command: int
    seq: int
    context_key: int
    """Of the room, as its login answer said; 0 in a login."""


class PayloadRefused(Refused):
    """A payload that cannot be read. ``address`` is there if it can be answered."""

    def __init__(self, reason: str, address: Address | None = None) -> None:
        super().__init__(Kind.PARSE_ERROR, reason)
        self.address = address


class Request(NamedTuple):
    address: Address
    body: Message | None
    """None: a command that this server does not know."""


class SharedPush(NamedTuple):
    """A push as all its receivers get it: ``before + stream + between + key + after``, and in some a number of the session behind that."""

    before: bytes
    between: bytes
    after: bytes


def decode_payload(payload: bytes) -> Request:
    """Read a request. Raises ``PayloadRefused``; its text says what is wrong, without values."""
    if len(payload) < _LENGTHS.size:
        raise PayloadRefused("shorter than its header")
    magic, header_length, body_length = _LENGTHS.unpack_from(payload)
    if magic != _MAGIC:
        raise PayloadRefused(f"payload begins with {magic:#x}")
    if len(payload) != _LENGTHS.size + header_length + body_length:
        raise PayloadRefused("another length than it says")
    at = _LENGTHS.size + header_length
    try:
        header = pb.SwHeader.FromString(payload[_LENGTHS.size : at])
    except DecodeError:
        raise PayloadRefused("header not readable") from None
    address = Address(header.cmd, header.seq, header.context_key)
    kind = BODIES.get(header.cmd)
    if kind is None:
        return Request(address, None)
    try:
        return Request(address, kind.FromString(payload[at:]))
    except DecodeError:
        raise PayloadRefused("body not readable", address) from None


def encode_answer(address: Address, body: Message, now: int, *, context_key: int = 0) -> bytes:
    """The payload of an answer. ``context_key``: of a room that was just entered, else the request's."""
    header = pb.SwHeader(
        cmd=address.command + 1, seq=address.seq, timestamp=now, context_key=context_key or address.context_key
    ).SerializeToString()
    data = with_zeros(body).SerializeToString()
    return _LENGTHS.pack(_MAGIC, len(header), len(data)) + header + data


def shared_push(command: int, body: bytes, now: int, *, trailing: int = 0) -> SharedPush:
    """A push with the body ``body``; ``trailing`` bytes of each session's own will follow it."""
    header = b"\x08" + varint(command) + b"\x10\x00\x18" + varint(now) + _CONTEXT_KEY
    header_length = len(header) + _KEY_BYTES
    payload_length = _LENGTHS.size + header_length + len(body) + trailing
    before, between = frame_around_stream(payload_length, now)
    lengths = _LENGTHS.pack(_MAGIC, header_length, len(body) + trailing)
    return SharedPush(before, between + lengths + header, body)
