"""The node's UDP socket: bound once, shared by all peers, read and written without the event loop's machinery in between.

On a wildcard address the answer to a datagram must leave from the address that the datagram was sent to, or ICE takes it for
somebody else's (RFC 8445 §7.2.5.2.1). The kernel would choose a source by its routes, which is another one on a machine with
several addresses. So each datagram's own destination is read (IP_PKTINFO), and a peer whose source the kernel would choose wrongly is
sent to by ``sendmsg`` with the right one; all others by plain ``sendto``. Only Linux; elsewhere bind to one address.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import ipaddress
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable

from media.plane import RELAYED, Address, Send

_FULL = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS)

_IP_PKTINFO = 8
"""Linux; Python names it from 3.14 on."""
_PKTINFO_V4 = struct.Struct("=i4s4s")
"""Interface, local address, address in the header (ip(7))."""
_PKTINFO_V6 = struct.Struct("=16si")
"""Address, interface (RFC 3542 §6)."""
_ANCILLARY = 64
"""Bytes for one of them with its header."""


class UdpPort:
    """A non-blocking socket with a bounded queue for what the kernel does not take at once (``DatagramPort``)."""

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop, *, queue_limit: int, tells_destination: bool = False) -> None:
        self._socket = sock
        self._loop = loop
        self._queue: deque[tuple[bytes, Address, Send]] = deque(maxlen=queue_limit)
        self.queue_drops = 0
        self.relay: Callable[[Address, bytes], Send] | None = None
        """Where ``RELAYED`` addresses are sent to: the TURN server's ``sender``."""
        self.arrived_at = b""
        # The socket's own bound methods where nothing is to be added: one Python call less for each datagram.
        self.recvfrom_into = self._receive_with_destination if tells_destination else sock.recvfrom_into
        self.sendto: Send = sock.sendto

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
            tells_destination = sys.platform == "linux" and host in ("0.0.0.0", "::")
            if tells_destination and family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            elif tells_destination:
                sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        return cls(sock, loop, queue_limit=queue_limit, tells_destination=tells_destination)

    @property
    def number(self) -> int:
        """The UDP port number in use."""
        return int(self._socket.getsockname()[1])

    @property
    def host(self) -> str:
        """The IP address bound to; also where a name was given."""
        return str(self._socket.getsockname()[0])

    def read_with(self, callback: Callable[[], None]) -> None:
        """Calls ``callback`` whenever datagrams wait."""
        self._loop.add_reader(self._socket, callback)

    def route(self, address: Address, local: bytes) -> Send:
        if address[-1] == RELAYED and self.relay is not None:
            return self.relay(address, local)
        if not local or local == self._kernels_choice(address):
            return self._socket.sendto
        return functools.partial(self._send_from, self._source(local))

    def enqueue(self, data: bytes, address: Address, send: Send) -> None:
        if not self._queue:
            self._loop.add_writer(self._socket, self._drain)
        elif len(self._queue) == self._queue.maxlen:
            self.queue_drops += 1
        self._queue.append((data, address, send))

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._queue.clear()
        self._socket.close()

    def _receive_with_destination(self, buffer: memoryview) -> tuple[int, Address]:
        size, ancillary, _, address = self._socket.recvmsg_into([buffer], _ANCILLARY)
        for level, kind, data in ancillary:
            if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
                self.arrived_at = data[4:8]
            elif level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
                self.arrived_at = data[:16]
        return size, address

    def _kernels_choice(self, address: Address) -> bytes | None:
        """The source address that the kernel would give to a datagram for ``address``; None if that cannot be known."""
        try:
            with socket.socket(self._socket.family, socket.SOCK_DGRAM) as probe:
                probe.connect(address)
                return ipaddress.ip_address(probe.getsockname()[0].partition("%")[0]).packed
        except OSError:
            # No way there, or no file descriptor left: a client has to be answered on such a machine, too.
            return None

    def _source(self, local: bytes) -> list[tuple[int, int, bytes]]:
        if self._socket.family == socket.AF_INET6:
            return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _PKTINFO_V6.pack(local, 0))]
        return [(socket.IPPROTO_IP, _IP_PKTINFO, _PKTINFO_V4.pack(0, local, bytes(4)))]

    def _send_from(self, source: list[tuple[int, int, bytes]], data: bytes | memoryview, address: Address) -> int:
        return self._socket.sendmsg([data], source, 0, address)

    def _drain(self) -> None:
        while self._queue:
            data, address, send = self._queue[0]
            try:
                send(data, address)
            except OSError as error:
                if error.errno in _FULL:
                    return
                # This peer's address cannot be reached; the others' datagrams go on.
            self._queue.popleft()
        self._loop.remove_writer(self._socket)
