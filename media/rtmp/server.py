"""The RTMP server of a node: listens, holds the limits, and keeps the deadlines of its connections."""

from __future__ import annotations

import asyncio
import errno
import random
import socket
from collections import Counter

import structlog

from media.plane import Clock
from media.rtmp.access import LiveAccess
from media.rtmp.config import RtmpConfig
from media.rtmp.connection import RtmpConnection
from media.rtmp.live import LiveHub
from media.subscriber import subscriber

log = structlog.get_logger()

_BACKLOG = 1024
_ACCEPT_BUDGET = 64
"""Connections accepted in one wake of the event loop."""


class RtmpServer:
    """``start`` it, and ``aclose`` it. Streams are those of ``hub``; who may publish and play them says ``access``."""

    def __init__(self, config: RtmpConfig, hub: LiveHub, access: LiveAccess, *, clock: Clock, rng: random.Random) -> None:
        """``clock``: epoch ms, steady."""
        self.config = config
        self.hub = hub
        self.access = access
        self.clock = clock
        self.rng = rng
        self.refused = Counter[str]()
        """Connections that were not taken, by limit."""
        self._connections: set[RtmpConnection] = set()
        self._by_subscriber = Counter[str]()
        self._decisions: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """TCP port; known once it has started."""
        return 0 if self._listener is None else int(self._listener.getsockname()[1])

    @property
    def connections(self) -> tuple[RtmpConnection, ...]:
        return tuple(self._connections)

    async def start(self) -> None:
        """Raises ``OSError`` if the port cannot be had."""
        loop = asyncio.get_running_loop()
        host, port = self.config.host, self.config.port
        family, kind, protocol, _, address = (
            await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV)
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # "::" means every interface, IPv4 too; elsewhere an IPv6 address means just that one.
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
            self._bind(listener, address)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
        listener.setblocking(False)
        self._listener = listener
        loop.add_reader(listener, self._accept)
        self._ticking = loop.create_task(self._tick_on(), name="rtmp-deadlines")
        log.info("rtmp_started", host=host, port=self.port)

    def _bind(self, listener: socket.socket, address: tuple[object, ...]) -> None:
        try:
            listener.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not self.config.any_port_if_taken:
                raise
            listener.bind((address[0], 0, *address[2:]))
            log.info("rtmp_port_taken", port=self.config.port, instead=listener.getsockname()[1])

    async def aclose(self) -> None:
        """Takes no more connections and ends all that are open."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
        tasks = [*self._decisions, *([self._ticking] if self._ticking is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in self.connections:
            connection.abort()

    # --- connections

    def decide(self, connection: RtmpConnection, address: str) -> None:
        task = asyncio.get_running_loop().create_task(connection.ask(address), name="rtmp-decision")
        self._decisions.add(task)
        task.add_done_callback(self._decisions.discard)

    def forget(self, connection: RtmpConnection) -> None:
        self._connections.discard(connection)
        key = subscriber(connection.client)
        self._by_subscriber[key] -= 1
        if self._by_subscriber[key] <= 0:
            del self._by_subscriber[key]

    def _accept(self) -> None:
        assert self._listener is not None
        for _ in range(_ACCEPT_BUDGET):
            try:
                accepted, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                # No file descriptors left: those that wait are looked at again with the next tick.
                log.warning("rtmp_accept_failed", problem=error.strerror)
                asyncio.get_running_loop().remove_reader(self._listener)
                return
            self._admit(accepted, str(address[0]))

    def _admit(self, accepted: socket.socket, client: str) -> None:
        key = subscriber(client)
        limit = ""
        if len(self._connections) >= self.config.max_connections:
            limit = "node_full"
        elif self._by_subscriber[key] >= self.config.max_connections_per_address:
            limit = "address_full"
        if limit:
            self.refused[limit] += 1
            log.info("rtmp_connection_refused", client=client, reason=limit)
            accepted.close()
            return
        try:
            connection = RtmpConnection(accepted, client, self)
        except OSError:
            accepted.close()  # gone before it began
            return
        self._connections.add(connection)
        self._by_subscriber[key] += 1
        connection.start()

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(self.config.tick_ms / 1000)
            if self._listener is not None:
                asyncio.get_running_loop().add_reader(self._listener, self._accept)
            self.tick(self.clock())

    def tick(self, now: int) -> None:
        """Ends what is due at ``now`` (epoch ms)."""
        for connection in self.connections:
            try:
                connection.tick(now)
            except Exception:
                # One connection's trouble must not keep the others' deadlines from being looked at, now and ever after.
                log.exception("rtmp_tick_failed", client=connection.client)
