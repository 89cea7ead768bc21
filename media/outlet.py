"""Sends single datagrams (everything but media) and counts what goes nowhere."""

from __future__ import annotations

import errno
from collections import Counter

from media.plane import Address, DatagramPort, Drop, Send

BLOCKED = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS)
"""The socket is full for a moment."""


class Outlet:
    """A plane's port together with its counters."""

    def __init__(self, port: DatagramPort) -> None:
        self.port = port
        self.drops: Counter[Drop] = Counter()

    def send(self, datagram: bytes, address: Address, send: Send) -> None:
        """Sends now, or as soon as the socket takes it."""
        try:
            send(datagram, address)
        except OSError as error:
            if error.errno in BLOCKED:
                self.port.enqueue(datagram, address, send)
            else:
                self.drops[Drop.SEND_FAILED] += 1

    def reply(self, datagram: bytes, address: Address) -> None:
        """Answers the datagram that is being handled, from the address it was sent to."""
        self.send(datagram, address, self.port.route(address, self.port.arrived_at))
