"""A WebSocket without a network: the client's end is in the test's hands."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any, Generic, TypeVar

F = TypeVar("F", bound=str | bytes)


class Gone(Exception):
    """The client is not there any more, as starlette says it: not an ``OSError``."""


class Socket(Generic[F]):
    """``signaling.socket.SocketLike`` with the client's end in the test's hands."""

    def __init__(self) -> None:
        self.scope: MutableMapping[str, Any] = {}
        self.sent: list[F] = []
        self.closed: tuple[int, str] | None = None
        self.gone = False
        self.writable = asyncio.Event()
        self.writable.set()
        self._arrived: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def accept(self) -> None:
        pass

    async def receive(self) -> MutableMapping[str, Any]:
        return await self._arrived.get()

    async def send_text(self, data: str) -> None:
        await self._send(data)

    async def send_bytes(self, data: bytes) -> None:
        await self._send(data)

    async def _send(self, data: str | bytes) -> None:
        await self.writable.wait()
        if self.closed is not None or self.gone:
            raise Gone
        self.sent.append(data)  # type: ignore[arg-type]

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if self.gone:
            raise Gone
        if self.closed is None:
            self.closed = code, reason or ""
            self._arrived.put_nowait({"type": "websocket.disconnect", "code": code})

    def put(self, text: str) -> None:
        self._arrived.put_nowait({"type": "websocket.receive", "text": text})

    def put_bytes(self, data: bytes) -> None:
        self._arrived.put_nowait({"type": "websocket.receive", "bytes": data})

    def cut(self) -> None:
        self.gone = True
        self._arrived.put_nowait({"type": "websocket.disconnect", "code": 1006})
