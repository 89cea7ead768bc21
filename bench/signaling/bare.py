"""What is compared with: a FastAPI loop that sends the same frame to all its sockets, served by uvicorn as Hearth is."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect


def application() -> FastAPI:
    app = FastAPI()
    sockets: set[WebSocket] = set()

    @app.websocket("/ws")
    async def room(websocket: WebSocket) -> None:
        await websocket.accept()
        sockets.add(websocket)
        try:
            while True:
                message = await websocket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                text = message.get("text")
                for other in sockets:
                    if other is websocket:
                        continue
                    if text is not None:
                        await other.send_text(text)
                    else:
                        await other.send_bytes(message["bytes"])
        except WebSocketDisconnect:
            pass
        finally:
            sockets.discard(websocket)

    return app


if __name__ == "__main__":
    uvicorn.run(
        application(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        ws=sys.argv[2] if len(sys.argv) > 2 else "websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=30.0,
        ws_ping_timeout=60.0,
        log_level="warning",
    )
