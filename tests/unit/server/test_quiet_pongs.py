"""Pings of a client that does not read."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from server.quiet_pongs import QuietPongs
from tests.waiting import until

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
PING = bytes([0x89, 0x80 | 125]) + bytes(4) + bytes(125)


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = 0

    def write(self, data: Any) -> None:
        self.written += len(data)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None: ...


async def application(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


async def test_pongs_do_not_pile_up() -> None:
    config = uvicorn.Config(application, ws=QuietPongs, log_config=None)
    config.load()
    protocol, transport = QuietPongs(config, ServerState(), {}), Transport()
    protocol.connection_made(transport)
    protocol.data_received(HANDSHAKE)
    await until(lambda: protocol.handshake_complete, what="the handshake is done")
    before = transport.written
    protocol.data_received(PING)
    assert transport.written == before + 127
    protocol.pause_writing()
    for _ in range(100):
        protocol.data_received(PING)
    assert transport.written == before + 127
    protocol.resume_writing()
    protocol.data_received(PING)
    assert transport.written == before + 2 * 127
    protocol.connection_lost(None)
    await asyncio.gather(*protocol.tasks)
