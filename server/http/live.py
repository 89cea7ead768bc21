"""``/live/…``: playing a stream as FLV, over HTTP and over a WebSocket, with the credentials of RTMP (``calls/addresses.py``)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from calls.addresses import LIVE_PATH
from media.errors import LiveRefused, MediaFull
from media.flv_player import FlvPlayer
from media.rtmp.access import LiveAccess
from media.rtmp.config import PlayerLimits
from media.rtmp.live import LiveHub
from server.connections import ConnectionRefused, Connections
from server.proxies import TrustedProxies

_SUFFIX = ".flv"
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
"""The credential is in the address: no cookie is asked for, and flv.js runs in pages of any origin."""
_POLICY_VIOLATION = 1008
_TRY_AGAIN_LATER = 1013


class _Refused(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class LivePlays:
    """Opens plays for the two kinds of connection."""

    def __init__(self, hub: LiveHub, access: LiveAccess, limits: PlayerLimits) -> None:
        self._hub = hub
        self._access = access
        self.stall_seconds = limits.stall_ms / 1000
        self._limits = limits

    async def open(self, path: str, query: str, client: str) -> FlvPlayer:
        """``path``: behind ``/live/``. Raises ``_Refused``."""
        if not path.endswith(_SUFFIX):
            raise _Refused(404, "an address here ends in .flv")
        player = FlvPlayer(self._hub, self._limits, client)
        address = path.removesuffix(_SUFFIX) + (f"?{query}" if query else "")
        try:
            player.session = await self._access.play(address, client, player)
        except LiveRefused as refusal:
            raise _Refused(404 if refusal.unknown else 403, refusal.reason) from None
        except MediaFull as full:
            raise _Refused(503, str(full)) from None
        return player


class _FlvResponse(Response):
    """Sends until the stream or the client ends, or the client reads nothing for too long."""

    def __init__(self, player: FlvPlayer, stall_seconds: float, hold: contextlib.ExitStack) -> None:
        """``hold``: what is held while it lasts."""
        self._player = player
        self._hold = hold
        self._stall_seconds = stall_seconds
        super().__init__(headers=_ANY_ORIGIN | {"Cache-Control": "no-store"}, media_type="video/x-flv")
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def put(data: bytes, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": more})

        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        with self._hold:
            try:
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                if await _play(self._player, put, gone, self._stall_seconds):
                    await put(b"", False)
            finally:
                self._player.left()


async def _play(
    player: FlvPlayer, put: Callable[[bytes], Awaitable[None]], gone: Callable[[], Awaitable[None]], stall_seconds: float
) -> bool:
    """Passes a stream on until it is over (True) or the client is gone."""

    async def pass_on() -> None:
        async for part in player.parts():
            async with asyncio.timeout(stall_seconds):
                await put(part)

    sending = asyncio.ensure_future(pass_on())
    leaving = asyncio.ensure_future(gone())
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        return sending.done() and sending.exception() is None
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


def live_routes(plays: LivePlays, proxies: TrustedProxies, connections: Connections) -> APIRouter:
    router = APIRouter()

    @router.get(LIVE_PATH + "/{path:path}", include_in_schema=False)
    async def flv(request: Request, path: str) -> Response:
        client = proxies.origin(request.scope).client_address
        hold = contextlib.ExitStack()
        try:
            hold.enter_context(connections.admitted(client, "flv"))
            player = await plays.open(path, request.url.query, client)
        except (_Refused, ConnectionRefused) as refusal:
            hold.close()
            return Response(str(refusal), refusal.status, headers=_ANY_ORIGIN, media_type="text/plain")
        except BaseException:
            hold.close()
            raise
        return _FlvResponse(player, plays.stall_seconds, hold)

    @router.websocket(LIVE_PATH + "/{path:path}")
    async def flv_socket(websocket: WebSocket, path: str) -> None:
        client = proxies.origin(websocket.scope).client_address
        try:
            with connections.admitted(client, "flv"):
                await _serve_socket(websocket, plays, path, client)
        except ConnectionRefused:
            await websocket.close(_TRY_AGAIN_LATER)

    return router


async def _serve_socket(websocket: WebSocket, plays: LivePlays, path: str, client: str) -> None:
    try:
        player = await plays.open(path, websocket.url.query, client)
    except _Refused as refusal:
        await websocket.close(_TRY_AGAIN_LATER if refusal.status == 503 else _POLICY_VIOLATION)
        return
    try:
        await websocket.accept()

        async def gone() -> None:
            while (await websocket.receive())["type"] != "websocket.disconnect":
                pass

        if await _play(player, websocket.send_bytes, gone, plays.stall_seconds):
            await websocket.close()
    except (WebSocketDisconnect, RuntimeError):
        pass  # gone while it was being answered
    finally:
        player.left()
