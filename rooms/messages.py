"""What is said in a room: by those who are in it, and by the operator's backend, which need not be.

Reliable messages are events of the room: the script that takes one raises the room's revision (``rooms/lua/message.lua``). A barrage is no
part of the history, and may be lost.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rooms import identifiers
from rooms.errors import InvalidRequest
from rooms.events import Barrage, Broadcast
from rooms.held import HeldSession, Rate, speaker
from rooms.limits import RoomLimits
from rooms.model import Clock, Session
from rooms.registry import Done, Registry, members


@dataclass(frozen=True, slots=True)
class _Sender:
    app_id: int
    room_id: str
    user_id: str
    user_name: str
    session_id: int | None
    """None = the operator's backend."""

    @classmethod
    def of(cls, session: Session) -> _Sender:
        return cls(session.app_id, session.room_id, session.user_id, session.user_name, session.session_id)


class Messages:
    """Part of ``RoomService``. All methods raise ``StoreUnavailable``.

    What a session sends is held to its rates and raises ``RateLimited``, and ``SessionUnknown`` if it has no connection here. Rates of the
    cloud API are its own affair; its messages raise ``RoomUnknown``.
    """

    def __init__(
        self,
        registry: Registry,
        held: Mapping[int, HeldSession],
        limits: RoomLimits,
        *,
        clock: Clock,
        rng: random.Random,
        require_store: Callable[[], None],
        done: Done,
    ) -> None:
        self._registry = registry
        self._held = held
        self._limits = limits
        self._clock = clock
        self._rng = rng
        self._require_store = require_store
        self._done = done
        self._barrages = 0

    # --- from those in the room

    async def send_broadcast(self, session: Session, content: str, *, category: int = 1, type: int = 1, priority: int = 1) -> Broadcast:
        """Reliable, in order, to everybody. Raises ``MessageEmpty``, ``MessageTooLong``."""
        identifiers.check_message(content, "content", self._limits.broadcast_bytes)
        held, now = speaker(self._held, session), self._clock()
        held.spend("broadcast_rate", self._limits, now)
        if not held.room.broadcasts.take(now):
            identifiers.refuse_rate("broadcast_room_rate")
        return await self._broadcast(_Sender.of(session), content, category, type, priority)

    async def send_barrage(self, session: Session, content: str, *, category: int = 1, type: int = 1) -> Barrage:
        """Best effort, to everybody. Raises ``MessageEmpty``, ``MessageTooLong``."""
        identifiers.check_message(content, "content", self._limits.barrage_bytes)
        speaker(self._held, session).spend("barrage_rate", self._limits, self._clock())
        return await self._barrage(_Sender.of(session), content, category, type)

    async def send_command(self, session: Session, to: Sequence[str], content: str) -> None:
        """To the users named, or to everybody; ``content`` is passed on byte for byte.

        Raises ``MessageEmpty``, ``MessageTooLong``, ``InvalidRequest`` (too many receivers).
        """
        identifiers.check_message(content, "content", self._limits.command_frame_bytes)
        self._spend_command(session, to)
        await self._command(_Sender.of(session), to, content)

    async def send_transparent(self, session: Session, to: Sequence[str], content: bytes, *, order: int = 0) -> None:
        """Bytes to the users named, or to everybody. Raises as ``send_command``, of which it has the rates."""
        identifiers.check_message(content, "content", self._limits.transparent_bytes)
        self._spend_command(session, to)
        await self._say(_Sender.of(session), "transparent", to, content=content, order=order)

    async def send_channel_message(self, session: Session, to: Sequence[str], content: str, *, type: int = 0) -> None:
        """The same for text. Raises as ``send_command``, of which it has the rates."""
        identifiers.check_message(content, "content", self._limits.channel_bytes)
        self._spend_command(session, to)
        await self._say(_Sender.of(session), "channel", to, content=content, type=type)

    # --- from the operator's backend

    async def broadcast_from_server(
        self, app_id: int, room_id: str, user_id: str, user_name: str, content: str,
        *, category: int = 1, type: int = 1, priority: int = 1,
    ) -> Broadcast:  # fmt: skip
        """Raises ``MessageEmpty``, ``MessageTooLong``."""
        identifiers.check_message(content, "content", self._limits.broadcast_bytes)
        return await self._broadcast(_Sender(app_id, room_id, user_id, user_name, None), content, category, type, priority)

    async def barrage_from_server(
        self, app_id: int, room_id: str, user_id: str, user_name: str, content: str, *, category: int = 1, type: int = 1
    ) -> Barrage:
        """Raises ``MessageEmpty``, ``MessageTooLong``."""
        identifiers.check_message(content, "content", self._limits.barrage_bytes)
        return await self._barrage(_Sender(app_id, room_id, user_id, user_name, None), content, category, type)

    async def command_from_server(
        self, app_id: int, room_id: str, user_id: str, user_name: str, content: str, to: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """``content`` is the bare text. Returns the receivers that are not in the room. Raises as ``send_command``."""
        identifiers.check_message(content, "content", self._limits.command_bytes)
        self._check_receivers(to)
        return await self._command(_Sender(app_id, room_id, user_id, user_name, None), to, content)

    # --- either

    async def _broadcast(self, sender: _Sender, content: str, category: int, type: int, priority: int) -> Broadcast:
        self._require_store()
        now = self._clock()
        body = members(
            t="im", user_id=sender.user_id, user_name=sender.user_name, content=content, sent_at=now,
            category=category, type=type, priority=priority,
        )  # fmt: skip
        message_id, _, published = await self._registry.message(sender.app_id, sender.room_id, sender.session_id, body, "id", now=now)
        await self._done(sender.app_id, published)
        rev = int(published[0].payload.split(b" ", 2)[1])
        return Broadcast(
            rev=rev, message_id=message_id, user_id=sender.user_id, user_name=sender.user_name, content=content, sent_at=now,
            category=category, type=type, priority=priority,
        )  # fmt: skip

    async def _barrage(self, sender: _Sender, content: str, category: int, type: int) -> Barrage:
        self._require_store()
        now = self._clock()
        self._barrages = (self._barrages + 1) % 1_000_000
        barrage = Barrage(
            rev=0, message_id=f"{category}_{now}_{self._barrages}_{self._rng.getrandbits(20)}",
            user_id=sender.user_id, user_name=sender.user_name, content=content, sent_at=now, category=category, type=type,
        )  # fmt: skip
        body = members(
            t="barrage", message_id=barrage.message_id, user_id=sender.user_id, user_name=sender.user_name, content=content, sent_at=now,
            category=category, type=type,
        )  # fmt: skip
        await self._registry.message(sender.app_id, sender.room_id, sender.session_id, body, "loose", now=now)
        return barrage

    async def _command(self, sender: _Sender, to: Sequence[str], content: str) -> tuple[str, ...]:
        from_server = sender.session_id is None
        return await self._say(sender, "command", to, look_for=to if from_server else (), content=content, from_server=from_server)

    async def _say(self, sender: _Sender, kind: str, to: Sequence[str], *, look_for: Sequence[str] = (), **more: object) -> tuple[str, ...]:
        self._require_store()
        body = members(t=kind, user_id=sender.user_id, user_name=sender.user_name, to=tuple(to), **more)
        _, absent, published = await self._registry.message(
            sender.app_id, sender.room_id, sender.session_id, body, "plain", look_for=look_for, now=self._clock()
        )
        await self._done(sender.app_id, published)
        return absent

    def _spend_command(self, session: Session, to: Sequence[str]) -> None:
        self._check_receivers(to)
        rate: Rate = "command_rate" if len(to) == 1 else "command_many_rate"
        speaker(self._held, session).spend(rate, self._limits, self._clock())

    def _check_receivers(self, to: Sequence[str]) -> None:
        if len(to) > self._limits.command_receivers:
            raise InvalidRequest("to", f"at most {self._limits.command_receivers} receivers")
