"""Frames of the ``/media`` dialect: text to typed values and back. Pure functions (``web-1x-2x.md`` §3)."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

VERSION = "1.0.1"


class FrameInvalid(Exception):
    """Not a frame of this dialect."""


class BodyInvalid(Exception):
    """A known command with a body that it cannot have."""


class Header(Struct, frozen=True):
    """Of a request, and of what answers it or is pushed."""

    cmd: Annotated[str, Meta(min_length=1, max_length=64)]
    appid: str | int = ""
    """A string on the wire; a number is understood."""
    seq: Annotated[int, Meta(ge=0, le=2**53)] = 0
    user_id: Annotated[str, Meta(max_length=256)] = ""
    """The userID; clients drop every frame that has another one."""
    session_id: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    version: Annotated[str, Meta(max_length=16)] = VERSION


class Frame(Struct, frozen=True):
    header: Header
    body: Raw = Raw(b"{}")


class _Outgoing(Struct, frozen=True):
    header: Header
    body: Struct


# Clients are not exact about numbers and strings ("1" for 1): lax decoding takes both.
_FRAMES = msgspec.json.Decoder(Frame, strict=False)
_ENCODER = msgspec.json.Encoder()

B = TypeVar("B", bound=Struct)


def decode(text: str) -> Frame:
    """Read a frame; its body stays as it is until the command is known. Raises ``FrameInvalid``."""
    try:
        return _FRAMES.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise FrameInvalid(type(error).__name__) from None


def decode_body(frame: Frame, kind: type[B]) -> B:
    """Read the body of a frame as ``kind``. Raises ``BodyInvalid``."""
    try:
        return msgspec.json.decode(frame.body, type=kind, strict=False)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        # msgspec names the field and what was expected, not the value.
        raise BodyInvalid(str(error)) from None


def encode(header: Header, body: Struct) -> str:
    """Write a frame."""
    return _ENCODER.encode(_Outgoing(header, body)).decode()
