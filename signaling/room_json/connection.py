"""One client's WebSocket: reads frames, keeps their order, and knows which sessions live on it. What a command means it does not know.

Heartbeats and other requests that need no waiting are answered by the reader itself, whatever else is under way: an SDK whose
heartbeat stays unanswered while it logs in again throws the fresh session away (``miniprogram-2.11.0.md`` §15 no. 5). All
others are done one after the other by a task that exists only while there is something to do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import MutableMapping
from typing import Any, Protocol

import structlog

from rooms.errors import RoomError
from rooms.model import Client, Clock
from signaling.room_json.codec import FrameRefused, decode_request
from signaling.room_json.errors import Code, Refused
from signaling.room_json.flood import TokenBucket
from signaling.room_json.outbox import Outbox
from signaling.room_json.ports import Rooms
from signaling.room_json.requests import Header, HeartbeatBody, Request
from signaling.room_json.room_session import RoomSession
from signaling.room_json.settings import RoomSocketSettings
from signaling.socket import SocketLike

log = structlog.get_logger()

CLOSE_NORMAL = 1000
CLOSE_UNSUPPORTED = 1003
CLOSE_NOT_JSON = 1007
CLOSE_POLICY = 1008
CLOSE_TOO_BIG = 1009
CLOSE_RESTART = 1012


class Commands(Protocol):
    """What is done with a request (``commands.Commands``)."""

    def answer_now(self, connection: RoomConnection, request: Request) -> bool:
        """Answer a request that needs no waiting; False if it does. Does not raise."""

    async def answer(self, connection: RoomConnection, request: Request) -> None:
        """Do a request and answer it. Does not raise."""

    def refuse(self, connection: RoomConnection, header: Header, error: Exception) -> None:
        """Answer with an error code."""


class Registry(Protocol):
    """All connections of the node (``sockets.RoomSockets``)."""

    def session_gone(self, session: RoomSession) -> None:
        """A session is no longer on this node's connections."""

    def lost(self, connection: RoomConnection, sessions: list[RoomSession]) -> None:
        """These sessions wait for their client to come back."""

    def answered(self, request: Request, milliseconds: int) -> None:
        """A request that had to wait was answered so long after it came."""


class RoomConnection:
    """``room_session.Line`` of its sessions."""

    __slots__ = (
        "_bucket",
        "_clock",
        "_closer",
        "_closing",
        "_commands",
        "_heartbeats",
        "_outbox",
        "_reader",
        "_refusals",
        "_registry",
        "_rooms",
        "_settings",
        "_settling",
        "_socket",
        "_waiting",
        "_worker",
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
        *,
        client_address: str,
        base_url: str,
        commands: Commands,
        registry: Registry,
        rooms: Rooms,
        settings: RoomSocketSettings,
        clock: Clock,
    ) -> None:
        now = clock()
        self._socket = socket
        self._commands = commands
        self._registry = registry
        self._rooms = rooms
        self._settings = settings
        self._clock = clock
        self.client = Client(address=client_address)
        """As its last login described it."""
        self.frames_sent = 0
        """Answers and pushes, for metrics."""
        self.base_url = base_url
        """WebSocket base URL that the client used, ``ws://host:port``."""
        self.sessions: dict[str, RoomSession] = {}
        """By session id as on the wire. All of one user and one login."""
        self.logging_in = False
        """A login is under way: sessions that end meanwhile do not end the connection."""
        self.idle_since = now
        """When the last session ended, or the connection began; means nothing while there are sessions."""
        self._outbox = Outbox(
            socket.send_text,
            most_frames=settings.outbox_frames,
            most_characters=settings.outbox_characters,
            on_overflow=self._overflow,
        )
        self._bucket = TokenBucket(now, settings.command_burst)
        self._heartbeats = TokenBucket(now, settings.heartbeats_per_second)
        self._refusals = 0
        self._waiting: deque[tuple[Request, int]] | None = None
        """With the time at which each came."""
        self._worker: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[Any] | None = None
        self._closer: asyncio.Task[None] | None = None
        self._closing = False
        self._settling = ""
        """Session whose login was answered lately; its first request shows that the client has handled the answer."""

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

    # --- what sessions and commands use

    def send(self, text: str) -> None:
        self.frames_sent += 1
        self._outbox.send(text)

    def settle(self) -> None:
        """The answer for a list was just sent: give the SDK time to handle it before anything else."""
        self._outbox.hold(self._settings.settle)

    def settle_login(self, session_id: str, *, asks_at_once: bool) -> None:
        """The same after the answer to a login of this session. ``asks_at_once``: its client will ask for the user list."""
        self._settling = session_id
        self._outbox.hold(self._settings.settle_login if asks_at_once else self._settings.settle)

    def ended(self, session: RoomSession) -> None:
        self._forget(session)

    def superseded(self, session: RoomSession) -> None:
        self._forget(session)
        if not self.sessions and not self.logging_in:
            self.close_soon(CLOSE_NORMAL, "the session goes on elsewhere")

    def attach(self, session: RoomSession) -> None:
        """A login succeeded on this connection."""
        self.sessions[session.session_id] = session
        self._count()

    def close_soon(self, code: int, reason: str) -> None:
        """Close the socket after what is queued for it. Does not block."""
        if not self._closing:
            self._closing = True
            self._closer = asyncio.get_running_loop().create_task(self._close(code, reason))

    async def drain(self) -> None:
        """The node stops: what was received is answered, heartbeats first, then the sessions are let go and the socket is closed."""
        if self._worker is not None:
            await asyncio.wait([self._worker], timeout=1)
        await self._detach_all()
        self.close_soon(CLOSE_RESTART, "the server restarts")
        if self._closer is not None:
            await asyncio.wait([self._closer], timeout=1)

    # --- inside

    async def _take(self, message: MutableMapping[str, Any]) -> bool:
        """One ASGI event. False ends the connection."""
        if message["type"] != "websocket.receive":
            return False
        text = message.get("text")
        if text is None:
            return self._refuse_connection(CLOSE_UNSUPPORTED, "text frames only")
        if len(text) > self._settings.frame_characters:
            return self._refuse_connection(CLOSE_TOO_BIG, "frame too long")
        try:
            request = decode_request(text)
        except FrameRefused as refused:
            if refused.header is None:
                return self._refuse_connection(CLOSE_NOT_JSON, str(refused))
            if self._within_limits(refused.header, heartbeat=False):
                self._commands.refuse(self, refused.header, refused)
            return not self._closing
        if not self._within_limits(request.header, heartbeat=isinstance(request.body, HeartbeatBody)):
            return not self._closing
        if self._settling and request.header.session_id == self._settling and not isinstance(request.body, HeartbeatBody):
            # A heartbeat shows nothing: an old timer may send one at any time.
            self._settling = ""
            self._outbox.release()
        for session in self.sessions.values():
            self._rooms.heard_from(session.session)
        if not self._commands.answer_now(self, request):
            await self._queue(request)
        return not self._closing

    async def _queue(self, request: Request) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append((request, self._clock()))
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())
        elif len(self._waiting) >= self._settings.waiting_commands:
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        try:
            while self._waiting:
                request, came_at = self._waiting.popleft()
                await self._commands.answer(self, request)
                self._registry.answered(request, self._clock() - came_at)
        finally:
            self._waiting = None
            self._worker = None

    def _within_limits(self, header: Header, *, heartbeat: bool) -> bool:
        settings = self._settings
        now = self._clock()
        if heartbeat:
            allowed = self._heartbeats.take(now, settings.heartbeats_per_second, settings.heartbeats_per_second)
        else:
            allowed = self._bucket.take(now, settings.commands_per_second, settings.command_burst)
        if allowed:
            return True
        self._refusals += 1
        if self._refusals > settings.refusals_before_close:
            self._refuse_connection(CLOSE_POLICY, "too many requests")
        else:
            self._commands.refuse(self, header, Refused(Code.TOO_FREQUENT, "too many requests"))
        return False

    def _refuse_connection(self, code: int, reason: str) -> bool:
        log.info("room_socket_refused", code=code, reason=reason, address=self.client.address, **self._who())
        self.close_soon(code, reason)
        return False

    def _overflow(self) -> None:
        log.info("room_socket_not_read", address=self.client.address, **self._who())
        self._closing = True
        if self._reader is not None:
            self._reader.cancel()

    def _who(self) -> dict[str, object]:
        session = next(iter(self.sessions.values()), None)
        if session is None:
            return {}
        return {"app_id": session.session.app_id, "room_id": session.session.room_id, "user_id": session.session.user_id}

    def _forget(self, session: RoomSession) -> None:
        if self.sessions.get(session.session_id) is session:
            del self.sessions[session.session_id]
            self._count()
        self._registry.session_gone(session)

    def _count(self) -> None:
        alone = len(self.sessions) == 1
        for session in self.sessions.values():
            session.alone = alone
        if not self.sessions:
            self.idle_since = self._clock()

    async def _close(self, code: int, reason: str) -> None:
        await self._outbox.flush()
        self._outbox.close()
        try:
            # A close frame holds at most 125 bytes, two of them the code.
            await self._socket.close(code, reason.encode()[:120].decode(errors="ignore"))
        except Exception as error:
            # The other side was faster; each web server has its own word for that.
            log.debug("close_of_closed_socket", error=type(error).__name__)

    async def _finish(self) -> None:
        """The socket is of no use any more. A ``logout`` that came just before its end is still done."""
        while self._worker is not None:
            await asyncio.wait([self._worker])
        if self._closer is not None:
            await asyncio.wait([self._closer], timeout=1)
            self._closer.cancel()
        await self._outbox.aclose()
        await self._detach_all()

    async def _detach_all(self) -> None:
        sessions = list(self.sessions.values())
        self.sessions.clear()
        told = [session.detach() for session in sessions]
        for session in sessions:
            self._registry.session_gone(session)
        self._registry.lost(self, sessions)
        for session, state in zip(sessions, told, strict=True):
            try:
                await self._rooms.detach(session.session, state)
            except RoomError as error:
                # Without the registry the session is found lost when its node or its client stays silent.
                log.info("detach_failed", error=type(error).__name__, room_id=session.session.room_id, user_id=session.session.user_id)
