"""``/live/…``: playing a stream as FLV, over HTTP and over a WebSocket, with the credentials of RTMP (``calls/addresses.py``)."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import Transport
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from calls.addresses import LIVE_PATH
from media.errors import LiveRefused, MediaFull
from media.flv_player import FlvPlayer
from media.plane import Clock
from media.rtmp.access import LiveAccess
from media.rtmp.config import PlayerLimits
from media.rtmp.live import LiveHub
from server.connections import ConnectionRefused, Connections
from server.proxies import TrustedProxies
from server.transports import keep_little, transport_of
from server.websockets import admit

log = structlog.get_logger(__name__)

_SUFFIX = ".flv"
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
"""The credential is in the address: no cookie is asked for, and flv.js runs in pages of any origin."""
_POLICY_VIOLATION = 1008
_TRY_AGAIN_LATER = 1013
_TICK_SECONDS = 1

Put = Callable[[bytes | None], Awaitable[None]]
"""Sends a part, or (None) the end, and returns when the client has taken what was sent before."""


class _Refused(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Client:
    """The way to a player's client."""

    def __init__(self, put: Put, clock: Clock, transport: Transport | None) -> None:
        """``clock``: ms."""
        self.waiting_since: int | None = None
        """When what is being sent was begun."""
        self.stalled = False
        self.sending: asyncio.Task[None] | None = None
        self._put = put
        self._clock = clock
        self._transport = transport

    async def put(self, data: bytes | None) -> None:
        self.waiting_since = self._clock()
        await self._put(data)
        self.waiting_since = None

    def hang_up(self) -> None:
        """Closing would wait for the client to read what it has not read."""
        self.stalled, self.waiting_since = True, None
        if self._transport is not None:
            self._transport.abort()
        elif self.sending is not None:
            self.sending.cancel()


class LivePlays:
    """Opens plays for the two kinds of connection, and ends those whose clients do not read. ``run`` must be running for that."""

    def __init__(self, hub: LiveHub, access: LiveAccess, limits: PlayerLimits, clock: Clock) -> None:
        """``clock``: ms, steady."""
        self._clock = clock
        self._hub = hub
        self._access = access
        self._limits = limits
        self.clients: dict[_Client, FlvPlayer] = {}
        """Of the plays that are open."""

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

    async def pass_on(self, player: FlvPlayer, put: Put, gone: Callable[[], Awaitable[None]], transport: Transport | None) -> None:
        """Sends a stream until it is over, the client is gone, or it has read nothing for too long."""
        client = _Client(put, self._clock, transport)

        async def send() -> None:
            async with contextlib.aclosing(player.parts()) as parts:
                async for part in parts:
                    await client.put(part)
            await client.put(None)

        client.sending = asyncio.ensure_future(send())
        leaving = asyncio.ensure_future(gone())
        self.clients[client] = player
        try:
            if transport is not None:
                keep_little(transport)
            await asyncio.wait((client.sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self.clients[client]
            player.left(lost=client.stalled)
            for task in (client.sending, leaving):
                task.cancel()
            await asyncio.gather(client.sending, leaving, return_exceptions=True)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            self.tick(self._clock())

    def tick(self, now: int) -> None:
        """Hangs up on clients that read nothing for too long. ``now``: ms."""
        for client, player in tuple(self.clients.items()):
            if client.waiting_since is not None and now - client.waiting_since >= self._limits.stall_ms:
                log.info("flv_player_stalled", client=player.client)
                client.hang_up()


class _FlvResponse(Response):
    """Sends until the stream or the client ends, or the client reads nothing for too long."""

    def __init__(self, plays: LivePlays, player: FlvPlayer, hold: contextlib.ExitStack) -> None:
        """``hold``: what is held while it lasts."""
        self._plays = plays
        self._player = player
        self._hold = hold
        super().__init__(headers=_ANY_ORIGIN | {"Cache-Control": "no-store"}, media_type="video/x-flv")
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def put(data: bytes | None) -> None:
            await send({"type": "http.response.body", "body": data or b"", "more_body": data is not None})

        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        with self._hold:
            try:
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            except BaseException:
                self._player.left(lost=False)
                raise
            await self._plays.pass_on(self._player, put, gone, transport_of(scope))


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
        return _FlvResponse(plays, player, hold)

    @router.websocket(LIVE_PATH + "/{path:path}")
    async def flv_socket(websocket: WebSocket, path: str) -> None:
        client = proxies.origin(websocket.scope).client_address
        await admit(websocket, connections, client, "flv", partial(_serve_socket, websocket, plays, path, client))

    return router


async def _serve_socket(websocket: WebSocket, plays: LivePlays, path: str, client: str) -> None:
    try:
        player = await plays.open(path, websocket.url.query, client)
    except _Refused as refusal:
        await websocket.close(_TRY_AGAIN_LATER if refusal.status == 503 else _POLICY_VIOLATION)
        return
    try:
        await websocket.accept()
    except BaseException as error:
        player.left(lost=False)
        if isinstance(error, (WebSocketDisconnect, RuntimeError)):
            return  # gone while it was being answered
        raise

    async def put(data: bytes | None) -> None:
        await (websocket.close() if data is None else websocket.send_bytes(data))

    async def gone() -> None:
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass

    await plays.pass_on(player, put, gone, transport_of(websocket.scope))
