"""A WebSocket client as light as can be, so that thousands fit beside the server that is measured."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Callable
from typing import Any, cast

OnFrame = Callable[["LightSocket", bytes], None]


class LightSocket(asyncio.Protocol):
    """Frames up to 64 KiB; masks with zeros, which a server cannot tell from any other mask."""

    def __init__(self, on_frame: OnFrame, path: str, binary: bool) -> None:
        self._on_frame = on_frame
        self._path = path
        self._opcode = 2 if binary else 1
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.state: dict[str, Any] = {}
        """What the dialect keeps of this client."""
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._seq = 0
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    @classmethod
    async def connect(cls, host: str, port: int, on_frame: OnFrame, path: str = "/ws", binary: bool = False) -> LightSocket:
        socket = cls(on_frame, path, binary)
        await asyncio.get_running_loop().create_connection(lambda: socket, host, port)
        await asyncio.wait_for(socket.opened, 60)
        return socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport does not derive from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.opened.done():
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.opened.set_exception(ConnectionError(head.decode(errors="replace")[:200]))
                return
            self._buffer = rest
            self.opened.set_result(None)
        while (frame := self._frame()) is not None:
            opcode, payload = frame
            if opcode == self._opcode:
                self._on_frame(self, payload)
            elif opcode == 9:
                self._write(10, payload)

    def connection_lost(self, error: Exception | None) -> None:
        lost = ConnectionError("connection lost")
        if not self.opened.done():
            self.opened.set_exception(lost)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(lost)

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1], 2
        if size == 126:
            if len(buffer) < 4:
                return None
            size, start = int.from_bytes(buffer[2:4]), 4
        elif size == 127:
            if len(buffer) < 10:
                return None
            size, start = int.from_bytes(buffer[2:10]), 10
        if len(buffer) < start + size:
            return None
        self._buffer = buffer[start + size :]
        return buffer[0] & 15, buffer[start : start + size]

    def _write(self, opcode: int, payload: bytes) -> None:
        assert self._transport is not None
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2)
        self._transport.write(bytes([0x80 | opcode]) + length + b"\0\0\0\0" + payload)

    def send(self, payload: bytes) -> None:
        self._write(self._opcode, payload)

    def expect(self) -> tuple[int, asyncio.Future[Any]]:
        """Number of the next request, and its answer once the dialect has given it to ``answered``."""
        self._seq += 1
        future = self._answers[self._seq] = asyncio.get_running_loop().create_future()
        return self._seq, future

    def answered(self, seq: int, answer: object) -> None:
        future = self._answers.pop(seq, None)
        if future is not None and not future.done():
            future.set_result(answer)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def now() -> float:
    return time.perf_counter()
