"""Hearth as it is measured: a media node and nothing else, driven over its standard input and output.

One JSON object a line in, one out: ``{"open": "publisher" | "player", "session": n, "stream": s, "offer": sdp}`` is answered with
``{"answer": sdp}``, anything else with ``{}``. The end of the input ends the process. ``--loudest K``: of all streams together only
the K loudest are forwarded.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

import structlog
import uvloop

from bench.sfu.light_client import HOST
from bench.sfu.lines import serve_lines
from media.config import MediaConfig
from media.plane import Loudest
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


async def _serve(loudest: int) -> None:
    config = MediaConfig(host=HOST, udp_port=0, stun_delay_ms=0, max_streams=100_000, max_players=100_000)
    sfu = Sfu(config, _Nobody(), clock=_epoch_ms, rng=random.SystemRandom())
    await sfu.start()
    competing = Loudest("all", loudest) if loudest else None

    async def opened(kind: str, session: int, stream: str, offer: str) -> str:
        if kind == "publisher":
            return await sfu.open_publisher(session, stream, offer, loudest=competing)
        return await sfu.open_player(session, stream, offer)

    await serve_lines(opened)
    await sfu.aclose()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--loudest", type=int, default=0)
    # What a node logs of each session is not what is measured here.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    uvloop.run(_serve(parser.parse_args().loudest))


if __name__ == "__main__":
    main()
