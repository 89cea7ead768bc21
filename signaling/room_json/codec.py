"""Text frames to typed requests, and replies and events to text frames. No I/O, no state.

A frame is ``{"header": {…}, "body": {…}}``. What is the same for all receivers of an event is encoded once; what belongs to a
session (``header_tail``) is prepared at its login; sending is then one concatenation (``performance.md`` "signalling").
"""

from __future__ import annotations

import msgspec

from signaling.refusals import Kind, Refused
from signaling.room_json.requests import BODIES, Header, Request, StreamMessage, UnsupportedBody


class FrameRefused(Refused):
    """A frame that cannot be read. ``header`` is there if an answer can be addressed."""

    def __init__(self, reason: str, header: Header | None = None) -> None:
        super().__init__(Kind.PARSE_ERROR, reason)
        self.header = header


class _Frame(msgspec.Struct):
    header: msgspec.Raw
    body: msgspec.Raw = msgspec.Raw(b"{}")


class _Addressed(msgspec.Struct):
    """As much of a broken header as an answer needs."""

    cmd: str
    seq: int
    appid: int = 0


class _Address(msgspec.Struct):
    appid: int
    user_id: str
    session_id: str
    room_id: str
    room_session_id: str


_decode_frame = msgspec.json.Decoder(_Frame).decode
_decode_header = msgspec.json.Decoder(Header).decode
_decode_addressed = msgspec.json.Decoder(_Addressed).decode
_decode_stream_message = msgspec.json.Decoder(StreamMessage).decode
_decode_body = {cmd: msgspec.json.Decoder(body).decode for cmd, body in BODIES.items()}
_encode = msgspec.json.encode
_UNSUPPORTED = UnsupportedBody()


def decode_request(text: str | bytes) -> Request:
    """Read one text frame. Raises ``FrameRefused``; its text says what is wrong, without values."""
    try:
        frame = _decode_frame(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise FrameRefused(f"not a frame: {_reason(error)}") from None
    try:
        header = _decode_header(frame.header)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise FrameRefused(f"header: {_reason(error)}", _addressed(frame.header)) from None
    decode_body = _decode_body.get(header.cmd)
    if decode_body is None:
        return Request(header, _UNSUPPORTED)
    try:
        return Request(header, decode_body(frame.body))
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise FrameRefused(f"body: {_reason(error)}", header) from None


def decode_stream_message(text: str) -> StreamMessage:
    """Read ``stream_msg``. Raises ``FrameRefused``."""
    try:
        return _decode_stream_message(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise FrameRefused(f"stream_msg: {_reason(error)}") from None


def encode_body(body: msgspec.Struct) -> str:
    """A body as JSON text."""
    return _encode(body).decode()


def header_tail(app_id: int, user_id: str, session_id: str, room_id: str, room_session_id: str) -> str:
    """What the header of every frame to one session ends with, and the key of the body."""
    fields = _encode(_Address(app_id, user_id, session_id, room_id, room_session_id)).decode()
    return f',{fields[1:]},"body":'


def response_head(cmd: str, seq: int) -> str:
    """Beginning of an answer: ``seq`` is the request's, as a number."""
    return f'{{"header":{{"Protocol":"rsp","cmd":{_encode(cmd).decode()},"seq":{seq}'


def push_head(cmd: str) -> str:
    """Beginning of a push. Its seq is 0, which no request has: with any other it could be taken for an answer (§15 no. 20)."""
    return f'{{"header":{{"Protocol":"push","cmd":"{cmd}","seq":0'


def _addressed(header: msgspec.Raw) -> Header | None:
    try:
        address = _decode_addressed(header)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    if not 0 <= address.seq <= 2**53 or not 0 <= address.appid <= 0xFFFFFFFF or len(address.cmd) > 64:
        return None
    return Header(address.cmd, address.appid, address.seq)


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
