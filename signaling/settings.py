"""What the sockets of all room dialects have in common. ``server/settings.py`` fills it from ``hearth.toml``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """All times in milliseconds."""

    heartbeat_interval: int = 30_000
    """How often clients are told to send a room heartbeat; SDKs raise anything below 3 000 to that."""
    user_notify_limit: int = 500
    """Members beyond the first so many neither get nor cause join and leave pushes (``zego-cloud.md`` §4.4). 0 = unlimited."""
    login_timeout: int = 30_000
    """A connection that has no session for so long is closed."""
    frame_size: int = 131_072
    """Longest frame, in characters or bytes; a longer one closes the connection (1009). The web server's own limit may be lower."""
    commands_per_second: int = 40
    """Requests that a connection may send on average; heartbeats are not among them. More are refused."""
    command_burst: int = 160
    """How many of them may come at once."""
    heartbeats_per_second: int = 20
    """SDK 2.11.0 leaves old heartbeat timers running after a reconnect, so this is wide (``miniprogram-2.11.0.md`` §15 no. 18)."""
    refusals_before_close: int = 200
    """A connection that goes on after so many requests were refused for their rate is closed (1008)."""
    settle: int = 100
    """How long later frames are kept back after the answer for a list, until the SDK has handled it (``settling``). 0 = not at all."""
    outbox_frames: int = 4_096
    """Frames that wait for a client that does not read; one more and the connection is closed."""
    outbox_size: int = 4_194_304
    """The same limit in characters or bytes."""
    waiting_commands: int = 64
    """Requests of one connection that wait for an earlier one; then no more are read until one is done."""
