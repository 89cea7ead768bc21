"""What two nodes say to each other about a player whose stream one of them holds and whose client talks to the other.

Bodies of questions (``rooms/node_requests.py``), packed with MessagePack. The *asker* is the node that the client talks to, the *carrier*
the one whose media plane sends the stream. Each message names the media session by its id and its secret.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from calls.media_session import MediaEnd

TO_CARRIER = "media.player"
"""Kind of the questions to a carrier."""
TO_ASKER = "media.report"
"""Kind of the questions to an asker."""

MOST_TEXT = 128 * 1024
"""Longest offer or answer that passes between nodes, in characters."""


class _Message(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    asker: str
    media_session_id: int
    token: str


class OpenPlayer(_Message, frozen=True, tag="open"):
    """To the carrier: whose client wants to play what, and by what right. It is checked there as if the client had come itself."""

    asked_at: int
    app_id: int
    session_id: int
    media_key: str
    user_id: str
    stream_id: str
    offer: str | None
    """None = it comes later, in ``DescribePlayer``."""


class DescribePlayer(_Message, frozen=True, tag="describe"):
    offer: str


class SetPlayer(_Message, frozen=True, tag="set"):
    """The client wants the sound, or not."""

    active: bool


class ClosePlayer(_Message, frozen=True, tag="close"):
    pass


class RollCall(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag="roll"):
    """To the carrier: every player that the asker believes to have there. What either has lost of the other's messages comes right."""

    asker: str
    asked_at: int
    active: dict[int, bool]
    """By media session id."""


class Opened(msgspec.Struct, frozen=True, array_like=True, tag="opened"):
    answer: str
    """Empty where the offer comes later."""
    addresses: tuple[str, ...]
    relay_urls: tuple[str, ...]
    """Empty = no TURN server; then there is no access either."""
    relay_username: str
    relay_password: str


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="refused"):
    error: str
    """Name of the error's class."""
    text: str


class Done(msgspec.Struct, frozen=True, array_like=True, tag="done"):
    pass


class PlayerReport(msgspec.Struct, frozen=True, array_like=True, tag="report"):
    """To the asker: how a player is. Repeating it is harmless."""

    carrier: str
    media_session_id: int
    token: str
    connected: bool
    status: tuple[int, int] | None = None
    """The publisher's microphone and camera."""
    ended: MediaEnd | None = None


class Roll(msgspec.Struct, frozen=True, array_like=True, tag="present"):
    """Answer to a roll call; who is missing has no media any more."""

    present: tuple[PlayerReport, ...]


ToCarrier = OpenPlayer | DescribePlayer | SetPlayer | ClosePlayer | RollCall
FromCarrier = Opened | Refused | Done | Roll

T = TypeVar("T")

_ENCODER = msgspec.msgpack.Encoder()
_TO_CARRIER: msgspec.msgpack.Decoder[ToCarrier] = msgspec.msgpack.Decoder(ToCarrier)
_FROM_CARRIER: msgspec.msgpack.Decoder[FromCarrier] = msgspec.msgpack.Decoder(FromCarrier)
_REPORT = msgspec.msgpack.Decoder(PlayerReport)


def encode(message: ToCarrier | FromCarrier | PlayerReport) -> bytes:
    return _ENCODER.encode(message)


def decode_to_carrier(body: bytes) -> ToCarrier:
    """Raises ``msgspec.DecodeError``."""
    return _TO_CARRIER.decode(body)


def decode_from_carrier(body: bytes) -> FromCarrier:
    """Raises ``msgspec.DecodeError``."""
    return _FROM_CARRIER.decode(body)


def decode_report(body: bytes) -> PlayerReport:
    """Raises ``msgspec.DecodeError``."""
    return _REPORT.decode(body)
