"""Small things around a WebSocket's handshake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from server.connections import ConnectionRefused, Connections


async def admit(
    websocket: WebSocket, connections: Connections, client_address: str, dialect: str, serve: Callable[[], Awaitable[None]]
) -> None:
    """Serves a WebSocket that the limits allow. The handshake of one too many is answered with an HTTP status instead of accepted."""
    try:
        with connections.admitted(client_address, dialect):
            await serve()
    except ConnectionRefused as refusal:
        answer = PlainTextResponse(f"{refusal.reason}\n", status_code=refusal.status, headers={"Retry-After": "5"})
        await websocket.send_denial_response(answer)
