"""Payloads of services 18 and 19: WebRTC signalling inside a persistent channel (``sdk-3x.md`` §6.2). Pure functions.

```
0xB5 0x00   GpcHeader length, uint16   inner length, uint32   GpcHeader{cmd: 100 from the client, 101 from the server}
inner:  0x11   RtcHead length, uint16   body length, uint32   RtcHead{cmd, seq, session_id}   body
```

Everything is big endian.
"""

from __future__ import annotations

import enum
import struct
from typing import Final, NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message

from signaling.accesshub.explicit_zeros import with_zeros
from signaling.accesshub.frames import FrameInvalid
from signaling.accesshub.proto import accesshub_pb2 as pb

_OUTER: Final = struct.Struct(">BxHI")
_INNER: Final = struct.Struct(">BHI")
_OUTER_TAG: Final = 0xB5
_INNER_TAG: Final = 0x11
_FROM_CLIENT: Final = 100
_FROM_SERVER: Final = 101
WSS_MESSAGE_TYPE: Final = 2
"""``wss_message_type`` of what carries these payloads."""


class Command(enum.IntEnum):
    """``RtcHead.cmd``. An answer's number is its request's + 1."""

    LOGIN = 1
    CREATE_SESSION = 3
    CREATE_SESSION_WITH_SDP = 5
    SESSION_RESET_PUSH = 7
    SESSION_RESET_ACK = 8
    MEDIA_DESC = 11
    CANDIDATE_INFO = 13
    CLOSE_SESSION = 15
    CLOSE_SESSION_PUSH = 21
    CLOSE_SESSION_ACK = 22
    STREAM_STATUS = 23
    STREAM_STATUS_PUSH = 25
    STREAM_STATUS_ACK = 26
    ACTIVATE_AUDIO = 29
    ACTIVATE_VIDEO = 31
    NET_STATS = 41
    CMD = 43
    DISPATCH = 47


ACKNOWLEDGEMENTS: Final = frozenset({Command.SESSION_RESET_ACK, Command.CLOSE_SESSION_ACK, Command.STREAM_STATUS_ACK})
"""Of pushes; nothing depends on them."""


class CmdId(enum.IntEnum):
    """``RtcCmdReq.cmd_id``: what its body is about."""

    NET_QUALITY = 6
    STREAM_STATUS = 16
    RESTART_ICE = 28


class Request(NamedTuple):
    command: int
    """A ``Command``, or a number that this server does not know."""
    seq: int
    session_id: int
    """Media session id; 0 = none."""
    body: bytes


M = TypeVar("M", bound=Message)


def parse(kind: type[M], body: bytes) -> M:
    """A message of this kind. Raises ``FrameInvalid``."""
    try:
        return kind.FromString(body)
    except DecodeError:
        raise FrameInvalid(f"not a {kind.__name__}") from None


def decode_request(payload: bytes) -> Request:
    """Read what a client sent. Raises ``FrameInvalid``."""
    outer, inner = _parts(_OUTER, _OUTER_TAG, payload)
    if parse(pb.GpcHeader, outer).cmd != _FROM_CLIENT:
        raise FrameInvalid("not from a client")
    head_bytes, body = _parts(_INNER, _INNER_TAG, inner)
    head = parse(pb.RtcHead, head_bytes)
    return Request(head.cmd, head.seq, head.session_id, body)


def _parts(layout: struct.Struct, tag: int, data: bytes) -> tuple[bytes, bytes]:
    """The header and the body behind a tag and their two lengths."""
    if len(data) < layout.size:
        raise FrameInvalid("shorter than a header")
    found, header, body = layout.unpack_from(data)
    if found != tag or layout.size + header + body != len(data):
        raise FrameInvalid("another tag, or other lengths than it says")
    return data[layout.size : layout.size + header], data[layout.size + header :]


def encode_message(command: int, seq: int, session_id: int, message: Message) -> bytes:
    """Write an answer or a push; ``message`` gets its zeros."""
    head = pb.RtcHead(cmd=command, seq=seq, session_id=session_id).SerializeToString()
    body = with_zeros(message).SerializeToString()
    inner = _INNER.pack(_INNER_TAG, len(head), len(body)) + head + body
    outer = pb.GpcHeader(cmd=_FROM_SERVER).SerializeToString()
    return _OUTER.pack(_OUTER_TAG, len(outer), len(inner)) + outer + inner
