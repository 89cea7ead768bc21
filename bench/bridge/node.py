"""The measured process: SFU, RTMP server and bridge without rooms, driven as ``bench.sfu.node`` is.

``rtmp://…/live/<stream>`` may be published and played by anybody. ``{"figures": true}`` is answered with the RTMP port and the figures of
the bridges.
"""

from __future__ import annotations

import random
import time
from dataclasses import asdict

import structlog
import uvloop

from bench.sfu.light_client import HOST
from bench.sfu.lines import serve_lines
from media.bridge.bridges import Bridges
from media.bridge.config import BridgeConfig
from media.config import MediaConfig
from media.rtmp.access import LiveConnection, LiveSession
from media.rtmp.config import RtmpConfig
from media.rtmp.live import LiveHub
from media.rtmp.server import RtmpServer
from media.sfu import Sfu


class _Nobody:
    """The load generator knows itself what goes on."""

    def media_connected(self, session_id: int) -> None:
        pass

    def media_lost(self, session_id: int, reason: str) -> None:
        pass

    def media_arrived(self) -> None:
        pass

    def ended(self, *, lost: bool) -> None:
        pass


class _Anybody:
    """``LiveAccess`` without credentials."""

    def serves(self, path: str) -> bool:
        return True

    async def publish(self, address: str, client: str, connection: LiveConnection) -> LiveSession:
        connection.open(address.rpartition("/")[2])
        return _Nobody()

    play = publish


def _epoch_ms() -> int:
    return time.time_ns() // 1_000_000


async def _serve() -> None:
    sfu = Sfu(MediaConfig(host=HOST, udp_port=0, stun_delay_ms=0), _Nobody(), clock=_epoch_ms, rng=random.SystemRandom())
    await sfu.start()
    hub = LiveHub(_epoch_ms)
    bridges = Bridges(sfu, hub, BridgeConfig(), clock=_epoch_ms)
    rtmp = RtmpServer(RtmpConfig(host=HOST, port=0), hub, _Anybody(), clock=_epoch_ms, rng=random.SystemRandom())
    await rtmp.start()

    async def opened(kind: str, session: int, stream: str, offer: str) -> str:
        return await (sfu.open_publisher if kind == "publisher" else sfu.open_player)(session, stream, offer)

    def figures() -> dict[str, object]:
        running = [asdict(figures) for stream in list(hub.streams()) for figures in bridges.statistics(stream.name)]
        return {"port": rtmp.port, "bridges": running}

    await serve_lines(opened, figures)
    await bridges.aclose()
    await rtmp.aclose()
    await sfu.aclose()


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    uvloop.run(_serve())


if __name__ == "__main__":
    main()
