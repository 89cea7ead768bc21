"""The TURN servers that clients of this node are sent to: its own, one that it only makes credentials for, or none."""

from __future__ import annotations

import asyncio
import errno
import random
from functools import partial

import structlog

from media.config import MediaConfig
from media.plane import Clock
from media.turn import access
from media.turn.access import RelayAccess
from media.turn.port import Deliver, TurnPort
from media.turn.server import TurnServer
from media.udp_port import UdpPort

log = structlog.get_logger()


class Relay:
    """Part of ``Sfu``."""

    def __init__(self, config: MediaConfig, *, clock: Clock, rng: random.Random) -> None:
        self._config = config
        self._clock = clock
        self._rng = rng
        self._ips: tuple[str, ...] = ()
        self._server: TurnServer | None = None
        self._port: TurnPort | None = None

    def start(self, media: UdpPort, ips: tuple[str, ...], deliver: Deliver) -> None:
        """Binds the port of the node's own server, if it has one, and ties it to ``media``, which is reached at ``ips``.

        Raises ``OSError``.
        """
        config = self._config.turn
        if config is None:
            return
        loop = asyncio.get_running_loop()
        bind = partial(
            UdpPort.bind, self._config.host, loop=loop, buffer_bytes=self._config.socket_buffer, queue_limit=self._config.send_queue
        )
        try:
            udp = bind(config.port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not config.any_port_if_taken:
                raise
            udp = bind(0)
            log.warning("turn_port_taken", port=config.port, instead=udp.number)
        self._ips = ips
        self._server = TurnServer(config, candidates=tuple((ip, media.number) for ip in ips), rng=self._rng)
        self._port = TurnPort(
            self._server,
            udp,
            deliver,
            clock=self._clock,
            receive_budget=config.receive_budget,
            max_routes=2 * config.max_allocations,
        )
        media.relay = self._port.sender

    def close(self) -> None:
        if self._port is not None:
            self._port.close()

    @property
    def port(self) -> int | None:
        """The UDP port of the node's own server; None without one."""
        return None if self._port is None else self._port.number

    @property
    def urls(self) -> tuple[str, ...]:
        """The TURN servers that clients are sent to, best first; empty = none."""
        if self._config.turn_external is not None:
            return self._config.turn_external.urls
        if self._server is None:
            return ()
        return tuple(f"turn:{f'[{ip}]' if ':' in ip else ip}:{self.port}?transport=udp" for ip in self._ips)

    def access(self, session_id: int) -> RelayAccess | None:
        """For the client of a media session, until ``revoke``. None without a server."""
        external = self._config.turn_external
        if external is not None:
            return access.issue(self.urls, external.shared_secret.encode(), session_id, self._clock() + external.credential_ms)
        return None if self._server is None else self._server.grant(session_id, self.urls, self._clock())

    def revoke(self, session_id: int) -> None:
        """The media session is over."""
        if self._server is not None:
            self._server.revoke(session_id)

    def tick(self, now: int) -> None:
        if self._server is not None:
            self._server.tick(now)

    @property
    def allocations(self) -> int:
        return 0 if self._server is None else self._server.allocations

    @property
    def refused(self) -> dict[str, int]:
        """What the node's own server dropped or refused since the start, by reason (``media.turn.server.Refused``)."""
        return {} if self._server is None else {reason.value: count for reason, count in self._server.refused.items()}
