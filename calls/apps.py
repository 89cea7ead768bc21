"""An App: the tenant of the house. Everything else (rooms, users, streams) lives inside one."""

from __future__ import annotations

from dataclasses import dataclass, field

from auth import AppKeys, TokenCheck
from rooms.model import Policy


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
    callback_secret: str = field(default="", repr=False)

    def policy(self) -> Policy:
        """The rules that the room registry enforces for this App."""
        return Policy(max_room_users=self.max_room_users, multi_room=self.multi_room, max_rooms_per_user=self.max_rooms_per_user)
