"""Limits and announced values of the room socket. ``server/settings.py`` fills them from ``hearth.toml``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoomSocketSettings:
    """All times in milliseconds."""

    heartbeat_interval: int = 30_000
    """``hearbeat_interval`` told to clients; SDKs raise anything below 3 000 to that."""
    log_url: str = ""
    """``config_info.log_url``: where SDKs send their own logs. Empty = nowhere (``miniprogram-2.11.0.md`` §14)."""
    user_notify_limit: int = 500
    """Members beyond the first so many neither get nor cause join and leave pushes (``zego-cloud.md`` §4.4). 0 = unlimited."""
    login_timeout: int = 30_000
    """A connection that has no session for so long is closed."""
    frame_characters: int = 131_072
    """Longest text frame; a longer one closes the connection (1009). The web server's own limit in bytes may be lower."""
    commands_per_second: int = 40
    """Requests that a connection may send on average; heartbeats are not among them. More are refused."""
    command_burst: int = 160
    """How many of them may come at once."""
    heartbeats_per_second: int = 20
    """SDK 2.11.0 leaves old heartbeat timers running after a reconnect, so this is wide (``miniprogram-2.11.0.md`` §15 no. 18)."""
    refusals_before_close: int = 200
    """A connection that goes on after so many requests were refused for their rate is closed (1008)."""
    settle: int = 100
    """How long later frames are kept back after the answer to a login or for a list, until the SDK has handled it (``outbox``).
    0 = not at all."""
    settle_login: int = 3_000
    """The same after the login of a client that asks for the user list at once: that ends the wait. A push that overtakes the login's
    answer can cost the login itself: SDK 2.11.0 asks for streams, and then takes the answer for one to an older request."""
    outbox_frames: int = 4_096
    """Frames that wait for a client that does not read; one more and the connection is closed."""
    outbox_characters: int = 4_194_304
    """The same limit by size."""
    waiting_commands: int = 64
    """Requests of one connection that wait for an earlier one; then no more are read until one is done."""
