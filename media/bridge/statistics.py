"""The figures of a bridge."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Direction(enum.StrEnum):
    RTMP_TO_WEBRTC = "rtmp_to_webrtc"
    """AAC → Opus."""
    WEBRTC_TO_RTMP = "webrtc_to_rtmp"
    """Opus → AAC."""


@dataclass(frozen=True)
class BridgeStatistics:
    """One stream in one direction. Counters begin with the bridge."""

    stream: str
    direction: Direction
    began_at: int
    """Epoch ms."""
    frames_in: int = 0
    """AAC frames or Opus packets taken in."""
    frames_out: int = 0
    """Opus packets or AAC frames given out."""
    queue_ms: float = 0.0
    """Sound that waits in the bridge now."""
    delay_ms: float = 0.0
    """Delay of the jitter buffer now (Opus → AAC)."""
    target_ms: float = 0.0
    """The delay that the network of now needs (Opus → AAC)."""
    drift_ppm: float = 0.0
    """By how much the sound is played faster, to keep the delay (Opus → AAC)."""
    recovered: int = 0
    """Lost packets for which the in-band FEC of the next was used (Opus → AAC)."""
    concealed_ms: int = 0
    """Sound made up for packets that did not come (Opus → AAC)."""
    late: int = 0
    """Packets that came after their time (Opus → AAC)."""
    dropped: int = 0
    """Frames, packets or 20 ms of time left out: a queue was full, or the node too slow."""
    broken: int = 0
    """Frames or packets that a codec or parser refused."""
    codec_seconds: float = 0.0
    """CPU time of the codecs."""


@dataclass(frozen=True)
class BridgeTotals:
    """All bridges of the node."""

    running: dict[Direction, int]
    """Bridges at work now."""
    begun: dict[Direction, int]
    """Since the start of the node, like all that follows."""
    failed: int
    """Bridges that ended by an error."""
    refused: int
    """Bridges that were not begun because ``max_bridges`` were at work."""
    codec_seconds: float
    dropped: int
