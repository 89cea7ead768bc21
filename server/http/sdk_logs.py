"""Where SDKs send their logs: ``POST /httplog``, ``/log``, ``/zglog/…`` and the WebSockets ``/log``, ``/zglog/…``, ``/ws/report/stream``
(``miniprogram-2.11.0.md`` §14, ``sdk-3x.md``)."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from server.connections import Connections
from server.http.body import BodyTooLong, read_body
from server.proxies import TrustedProxies
from server.sdk_logs import SdkLogRefused, SdkLogs
from server.websockets import admit

_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
"""Web SDKs post from the pages of the operator's own application."""


def sdk_log_routes(logs: SdkLogs, proxies: TrustedProxies, connections: Connections, most: int) -> APIRouter:
    router = APIRouter()

    async def receive(request: Request) -> Response:
        address = proxies.origin(request.scope).client_address
        try:
            body = await read_body(request, most)
            logs.receive(body, address, _app_hint(request.query_params.get("appid", "")))
        except BodyTooLong:
            return PlainTextResponse("longer than limits.sdk_log_bytes\n", status_code=413, headers=_ANY_ORIGIN)
        except SdkLogRefused as refusal:
            return PlainTextResponse(f"{refusal}\n", status_code=refusal.status, headers=_ANY_ORIGIN)
        return JSONResponse({}, headers=_ANY_ORIGIN)

    async def listen(websocket: WebSocket) -> None:
        address = proxies.origin(websocket.scope).client_address
        await admit(websocket, connections, address, "sdk_log", partial(_receive_frames, websocket, logs, address))

    for path in ("/httplog", "/log", "/zglog/{rest:path}"):
        router.add_api_route(path, receive, methods=["POST"])
    for path in ("/log", "/zglog/{rest:path}", "/ws/report/stream"):
        router.add_api_websocket_route(path, listen)
    return router


async def _receive_frames(websocket: WebSocket, logs: SdkLogs, address: str) -> None:
    hint = _app_hint(websocket.query_params.get("appid", ""))
    await websocket.accept()
    try:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            frame: str | bytes | None = message.get("text") or message.get("bytes")
            if frame:
                logs.receive(frame, address, hint)
    except SdkLogRefused:
        # 1013 "try again later"; the SDKs take any loss of this socket in their stride.
        await websocket.close(1013)
    except WebSocketDisconnect:
        return


def _app_hint(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else 0
