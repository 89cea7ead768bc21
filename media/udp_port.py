"""The node's UDP socket: bound once, shared by all peers, read and written without a copy through the event loop's machinery."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable

from media.plane import Address

_FULL = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS)


class UdpPort:
    """A non-blocking socket with a bounded queue for what the kernel does not take at once (``DatagramPort``)."""

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop, *, queue_limit: int) -> None:
        self._socket = sock
        self._loop = loop
        self._queue: deque[tuple[bytes, Address]] = deque(maxlen=queue_limit)
        self.queue_drops = 0
        # Bound methods of the socket itself: one Python call less for each of the copies.
        self.recvfrom_into = sock.recvfrom_into
        self.sendto = sock.sendto

    @classmethod
    def bind(cls, host: str, port: int, loop: asyncio.AbstractEventLoop, *, buffer_bytes: int, queue_limit: int) -> UdpPort:
        """Opens the socket on ``host`` and ``port`` (0 = any free one). Raises ``OSError``."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                sock.setsockopt(socket.SOL_SOCKET, option, buffer_bytes)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        return cls(sock, loop, queue_limit=queue_limit)

    @property
    def number(self) -> int:
        """The UDP port number in use."""
        return int(self._socket.getsockname()[1])

    def read_with(self, callback: Callable[[], None]) -> None:
        """Calls ``callback`` whenever datagrams wait."""
        self._loop.add_reader(self._socket, callback)

    def enqueue(self, data: bytes, address: Address) -> None:
        if not self._queue:
            self._loop.add_writer(self._socket, self._drain)
        elif len(self._queue) == self._queue.maxlen:
            self.queue_drops += 1
        self._queue.append((data, address))

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._queue.clear()
        self._socket.close()

    def _drain(self) -> None:
        while self._queue:
            data, address = self._queue[0]
            try:
                self._socket.sendto(data, address)
            except OSError as error:
                if error.errno in _FULL:
                    return
                # This peer's address cannot be reached; the others' datagrams go on.
            self._queue.popleft()
        self._loop.remove_writer(self._socket)
