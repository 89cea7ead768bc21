"""An App: the tenant of the house. Everything else (rooms, users, streams) lives inside one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auth import AppKeys, TokenCheck
from rooms.model import Policy


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """Where and how the operator's backend of an App is told what happens (``zego-cloud.md`` §3)."""

    secret: str = field(repr=False)
    urls: Mapping[str, str] = field(repr=False)
    """Event → URL; an event that is not in it is not told."""
    form: bool = False
    """``application/x-www-form-urlencoded`` instead of JSON."""
    numbers: bool = False
    """Numbers where older published shapes had them (§3.2)."""


@dataclass(frozen=True, slots=True)
class App:
    """What the operator has configured for one AppID (``[[apps]]`` in ``hearth.toml``)."""

    app_id: int
    keys: AppKeys = field(repr=False)
    """Secrets that verify the tokens of its users."""
    token_check: TokenCheck = TokenCheck.IDENTITY
    """How much of a token's privileges counts (``zego-cloud.md`` §1.2)."""
    multi_room: bool = True
    max_room_users: int = 0
    """0 = unlimited."""
    max_rooms_per_user: int = 5
    loudest: int = 0
    """Streams of a room that a node forwards at one time, the loudest ones; 0 = all."""
    callbacks: CallbackTarget | None = None
    """None = the backend is told nothing."""

    def policy(self) -> Policy:
        """The rules that the room registry enforces for this App."""
        return Policy(max_room_users=self.max_room_users, multi_room=self.multi_room, max_rooms_per_user=self.max_rooms_per_user)
