"""A bad network in front of a node, in userspace: datagrams get lost, come late and in another order, and clients come from another port.

The same seed, the same decisions.
"""

from __future__ import annotations

import asyncio
import random
import socket
from dataclasses import dataclass

Address = tuple[str, int]

MOST_CLIENTS = 64
"""Client ports that are told apart; datagrams of further ones are dropped."""
BUFFER = 2_048


@dataclass(frozen=True)
class Weather:
    """What befalls a datagram, in either direction."""

    loss: float = 0.0
    """Share that never arrives, 0…1."""
    delay_ms: float = 0.0
    reordered: float = 0.0
    """Share that comes a packet's time later than the others, 0…1."""
    late_ms: float = 25.0
    """That time: more than the 20 ms between two packets of a stream."""


@dataclass(eq=False)
class _Flow:
    """One client port: the socket in which the node sees it, and its own dice for each direction."""

    client: Address
    outside: socket.socket
    up: random.Random
    down: random.Random


@dataclass
class Counts:
    passed: int = 0
    lost: int = 0


class LossyNetwork:
    """``async with LossyNetwork(("127.0.0.1", 7000), Weather(loss=0.1), seed=1) as network:`` clients find the node at ``network.port``."""

    def __init__(self, node: Address, weather: Weather, *, seed: int) -> None:
        self.weather = weather
        """May be changed at any time."""
        self.up = Counts()
        self.down = Counts()
        self._node = node
        self._seed = seed
        self._flows: dict[Address, _Flow] = {}
        self._loop = asyncio.get_running_loop()
        self._inside = self._open()
        self._loop.add_reader(self._inside, self._from_client)

    @property
    def port(self) -> int:
        return int(self._inside.getsockname()[1])

    async def __aenter__(self) -> LossyNetwork:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for one in (self._inside, *(flow.outside for flow in self._flows.values())):
            self._loop.remove_reader(one)
            one.close()

    def rebind(self) -> None:
        """The node sees every client at another port from now on, as behind a NAT that forgot them; the old ones are shut."""
        for flow in self._flows.values():
            old, flow.outside = flow.outside, self._open()
            self._loop.remove_reader(old)
            old.close()
            self._loop.add_reader(flow.outside, self._from_node, flow)

    @staticmethod
    def _open() -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setblocking(False)
        opened.bind(("127.0.0.1", 0))
        return opened

    def _flow(self, client: Address) -> _Flow | None:
        flow = self._flows.get(client)
        if flow is None and len(self._flows) < MOST_CLIENTS:
            number = len(self._flows)
            dice = [random.Random(f"{self._seed}/{number}/{direction}") for direction in ("up", "down")]
            flow = self._flows[client] = _Flow(client, self._open(), *dice)
            self._loop.add_reader(flow.outside, self._from_node, flow)
        return flow

    def _from_client(self) -> None:
        data, client = self._inside.recvfrom(BUFFER)
        flow = self._flow(client)
        if flow is not None:
            self._pass(data, flow.up, self.up, flow.outside, self._node)

    def _from_node(self, flow: _Flow) -> None:
        data, _ = flow.outside.recvfrom(BUFFER)
        self._pass(data, flow.down, self.down, self._inside, flow.client)

    def _pass(self, data: bytes, dice: random.Random, counts: Counts, out: socket.socket, to: Address) -> None:
        weather = self.weather
        lost, late = dice.random() < weather.loss, dice.random() < weather.reordered
        if lost:
            counts.lost += 1
            return
        counts.passed += 1
        delay = weather.delay_ms + (weather.late_ms if late else 0)
        self._loop.call_later(delay / 1000, self._send, out, data, to)

    @staticmethod
    def _send(out: socket.socket, data: bytes, to: Address) -> None:
        if out.fileno() >= 0:
            out.sendto(data, to)
