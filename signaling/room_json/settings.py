"""Limits and announced values of the room socket. ``server/settings.py`` fills them from ``hearth.toml``."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.settings import ConnectionSettings


@dataclass(frozen=True, slots=True)
class RoomSocketSettings(ConnectionSettings):
    """All times in milliseconds."""

    log_url: str = ""
    """``config_info.log_url``: where SDKs send their own logs. Empty = nowhere (``miniprogram-2.11.0.md`` §14)."""
    settle_login: int = 3_000
    """How long later frames are kept back after the login of a client that asks for the user list at once: that ends the wait. Others are
    given ``settle``. A push that overtakes the login's answer can cost the login itself: SDK 2.11.0 asks for streams, and then takes the
    answer for one to an older request."""
