"""The loop that owns a media socket. Knows no command."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from starlette.websockets import WebSocketDisconnect

from calls.addresses import parse_media_query
from calls.errors import AddressInvalid
from calls.service import Calls
from rooms.model import Clock
from signaling.media_json.codec import FrameInvalid, decode
from signaling.media_json.commands import MediaConversation
from signaling.media_json.settings import MediaSocketSettings
from signaling.socket import SocketLike

log = structlog.get_logger()

NORMAL = 1000
GOING_AWAY = 1001
UNSUPPORTED = 1003
INVALID = 1007
POLICY = 1008
TOO_BIG = 1009
TRY_AGAIN = 1013
"""Close codes (RFC 6455 §7.4.1 and the registry it founds)."""

GONE = (WebSocketDisconnect, OSError, RuntimeError)
"""What a socket raises that is closed already; the last is starlette's word for sending after the close."""


class _Close(Exception):
    """The conversation is over; the socket is closed with ``code``."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Pace:
    """Token bucket over the injected clock."""

    def __init__(self, per_second: int, burst: int, clock: Clock) -> None:
        self._per_ms = per_second / 1000
        self._burst = float(burst)
        self._clock = clock
        self._left = float(burst)
        self._at = clock()

    def allows(self) -> bool:
        now = self._clock()
        self._left = min(self._burst, self._left + max(0, now - self._at) * self._per_ms)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


async def serve_media_socket(
    websocket: SocketLike, *, calls: Calls, settings: MediaSocketSettings, clock: Clock, client_address: str = ""
) -> None:
    """Serve one ``/media`` WebSocket, not accepted yet, until it ends. Returns when the socket is closed; raises only cancellation.

    ``client_address``: the client's IP address, behind trusted proxies the one they forwarded.
    """
    query = bytes(websocket.scope.get("query_string", b"")).decode("latin-1")
    try:
        credential = parse_media_query(query)
    except AddressInvalid:
        await websocket.close(POLICY, "not an address of this server")
        return
    await websocket.accept()
    outgoing: asyncio.Queue[str] = asyncio.Queue(settings.max_queued_frames)
    overflow = asyncio.Event()

    def send(frame: str) -> None:
        try:
            outgoing.put_nowait(frame)
        except asyncio.QueueFull:
            overflow.set()

    conversation = MediaConversation(calls, credential, settings, send, clock, client_address)
    close = _Close(NORMAL, "")
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_read(websocket, conversation, settings, clock))
            tasks.create_task(_write(websocket, outgoing))
            tasks.create_task(_watch(overflow))
    except* _Close as group:
        close = _first(group)
    finally:
        conversation.ended()
    log.debug("media_socket_ended", app_id=credential.app_id, code=close.code, reason=close.reason)
    with contextlib.suppress(*GONE):
        await websocket.close(close.code, close.reason)


async def _read(websocket: SocketLike, conversation: MediaConversation, settings: MediaSocketSettings, clock: Clock) -> None:
    pace = _Pace(settings.messages_per_second, settings.message_burst, clock)
    while True:
        try:
            async with asyncio.timeout(settings.idle_timeout / 1000):
                message = await websocket.receive()
        except TimeoutError:
            raise _Close(GOING_AWAY, "silent for too long") from None
        except GONE:
            raise _Close(NORMAL, "") from None
        if message["type"] == "websocket.disconnect":
            raise _Close(NORMAL, "")
        text = message.get("text")
        if text is None:
            if message.get("bytes") is None:
                continue  # websocket.connect
            raise _Close(UNSUPPORTED, "text frames only")
        if len(text) > settings.max_frame or len(text.encode("utf-8", "replace")) > settings.max_frame:
            raise _Close(TOO_BIG, "frame too long")
        if not pace.allows():
            raise _Close(POLICY, "too many messages")
        try:
            frame = decode(text)
        except FrameInvalid:
            raise _Close(INVALID, "not a frame of this protocol") from None
        await conversation.handle(frame)


async def _write(websocket: SocketLike, outgoing: asyncio.Queue[str]) -> None:
    while True:
        frame = await outgoing.get()
        try:
            await websocket.send_text(frame)
        except GONE:
            raise _Close(NORMAL, "") from None


async def _watch(overflow: asyncio.Event) -> None:
    await overflow.wait()
    raise _Close(TRY_AGAIN, "does not read what it is sent")


def _first(group: BaseExceptionGroup[_Close]) -> _Close:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, _Close)
    return found
