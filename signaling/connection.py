"""One client's WebSocket: its limits, its queue, the sessions that live on it, its end. What a frame means it does not know.

A dialect derives from ``Connection`` and reads its frames in ``_take``. Heartbeats and other requests that need no waiting are answered
there, by the reader itself, whatever else is under way: an SDK whose heartbeat stays unanswered while it logs in again throws the fresh
session away (``miniprogram-2.11.0.md`` §15 no. 5). All others go through a ``CommandQueue``.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Hashable, MutableMapping
from typing import Any, Generic, Protocol, TypeVar

import structlog

from rooms.errors import RoomError
from rooms.model import Client, Clock, Session
from signaling.flood import TokenBucket
from signaling.outbox import F, Outbox
from signaling.ports import Rooms
from signaling.settings import ConnectionSettings
from signaling.socket import SocketLike

log = structlog.get_logger()

CLOSE_NORMAL = 1000
CLOSE_UNSUPPORTED = 1003
CLOSE_INVALID = 1007
CLOSE_POLICY = 1008
CLOSE_TOO_BIG = 1009
CLOSE_RESTART = 1012
"""Close codes (RFC 6455 §7.4.1 and the registry it founds)."""


class Attached(Protocol):
    """A session on a connection (``room_session.RoomSession``)."""

    session: Session
    alone: bool

    @property
    def key(self) -> Hashable:
        """By what the client names it on this connection."""

    def detach(self) -> bytes: ...


S = TypeVar("S", bound=Attached)
S_contra = TypeVar("S_contra", bound=Attached, contravariant=True)


class Registry(Protocol[S_contra]):
    """All connections of the node (``sockets.Sockets``)."""

    def session_gone(self, session: S_contra) -> None:
        """A session is no longer on this node's connections."""

    def lost(self, sessions: list[Session]) -> None:
        """These sessions of one login wait for their client to come back."""


class Connection(ABC, Generic[F, S]):
    """``room_session.Line`` of its sessions."""

    __slots__ = (
        "_bucket",
        "_clock",
        "_closer",
        "_closing",
        "_heartbeats",
        "_outbox",
        "_reader",
        "_refusals",
        "_registry",
        "_rooms",
        "_settings",
        "_socket",
        "base_url",
        "client",
        "frames_sent",
        "idle_since",
        "logging_in",
        "sessions",
    )

    def __init__(
        self,
        socket: SocketLike,
        send_frame: Callable[[F], Coroutine[Any, Any, None]],
        *,
        client_address: str,
        base_url: str,
        registry: Registry[S],
        rooms: Rooms,
        settings: ConnectionSettings,
        clock: Clock,
    ) -> None:
        now = clock()
        self._socket = socket
        self._registry = registry
        self._rooms = rooms
        self._settings = settings
        self._clock = clock
        self.client = Client(address=client_address)
        """As its last login described it."""
        self.base_url = base_url
        """WebSocket base URL that the client used, ``ws://host:port``."""
        self.frames_sent = 0
        """Answers and pushes, for metrics."""
        self.sessions: dict[Hashable, S] = {}
        """By their key. All of one user and one login."""
        self.logging_in = False
        """A login is under way: sessions that end meanwhile do not end the connection."""
        self.idle_since = now
        """When the last session ended, or the connection began; means nothing while there are sessions."""
        self._outbox = Outbox(send_frame, most_frames=settings.outbox_frames, most_size=settings.outbox_size, on_overflow=self._overflow)
        self._bucket = TokenBucket(now, settings.command_burst)
        self._heartbeats = TokenBucket(now, settings.heartbeats_per_second)
        self._refusals = 0
        self._reader: asyncio.Task[Any] | None = None
        self._closer: asyncio.Task[None] | None = None
        self._closing = False

    async def run(self) -> None:
        """Serve the socket until it is closed by either side. Sessions that are left then wait for the grace period."""
        self._reader = asyncio.current_task()
        await self._socket.accept()
        try:
            while not self._closing:
                if not await self._take(await self._socket.receive()):
                    break
        except asyncio.CancelledError:
            if not self._closing or self._reader is None:
                raise
            # Cancelled by ``_overflow``, not from outside.
            self._reader.uncancel()
        finally:
            self._reader = None
            await self._finish()

    # --- what a dialect does

    @abstractmethod
    async def _take(self, message: MutableMapping[str, Any]) -> bool:
        """One ASGI event. False ends the connection."""

    @abstractmethod
    async def _settled(self, timeout: float | None = None) -> None:
        """Wait until every request that was received is answered, at most ``timeout`` seconds."""

    def _farewell(self) -> None:
        """What the client is told before its socket is closed because the node stops."""

    # --- what sessions and commands use

    def send(self, frame: F) -> None:
        self.frames_sent += 1
        self._outbox.send(frame)

    def attach(self, session: S) -> None:
        """A login succeeded on this connection."""
        former = self.sessions.get(session.key)
        if former is not None:
            self._registry.session_gone(former)
        self.sessions[session.key] = session
        self._count()

    def ended(self, session: S) -> None:
        self._forget(session)

    def superseded(self, session: S) -> None:
        self._forget(session)
        if not self.sessions and not self.logging_in:
            self.close_soon(CLOSE_NORMAL, "the session goes on elsewhere")

    def close_soon(self, code: int, reason: str) -> None:
        """Close the socket after what is queued for it. Does not block."""
        if not self._closing:
            self._closing = True
            self._closer = asyncio.get_running_loop().create_task(self._close(code, reason))

    async def drain(self) -> None:
        """The node stops: what was received is answered, heartbeats first, then the sessions are let go and the socket is closed."""
        await self._settled(timeout=1)
        await self._detach(list(self.sessions.values()))
        self._farewell()
        self.close_soon(CLOSE_RESTART, "the server restarts")
        if self._closer is not None:
            await asyncio.wait([self._closer], timeout=1)

    # --- for the dialect

    def _allowed(self, *, heartbeat: bool) -> bool:
        """Whether one more request is within the limits. One that goes on and on after refusals is disconnected."""
        settings = self._settings
        now = self._clock()
        if heartbeat:
            allowed = self._heartbeats.take(now, settings.heartbeats_per_second, settings.heartbeats_per_second)
        else:
            allowed = self._bucket.take(now, settings.commands_per_second, settings.command_burst)
        if not allowed:
            self._refusals += 1
            if self._refusals > settings.refusals_before_close:
                self._refuse_connection(CLOSE_POLICY, "too many requests")
        return allowed

    def _refuse_connection(self, code: int, reason: str) -> bool:
        log.info("room_socket_refused", code=code, reason=reason, address=self.client.address, **self._who())
        self.close_soon(code, reason)
        return False

    def _heard(self) -> None:
        """The client sent something: its sessions live."""
        for session in self.sessions.values():
            self._rooms.heard_from(session.session)

    async def _detach(self, sessions: list[S]) -> None:
        """These sessions have lost their client; their grace period begins."""
        for session in sessions:
            self.sessions.pop(session.key, None)
        self._count()
        told = [session.detach() for session in sessions]
        for session in sessions:
            self._registry.session_gone(session)
        self._registry.lost([session.session for session in sessions])
        for session, state in zip(sessions, told, strict=True):
            try:
                await self._rooms.detach(session.session, state)
            except RoomError as error:
                # Without the registry the session is found lost when its node or its client stays silent.
                log.info("detach_failed", error=type(error).__name__, room_id=session.session.room_id, user_id=session.session.user_id)

    # --- inside

    def _overflow(self) -> None:
        log.info("room_socket_not_read", address=self.client.address, **self._who())
        self._outbox.close()
        self._closing = True
        if self._reader is not None:
            self._reader.cancel()

    def _who(self) -> dict[str, object]:
        session = next(iter(self.sessions.values()), None)
        if session is None:
            return {}
        return {"app_id": session.session.app_id, "room_id": session.session.room_id, "user_id": session.session.user_id}

    def _forget(self, session: S) -> None:
        # Once: a logout is told by the event and by its answer, and may come while the socket is being let go.
        if self.sessions.get(session.key) is session:
            del self.sessions[session.key]
            self._count()
            self._registry.session_gone(session)

    def _count(self) -> None:
        alone = len(self.sessions) == 1
        for session in self.sessions.values():
            session.alone = alone
        if not self.sessions:
            self.idle_since = self._clock()

    async def _close(self, code: int, reason: str) -> None:
        await self._flush()
        self._outbox.close()
        try:
            # A close frame holds at most 125 bytes, two of them the code.
            await self._socket.close(code, reason.encode()[:120].decode(errors="ignore"))
        except Exception as error:
            # The other side was faster; each web server has its own word for that.
            log.debug("close_of_closed_socket", error=type(error).__name__)

    async def _flush(self) -> None:
        """Wait until the transport has taken everything that was sent."""
        await self._outbox.flush()

    async def _finish(self) -> None:
        """The socket is of no use any more. A ``logout`` that came just before its end is still done."""
        await self._settled()
        if self._closer is not None:
            await asyncio.wait([self._closer], timeout=1)
            self._closer.cancel()
        await self._outbox.aclose()
        await self._detach(list(self.sessions.values()))
