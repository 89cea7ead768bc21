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
from signaling.flood import TokenBucket
from signaling.media_json.codec import FrameInvalid, decode
from signaling.media_json.commands import MediaConversation
from signaling.media_json.settings import MediaSocketSettings
from signaling.outbox import Outbox
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
    overflow = asyncio.Event()
    outbox = Outbox(
        websocket.send_text, most_frames=settings.max_queued_frames, most_size=settings.max_queued_characters, on_overflow=overflow.set
    )
    conversation = MediaConversation(calls, credential, settings, outbox.send, clock, client_address)
    close = _Close(NORMAL, "")
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_read(websocket, conversation, settings, clock))
            tasks.create_task(_watch(overflow))
    except* _Close as group:
        close = _first(group)
    finally:
        conversation.ended()
        await outbox.aclose()
    log.debug("media_socket_ended", app_id=credential.app_id, code=close.code, reason=close.reason)
    with contextlib.suppress(*GONE):
        await websocket.close(close.code, close.reason)


async def _read(websocket: SocketLike, conversation: MediaConversation, settings: MediaSocketSettings, clock: Clock) -> None:
    loop = asyncio.get_running_loop()
    log_in_until = loop.time() + settings.login_timeout / 1000
    strange_frames = 0
    pace = TokenBucket(clock(), settings.message_burst)
    while True:
        silent_at = loop.time() + settings.idle_timeout / 1000
        try:
            async with asyncio.timeout_at(silent_at if conversation.logged_in else min(silent_at, log_in_until)):
                message = await websocket.receive()
        except TimeoutError:
            raise _Close(GOING_AWAY, "silent for too long" if conversation.logged_in else "no login") from None
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
        if not pace.take(clock(), settings.messages_per_second, settings.message_burst):
            raise _Close(POLICY, "too many messages")
        if not conversation.logged_in:
            strange_frames += 1
            if strange_frames > settings.frames_without_login:
                raise _Close(POLICY, "too many messages without a login")
        try:
            frame = decode(text)
        except FrameInvalid:
            raise _Close(INVALID, "not a frame of this protocol") from None
        await conversation.handle(frame)


async def _watch(overflow: asyncio.Event) -> None:
    await overflow.wait()
    raise _Close(TRY_AGAIN, "does not read what it is sent")


def _first(group: BaseExceptionGroup[_Close]) -> _Close:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, _Close)
    return found
