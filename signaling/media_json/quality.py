"""Quality reports of SDKs in the units of the house. What cannot be true is left out, whatever a page has sent."""

from __future__ import annotations

import math

from calls.figures import QualityReport
from signaling.media_json.messages import StreamQuality

PLAY = "play"
OTHER_UNITS = ("1.4.", "1.12.")
"""SDKs whose loss rate is not a share of the packets."""
MOST_BITRATE = 10_000.0
"""kbit/s. Ten times what Opus can be."""
MOST_SECONDS = 60.0
MOST_PACKETS = 2**31


def quality_report(said: StreamQuality, sdk_version: str, now: int) -> QualityReport:
    """``now``: when it came, epoch ms."""
    share = said.stream_type == PLAY and not sdk_version.startswith(OTHER_UNITS)
    bitrate = _within(said.audio_bitrate, MOST_BITRATE)
    lost = _within(said.audio_packets_lost, MOST_PACKETS)
    jitter = _within(said.audio_jitter, MOST_SECONDS)
    round_trip = _within(said.current_round_trip_time, MOST_SECONDS)
    grade = _within(said.audio_quality, 5)
    return QualityReport(
        at=now,
        bitrate=None if bitrate is None else bitrate * 1000,
        loss=_within(said.audio_packets_lost_rate, 1.0) if share else None,
        packets_lost=None if lost is None else int(lost),
        jitter_ms=None if jitter is None else jitter * 1000,
        rtt_ms=round_trip * 1000 if round_trip else None,
        audio_level=_within(said.audio_level, 1.0),
        quality=None if grade is None else int(grade),
    )


def _within(value: float | None, most: float) -> float | None:
    return value if value is not None and math.isfinite(value) and 0 <= value <= most else None
