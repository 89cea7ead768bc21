"""Rooms as web SDK 2.16.1 to 2.25.6 speak them on the hub: just enough to say no. Pure functions.

Their payloads have the header of ``codec``, with another first byte and commands that are paths. They wait for an answer to those alone:
a general exception of the hub (``AhPushException``) they only log, and wait on until their time-out.
"""

from __future__ import annotations

import struct
from typing import Final

from google.protobuf.message import DecodeError

from signaling.accesshub.explicit_zeros import with_zeros
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.rooms.errors import Code

MAGIC: Final = 0x21
REASON: Final = "this SDK's rooms on the accesshub are not offered: call engine.zegoWebRTC.setAccess(false) before loginRoom"
_LENGTHS: Final = struct.Struct(">BHI")
_LONGEST_COMMAND: Final = 64


def refusal(payload: bytes, now: int) -> bytes | None:
    """The payload that refuses a request (which begins with ``MAGIC``); None if it is none that somebody waits for."""
    if len(payload) < _LENGTHS.size:
        return None
    _, header_length, _ = _LENGTHS.unpack_from(payload)
    try:
        request = pb.SwOlderHeader.FromString(payload[_LENGTHS.size : _LENGTHS.size + header_length])
    except DecodeError:
        return None
    if not request.cmd or len(request.cmd) > _LONGEST_COMMAND:
        return None
    header = pb.SwOlderHeader(cmd=f"{request.cmd}_rsp", seq=request.seq, timestamp=now).SerializeToString()
    body = with_zeros(pb.LrCommonRsp(rsp_head=pb.LrRspHead(code=Code.NOT_OFFERED, message=REASON))).SerializeToString()
    return _LENGTHS.pack(MAGIC, len(header), len(body)) + header + body
