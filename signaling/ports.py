"""What the room dialects need of the rest of the house. ``rooms.service.RoomService`` and ``calls.service.Calls`` have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from calls.service import EnterRequest
from calls.stream_addresses import Transport
from rooms.events import Barrage, Broadcast, Receiver
from rooms.limits import RoomLimits
from rooms.model import ExtraInfo, Session, Stream, User


class View(Protocol):
    """What a dialect looks at in ``rooms.view.RoomView``. Events are in it before they are delivered."""

    @property
    def rev(self) -> int: ...
    @property
    def users(self) -> Mapping[str, User]: ...
    @property
    def streams(self) -> Mapping[str, Stream]: ...
    @property
    def extra(self) -> Mapping[str, ExtraInfo]: ...


class Entered(Protocol):
    """``rooms.service.LoginResult``."""

    @property
    def session(self) -> Session: ...
    @property
    def resumed(self) -> bool: ...
    @property
    def told(self) -> bytes | None: ...
    @property
    def view(self) -> View: ...


class Messages(Protocol):
    """What clients say in a room (``rooms.messages.Messages``). Raises ``rooms.errors``."""

    async def send_broadcast(self, session: Session, content: str, *, category: int = 1, type: int = 1, priority: int = 1) -> Broadcast: ...

    async def send_barrage(self, session: Session, content: str, *, category: int = 1, type: int = 1) -> Barrage: ...

    async def send_command(self, session: Session, to: Sequence[str], content: str) -> None: ...

    async def send_transparent(self, session: Session, to: Sequence[str], content: bytes, *, order: int = 0) -> None: ...

    async def send_channel_message(self, session: Session, to: Sequence[str], content: str, *, type: int = 0) -> None: ...


class Rooms(Protocol):
    """Messages, room attributes and the end of connections. Raises ``rooms.errors``."""

    @property
    def limits(self) -> RoomLimits: ...

    @property
    def messages(self) -> Messages: ...

    async def detach(self, session: Session, told: bytes) -> None: ...

    def heard_from(self, session: Session) -> None: ...

    async def set_extra_info(self, session: Session, key: str, value: str) -> ExtraInfo: ...


class Calls(Protocol):
    """Logins, addresses and announcements. Raises ``auth.errors.TokenError``, ``calls.errors`` and ``rooms.errors``."""

    async def login(self, request: EnterRequest, receiver: Receiver) -> Entered: ...

    async def renew_token(self, session: Session, token: str) -> int: ...

    def token_remaining(self, session: Session) -> int: ...

    async def publish_urls(self, session: Session, stream_id: str, transport: Transport, base: str) -> list[str]: ...

    async def play_urls(self, session: Session, stream_id: str, transport: Transport, base: str) -> list[str]: ...

    async def announce(self, session: Session, stream_id: str, extra_info: str) -> Stream: ...

    async def update_announcement(self, session: Session, stream_id: str, extra_info: str) -> Stream: ...

    async def withdraw(self, session: Session, stream_id: str) -> Stream | None: ...

    async def leave(self, session: Session, whole_login: bool) -> None: ...
