"""Small things around a WebSocket's handshake."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from server.connections import ConnectionRefused


async def refuse(websocket: WebSocket, refusal: ConnectionRefused) -> None:
    """Answer a handshake with an HTTP status instead of accepting it."""
    await websocket.send_denial_response(PlainTextResponse(f"{refusal.reason}\n", status_code=refusal.status, headers={"Retry-After": "5"}))
