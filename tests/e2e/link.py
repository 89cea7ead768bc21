"""A piece of network between an SDK and the server, that a test can break: a TCP relay on a port of its own.

Only signalling (HTTP, WebSocket) goes through it; media is UDP and goes on whatever happens here.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass

CHUNK = 65536
"""Bytes read at once."""


@dataclass(eq=False)
class _Connection:
    path: str
    """Path of the HTTP request that opened it, e.g. ``/ws``."""
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter

    def reset(self) -> None:
        for writer in (self.client, self.server):
            transport = writer.transport
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()


class Link:
    """``async with Link("127.0.0.1", 8080) as link: link.url("/ws")``."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """``tls``: clients speak TLS to it, as to the proxy in front of a server; the server itself is spoken to in plain."""
        self._target = (host, port)
        self._tls = tls
        self._connections: set[_Connection] = set()
        self._up = asyncio.Event()
        self._up.set()
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Link:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        assert self._listener is not None
        self._listener.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def host(self) -> str:
        """``127.0.0.1:PORT``."""
        assert self._listener is not None
        return f"127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    def url(self, path: str) -> str:
        return f"{'wss' if self._tls else 'ws'}://{self.host}{path}"

    def cut(self, path: str = "/", *, stay_down: bool = False) -> int:
        """Resets the connections whose path begins so; both ends see an abrupt end. Returns how many there were.

        With ``stay_down`` new connections hang until ``restore``, as on a network without signal.
        """
        if stay_down:
            self._up.clear()
        broken = [connection for connection in self._connections if connection.path.startswith(path)]
        for connection in broken:
            connection.reset()
        return len(broken)

    def restore(self) -> None:
        self._up.set()

    def lead_to(self, port: int) -> None:
        """New connections go to another server, as from a balancer that has one name for several nodes."""
        self._target = (self._target[0], port)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # Cancelled only by aclose; a cancelled connection callback would be logged as an error.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        request = await client.readuntil(b"\r\n")
        await self._up.wait()
        server, to_server = await asyncio.open_connection(*self._target)
        connection = _Connection(request.split(b" ")[1].decode(), to_client, to_server)
        self._connections.add(connection)
        try:
            to_server.write(request)
            async with asyncio.TaskGroup() as both_ways:
                both_ways.create_task(_pump(client, to_server))
                both_ways.create_task(_pump(server, to_client))
        finally:
            self._connections.discard(connection)
            to_server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carries bytes until this side ends, then ends the other side's input."""
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
