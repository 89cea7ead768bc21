"""Hearth as it is measured: its RTMP server alone, everybody may. Prints its port, and ends with its standard input."""

from __future__ import annotations

import asyncio
import random
import sys
import time

import structlog
import uvloop

from media.rtmp.access import LiveConnection
from media.rtmp.config import RtmpConfig
from media.rtmp.live import LiveHub
from media.rtmp.server import RtmpServer


class _Session:
    def media_arrived(self) -> None: ...

    def ended(self, *, lost: bool) -> None: ...


class _Everybody:
    def serves(self, path: str) -> bool:
        return True

    async def publish(self, address: str, client: str, connection: LiveConnection) -> _Session:
        return await self.play(address, client, connection)

    async def play(self, address: str, client: str, connection: LiveConnection) -> _Session:
        connection.open(address)
        return _Session()


def _steady() -> int:
    return time.monotonic_ns() // 1_000_000


async def _serve() -> None:
    config = RtmpConfig(port=0, max_connections=100_000, max_connections_per_address=100_000)
    server = RtmpServer(config, LiveHub(_steady, max_players=100_000), _Everybody(), clock=_steady, rng=random.SystemRandom())
    await server.start()
    print(server.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.aclose()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    uvloop.run(_serve())
