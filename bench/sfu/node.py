"""The measured process: a media node and nothing else, driven over its standard input and output.

One JSON object a line in, one out: ``{"open": "publisher" | "player", "session": n, "stream": s, "offer": sdp}`` is answered with
``{"answer": sdp}``, ``{"figures": true}`` with CPU time and totals. The end of the input ends the process.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

import structlog
import uvloop

from media.config import MediaConfig
from media.sfu import Lost, Sfu


class _Nobody:
    """The load generator knows itself what is connected; only what it did not do is worth a line."""

    def media_connected(self, session_id: int) -> None:
        pass

    def media_lost(self, session_id: int, reason: str) -> None:
        if reason != Lost.DTLS_CLOSED:
            print(f"session {session_id} lost: {reason}", file=sys.stderr)


def _epoch_ms() -> int:
    return time.time_ns() // 1_000_000


async def _serve() -> None:
    config = MediaConfig(host="127.0.0.1", udp_port=0, stun_delay_ms=0, max_streams=100_000, max_players=100_000)
    sfu = Sfu(config, _Nobody(), clock=_epoch_ms, rng=random.SystemRandom())
    await sfu.start()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        request = json.loads(line)
        if "open" in request:
            opening = sfu.open_publisher if request["open"] == "publisher" else sfu.open_player
            reply: dict[str, object] = {"answer": await opening(request["session"], request["stream"], request["offer"])}
        else:
            totals = sfu.totals()
            plane = totals.plane
            reply = {
                "cpu": time.process_time(),
                "connected": totals.connected,
                "packets_in": plane.packets_in,
                "packets_out": plane.packets_out,
                "dropped": dict(plane.dropped),
            }
        print(json.dumps(reply), flush=True)
    await sfu.aclose()


def main() -> None:
    # What a node logs of each session is not what is measured here.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    uvloop.run(_serve())


if __name__ == "__main__":
    main()
