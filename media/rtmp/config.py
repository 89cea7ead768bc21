"""Settings of the RTMP server and of live players."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlayerLimits:
    """How much waits for a player that does not read fast enough, RTMP and FLV alike. What is beyond is dropped: it goes on live."""

    queue_ms: int = 2_000
    """Of the stream's time."""
    queue_bytes: int = 2 * 1024 * 1024
    """Less than ``queue_ms`` for large pictures."""
    stall_ms: int = 20_000
    """A player that reads nothing at all for so long is closed."""


@dataclass(frozen=True)
class RtmpConfig:
    """All limits and timings of the RTMP server. Times are milliseconds."""

    host: str = "127.0.0.1"
    port: int = 1935
    """TCP. 0 = any free port; the one in use is ``RtmpServer.port``."""
    any_port_if_taken: bool = False
    """If another program has ``port``."""
    players: PlayerLimits = PlayerLimits()
    handshake_timeout_ms: int = 10_000
    """From the connection until it publishes or plays. What takes longer is closed."""
    idle_timeout_ms: int = 30_000
    """A publisher from which nothing came for so long is closed."""
    closing_ms: int = 3_000
    """How long a client that was refused may take to read why."""
    ping_interval_ms: int = 30_000
    """Distance of the signs of life that players are asked for: their acknowledgements keep the way through a NAT open."""
    max_connections: int = 5_000
    max_connections_per_address: int = 500
    """IPv6: per /64 network."""
    max_message: int = 4 * 1024 * 1024
    """Bytes of one message, and of all that one connection has begun and not finished."""
    max_chunk_streams: int = 32
    """Of one connection. Real clients use up to 6."""
    messages_per_second: int = 1_000
    """Of one connection, those in an aggregate counted each. Sound has up to 94, pictures 60. See ``media.rtmp.connection.BURST_MS``."""
    tick_ms: int = 1_000
    """How often deadlines are looked at."""
