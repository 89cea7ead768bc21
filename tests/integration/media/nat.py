"""A NAT between one client and the node, which can give the client another port, and lose what goes through it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable


class Nat:
    """Forwards datagrams of one client to ``node`` and back, from a port of its own that ``rebind`` changes."""

    def __init__(self, node: tuple[str, int], *, loses: Callable[[bytes], bool] | None = None) -> None:
        """``loses``: whether a datagram from the node does not arrive."""
        self._loses = loses
        self._loop = asyncio.get_running_loop()
        self._node = node
        self._client: tuple[str, int] | None = None
        self._inside = self._open(self._from_client)
        self._outside = self._open(self._from_node)

    @property
    def port(self) -> int:
        """Where the client finds the node."""
        return int(self._inside.getsockname()[1])

    @property
    def outer_port(self) -> int:
        """What the node sees."""
        return int(self._outside.getsockname()[1])

    def rebind(self) -> None:
        old, self._outside = self._outside, self._open(self._from_node)
        self._loop.remove_reader(old)
        old.close()

    def close(self) -> None:
        for sock in (self._inside, self._outside):
            self._loop.remove_reader(sock)
            sock.close()

    def _open(self, handler: object) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        self._loop.add_reader(sock, handler)  # type: ignore[arg-type]
        return sock

    def _from_client(self) -> None:
        data, self._client = self._inside.recvfrom(2_048)
        self._outside.sendto(data, self._node)

    def _from_node(self) -> None:
        data = self._outside.recv(2_048)
        if self._client is not None and not (self._loses and self._loses(data)):
            self._inside.sendto(data, self._client)
