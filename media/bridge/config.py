"""Settings of the bridge."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BridgeConfig:
    """All limits and timings of the bridge. Times are milliseconds."""

    max_bridges: int = 200
    """Streams and directions converted at one time; one more is not begun until another ends."""
    threads: int = 2
    """Threads in which codecs run, for all bridges together."""
    opus_bitrate: int = 48_000
    """Bits per second of the Opus that WebRTC players get, in-band FEC included."""
    aac_bitrate: int = 64_000
    """Bits per second of the AAC that RTMP and FLV players get."""
    linger_ms: int = 5_000
    """A bridge whose last listener has gone waits for the next one for so long."""
    min_delay_ms: int = 30
    """The jitter buffer's delay on a steady network, the 20 ms that are taken at once included."""
    max_delay_ms: int = 200
    """The jitter buffer's delay on the worst network that it evens out."""
    queue_frames: int = 64
    """AAC frames that wait for a codec thread; then the oldest is dropped."""
    pacer_packets: int = 25
    """Opus packets (20 ms each) that wait for their time after a burst; then what is older than the last 100 ms is left out."""
    retry_ms: int = 1_000
    """Pause before a bridge whose codec failed is begun again; doubled with each failure in a row, up to ``max_retry_ms``."""
    max_retry_ms: int = 30_000
