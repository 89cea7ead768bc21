"""The TURN server's UDP socket: what comes in goes through ``TurnServer`` to the SFU, what the SFU sends goes back the same way."""

from __future__ import annotations

from collections.abc import Callable

from media.outlet import BLOCKED
from media.plane import Address, Clock, Send
from media.turn.server import Answer, Client, Relayed, TurnServer
from media.udp_port import UdpPort

_BUFFER_BYTES = 2_048
"""A datagram that fills it is dropped: WebRTC keeps below 1500."""

Deliver = Callable[[bytes, Address, bytes], None]
"""Gives the SFU a payload, the relayed address that it comes from, and the SFU's packed address that it was sent to."""


class TurnPort:
    """Reads and writes for a ``TurnServer``."""

    def __init__(self, server: TurnServer, udp: UdpPort, deliver: Deliver, *, clock: Clock, receive_budget: int, max_routes: int) -> None:
        self._server = server
        self._udp = udp
        self._deliver = deliver
        self._clock = clock
        self._receive_budget = receive_budget
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._routes: dict[Client, Send] = {}
        self._max_routes = max_routes
        udp.read_with(self.datagrams_waiting)

    @property
    def number(self) -> int:
        """The UDP port in use."""
        return self._udp.number

    def datagrams_waiting(self) -> None:
        now = self._clock()
        for _ in range(self._receive_budget):
            try:
                length, address = self._udp.recvfrom_into(self._buffer)
            except BlockingIOError:
                return
            except OSError:
                # An ICMP error of an earlier datagram to a client that is gone.
                continue
            if length < _BUFFER_BYTES:
                self._received(bytes(self._buffer[:length]), Client(address, self._udp.arrived_at), now)

    def sender(self, relayed: Address, local: bytes) -> Send:
        """How the SFU sends to a relayed address from its own address ``local``. Never raises: what may not pass is dropped."""

        def send(payload: bytes | memoryview, _: Address) -> None:
            outgoing = self._server.sent(relayed, local, payload, self._clock())
            if outgoing is not None:
                self._send(*outgoing)

        return send

    def close(self) -> None:
        self._udp.close()

    def _received(self, datagram: bytes, client: Client, now: int) -> None:
        outcome = self._server.received(datagram, client, now)
        if isinstance(outcome, Relayed):
            self._deliver(outcome.payload, outcome.source, outcome.local)
        elif isinstance(outcome, Answer):
            self._send(outcome.datagram, client)

    def _send(self, datagram: bytes, client: Client) -> None:
        send = self._routes.get(client)
        if send is None:
            if len(self._routes) >= self._max_routes:
                self._routes.clear()
            send = self._routes[client] = self._udp.route(client.address, client.local)
        try:
            send(datagram, client.address)
        except OSError as error:
            if error.errno in BLOCKED:
                self._udp.enqueue(datagram, client.address, send)
            # Else this client cannot be reached; it will find out.
