"""What is known of one media session's quality, whatever carries it: the counters of now, and what happened between two looks."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

UNKNOWN = float("nan")
"""In a ``Sample``: this cannot be known here."""

SILENCE = 100
"""A publisher at this level or below (-dBov, RFC 6464) counts as silent: less than the noise of a quiet room."""


class MediaTransport(enum.StrEnum):
    WEBRTC = "webrtc"
    RTMP = "rtmp"
    FLV = "flv"


@dataclass(frozen=True, slots=True)
class MediaFigures:
    """Counters of one session since it began. ``packets`` and what is said of them is about the sound: from a publisher, to a player."""

    transport: MediaTransport
    packets: int
    """RTP packets, or RTMP audio messages."""
    bytes: int
    """Their payload."""
    connected: bool = False
    """Media flows, or could."""
    address: str = ""
    """IP address of the client's media; empty before it is known."""
    lost: int = 0
    """Packets that did not arrive: at the node from a publisher, at a player as that one reports."""
    jitter_ms: float | None = None
    rtt_ms: float | None = None
    audio_level: int | None = None
    """Of a publisher that tells it: 0 (loudest) … 127 (silence), -dBov (RFC 6464)."""
    forwarding: bool = True
    """Of a player: it is being sent to (it has not muted the stream)."""
    srtp_profile: str = ""
    rejected: int = 0
    """Packets that SRTP did not accept."""
    send_failures: int = 0
    players_loss: float | None = None
    """Of a publisher: share of its packets that its players lose, as it is told (``media.player_loss``), 0…1."""
    nacked: int = 0
    """Packets that the receiving side has asked for again (RFC 4585 §6.2.1)."""
    retransmitted: int = 0
    """Packets that were sent again for that."""
    redundant: bool = False
    """Redundant audio data (RFC 2198) is in use."""
    rate_limited: int = 0
    """Datagrams dropped because the client sent more than its share."""
    queue_ms: float | None = None
    """Sound that waits for a slow player of a transport that queues (RTMP, FLV)."""
    dropped: int = 0
    """Packets dropped because that queue was full."""
    drift_ms: float | None = None
    """How far a publisher's clock has run ahead of ours, where both are known."""


class Sample(NamedTuple):
    """One point of a time series: the interval that ends with it. NaN (``UNKNOWN``) where something cannot be known."""

    bitrate: float
    """bit/s of payload."""
    loss: float
    """Share of the interval's packets that were lost, 0…1."""
    jitter_ms: float
    rtt_ms: float
    audio_level: float
    """-dBov."""
    queue_ms: float


class Meter:
    """Turns the counters of successive looks into samples."""

    __slots__ = ("_at", "_bytes", "_lost", "_packets", "silent")

    def __init__(self, now: int) -> None:
        self._at = now
        self._packets = 0
        self._bytes = 0
        self._lost = 0
        self.silent: bool | None = None
        """Nothing audible came in the last interval; None before the first one."""

    def measure(self, figures: MediaFigures, now: int, *, incoming: bool) -> Sample:
        """The interval since the last call. ``incoming``: the packets are a publisher's, so lost ones are not among ``packets``."""
        seconds = max(1, now - self._at) / 1000
        packets = max(0, figures.packets - self._packets)
        lost = max(0, figures.lost - self._lost)
        size = max(0, figures.bytes - self._bytes)
        self._at, self._packets, self._bytes, self._lost = now, figures.packets, figures.bytes, figures.lost
        expected = packets + lost if incoming else packets
        self.silent = not packets or (figures.audio_level is not None and figures.audio_level >= SILENCE)
        return Sample(
            bitrate=size * 8 / seconds,
            # What a player reports now may be about packets of the interval before.
            loss=min(1.0, lost / expected) if expected else UNKNOWN,
            jitter_ms=_or_unknown(figures.jitter_ms),
            rtt_ms=_or_unknown(figures.rtt_ms),
            audio_level=_or_unknown(figures.audio_level),
            queue_ms=_or_unknown(figures.queue_ms),
        )


def _or_unknown(value: float | None) -> float:
    return UNKNOWN if value is None else value
