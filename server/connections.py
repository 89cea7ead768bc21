"""Open WebSockets of this process: how many, from where, and a way to ask all of a kind to close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from media.subscriber import subscriber
from server.metrics import Metrics
from server.settings import LimitSettings


class ConnectionRefused(Exception):
    """One connection too many. ``status`` is the HTTP status that the handshake is answered with."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Connections:
    """Counts WebSockets by client address and by dialect, and holds the limits."""

    def __init__(self, limits: LimitSettings, metrics: Metrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self._by_address: Counter[str] = Counter()

    @property
    def total(self) -> int:
        return self._by_address.total()

    @contextmanager
    def admitted(self, address: str, dialect: str) -> Iterator[None]:
        """Hold a place while the connection is open. Raises ``ConnectionRefused``."""
        address = subscriber(address)
        if self._limits.connections and self.total >= self._limits.connections:
            self._metrics.connections_refused.labels("node_full").inc()
            raise ConnectionRefused(503, "this node has as many connections as it may (limits.connections)")
        if self._limits.connections_per_address and self._by_address[address] >= self._limits.connections_per_address:
            self._metrics.connections_refused.labels("address_full").inc()
            raise ConnectionRefused(429, "too many connections from this address (limits.connections_per_address)")
        self._by_address[address] += 1
        self._metrics.connections.labels(dialect).inc()
        self._metrics.connections_opened.labels(dialect).inc()
        try:
            yield
        finally:
            self._metrics.connections.labels(dialect).dec()
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
