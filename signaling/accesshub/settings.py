"""Limits and announced values of the hub. ``server/settings.py`` fills them from ``hearth.toml``."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.settings import ConnectionSettings


@dataclass(frozen=True, slots=True)
class HubSettings(ConnectionSettings):
    """All times in milliseconds."""

    login_timeout: int = 120_000
    """SDKs dial the hub when an engine is made, long before a login perhaps, and hang up themselves after 90 s without traffic."""
    heartbeat_timeout: int = 60_000
    """How long SDKs wait for the answer to a room heartbeat."""
    hub_heartbeat_interval: int = 5_000
    """Silence after which SDKs send a heartbeat of the connection; they accept 1 to 10 s (``sdk-3x.md`` §3.4)."""
    hub_heartbeat_timeout: int = 15_000
    """3 to 30 s."""
    broken_channel_timeout: int = 15_000
    """How long SDKs let a broken channel be before they call it disconnected."""
    rtmp_port: int = 1935
    """In the RTMP address of an App's configuration; SDKs take only its path."""
