"""One client's room socket: text frames in the order in which they came."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Protocol

from rooms.model import Clock
from signaling.command_queue import CommandQueue
from signaling.connection import CLOSE_INVALID, CLOSE_TOO_BIG, CLOSE_UNSUPPORTED, Connection, Registry
from signaling.ports import Rooms
from signaling.refusals import Kind, Refused
from signaling.room_json.codec import FrameRefused, decode_request
from signaling.room_json.requests import Header, HeartbeatBody, Request
from signaling.room_json.room_session import JsonRoomSession
from signaling.room_json.settings import RoomSocketSettings
from signaling.settling import Settling
from signaling.socket import SocketLike


class Commands(Protocol):
    """What is done with a request (``commands.Commands``)."""

    def answer_now(self, connection: RoomConnection, request: Request) -> bool:
        """Answer a request that needs no waiting; False if it does. Does not raise."""

    async def answer(self, connection: RoomConnection, request: Request) -> None:
        """Do a request and answer it. Does not raise."""

    def refuse(self, connection: RoomConnection, header: Header, error: Exception) -> None:
        """Answer with an error code."""

    def answered(self, request: Request, milliseconds: int) -> None:
        """A request that had to wait was answered so long after it came."""


class RoomConnection(Connection[str, JsonRoomSession]):
    """Reads frames and knows which session settles."""

    __slots__ = ("_commands", "_queue", "_room_settings", "_settling", "_unsettled")

    def __init__(
        self,
        socket: SocketLike,
        *,
        client_address: str,
        base_url: str,
        commands: Commands,
        registry: Registry[JsonRoomSession],
        rooms: Rooms,
        settings: RoomSocketSettings,
        clock: Clock,
    ) -> None:
        super().__init__(
            socket,
            socket.send_text,
            client_address=client_address,
            base_url=base_url,
            registry=registry,
            rooms=rooms,
            settings=settings,
            clock=clock,
        )
        self._commands = commands
        self._room_settings = settings
        self._settling = Settling(
            self._outbox.send, most_frames=settings.outbox_frames, most_size=settings.outbox_size, on_overflow=self._overflow
        )
        self._queue = CommandQueue[tuple[Request, int]](self._answer, settings.waiting_commands)
        """Requests with the time at which each came."""
        self._unsettled = ""
        """Session whose login was answered lately; its first request shows that the client has handled the answer."""

    def send(self, frame: str) -> None:
        self.frames_sent += 1
        self._settling.send(frame)

    def settle(self) -> None:
        """The answer for a list was just sent: give the SDK time to handle it before anything else."""
        self._settling.hold(self._settings.settle)

    def settle_login(self, session_id: str, *, asks_at_once: bool) -> None:
        """The same after the answer to a login of this session. ``asks_at_once``: its client will ask for the user list."""
        self._unsettled = session_id
        self._settling.hold(self._room_settings.settle_login if asks_at_once else self._room_settings.settle)

    async def _take(self, message: MutableMapping[str, Any]) -> bool:
        if message["type"] != "websocket.receive":
            return False
        text = message.get("text")
        if text is None:
            return self._refuse_connection(CLOSE_UNSUPPORTED, "text frames only")
        if len(text) > self._settings.frame_size:
            return self._refuse_connection(CLOSE_TOO_BIG, "frame too long")
        try:
            request = decode_request(text)
        except FrameRefused as refused:
            if refused.header is None:
                return self._refuse_connection(CLOSE_INVALID, str(refused))
            if self._within_limits(refused.header, heartbeat=False):
                self._commands.refuse(self, refused.header, refused)
            return not self._closing
        heartbeat = isinstance(request.body, HeartbeatBody)
        if not self._within_limits(request.header, heartbeat=heartbeat):
            return not self._closing
        if self._unsettled and request.header.session_id == self._unsettled and not heartbeat:
            # A heartbeat shows nothing: an old timer may send one at any time.
            self._unsettled = ""
            self._settling.release()
        self._heard()
        if not self._commands.answer_now(self, request):
            await self._queue.put((request, self._clock()))
        return not self._closing

    async def _answer(self, waiting: tuple[Request, int]) -> None:
        request, came_at = waiting
        await self._commands.answer(self, request)
        self._commands.answered(request, self._clock() - came_at)

    async def _settled(self, timeout: float | None = None) -> None:
        await self._queue.idle(timeout)

    async def _flush(self) -> None:
        self._settling.release()
        await super()._flush()

    def _within_limits(self, header: Header, *, heartbeat: bool) -> bool:
        if self._allowed(heartbeat=heartbeat):
            return True
        if not self._closing:
            self._commands.refuse(self, header, Refused(Kind.TOO_FREQUENT, "too many requests"))
        return False
