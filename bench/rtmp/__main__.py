"""CPU-µs for each message that a player gets, and the delay added: ``python -m bench.rtmp --players 100 300 --rounds 3``.

One publisher sends sound of 48 kbit/s (AAC of 1024 samples at 48 kHz: 46.9 messages of 128 bytes a second) to a server process, which
passes it on to that many players; a few of them measure how long each message was under way. Hearth and nginx with its rtmp module
(Debian: ``libnginx-mod-rtmp``; one worker) take turns. The server's CPU time is all that its process used, the receiving included.

``--flv``: the players get FLV over HTTP, of a whole ``hearth serve``. nginx's module has nothing of the kind.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from auth.claims import AppKeys
from auth.rtmp_credential import RtmpGrant, RtmpRight, sign_rtmp
from bench.rtmp.client import Client, FlvClient, RtmpClient, marked_frame
from bench.sfu.target import cpu_seconds
from bench.signaling.server import APP_ID, SECRET, Server

_ROOT = Path(__file__).parents[2]
_STEP = 1024 / 48_000
_SIZE = 128
_TIMED = 5
_NGINX = """
daemon off; worker_processes 1; pid {directory}/pid; error_log stderr crit; {load}
events {{ worker_connections 20000; }}
rtmp {{ server {{ listen 127.0.0.1:{port}; access_log off; application bench {{ live on; }} }} }}
"""


@dataclass(frozen=True)
class Result:
    server: str
    players: int
    cpu_us: float
    delays_ms: list[float]
    lost: float
    """Share of the messages that did not come."""


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    publish: Callable[[], RtmpClient]
    play: Callable[[], Client]
    cpu: Callable[[], float]
    """Seconds of CPU time that its process has used."""

    @classmethod
    def rtmp(cls, port: int, pid: int) -> Served:
        publish = partial(RtmpClient, port, "s", publish=True)
        return cls(publish, partial(RtmpClient, port, "s", publish=False), partial(cpu_seconds, pid))


@contextlib.contextmanager
def _hearth() -> Iterator[Served]:
    command = [sys.executable, "-m", "bench.rtmp.node"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT) as process:
        assert process.stdin is not None and process.stdout is not None
        yield Served.rtmp(int(process.stdout.readline()), process.pid)
        process.stdin.close()


def _path(stream: str, right: RtmpRight) -> str:
    """What RTMPDispatchV2 would answer, behind the App."""
    name = f"{stream}.flv" if right == "pull" else stream
    return f"{name}?{sign_rtmp(AppKeys(APP_ID, (SECRET,)), stream, RtmpGrant(right, int(time.time()) + 3600))}"


@contextlib.contextmanager
def _hearth_flv() -> Iterator[Served]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as directory, asyncio.Runner() as runner:
        server = Server.hearth(Path(directory), port, "memory://")
        runner.run(server.__aenter__())
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
                rtmp = json.load(answer)["ports"]["rtmp"]
            publish = partial(RtmpClient, rtmp, _path("s", "push"), publish=True, app=str(APP_ID))
            yield Served(publish, partial(FlvClient, port, f"/live/{APP_ID}/{_path('s', 'pull')}"), server.cpu_seconds)
        finally:
            runner.run(server.__aexit__(None, None, None))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _nginx() -> Iterator[Served]:
    port = _free_port()
    module = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "nginx.conf"
        config.write_text(_NGINX.format(directory=directory, port=port, load=f"load_module {module};"))
        with subprocess.Popen(["nginx", "-p", directory, "-c", str(config)]) as process:
            try:
                yield Served.rtmp(port, _worker(process.pid))
            finally:
                process.terminate()


def _worker(master: int) -> int:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.05)
    raise RuntimeError("nginx did not start")


_SERVERS = {"hearth": _hearth, "hearth, FLV": _hearth_flv, "nginx": _nginx}


def _measure(server: str, players: int, seconds: float) -> Result:
    with _SERVERS[server]() as served:
        publisher = served.publish()
        publisher.send(marked_frame(_SIZE, 0))
        clients = [served.play() for _ in range(players)]
        for client in clients[:_TIMED]:
            client.timed = True
        with selectors.DefaultSelector() as selector:
            for client in clients:
                selector.register(client.socket, selectors.EVENT_READ, client)
            _stream(publisher, selector, 1.0, 1)
            for client in clients:
                client.messages = 0
                client.delays.clear()
            before = served.cpu()
            sent = _stream(publisher, selector, seconds, 2)
            spent = served.cpu() - before
        received = sum(client.messages for client in clients)
        delays = [delay / 1e6 for client in clients for delay in client.delays]
        for client in (publisher, *clients):
            client.socket.close()
    return Result(server, players, spent / max(1, received) * 1e6, delays, 1 - received / (sent * players))


def _stream(publisher: RtmpClient, selector: selectors.BaseSelector, seconds: float, part: int) -> int:
    """Sends in real time and receives; the number of messages sent."""
    begin = time.monotonic()
    sent = 0
    while True:
        now = time.monotonic()
        if now - begin >= sent * _STEP:
            if now - begin >= seconds:
                break
            publisher.send(marked_frame(_SIZE, part * 1_000_000 + int(sent * _STEP * 1000)))
            sent += 1
        for key, _ in selector.select(max(0.0, begin + sent * _STEP - time.monotonic())):
            key.data.take()
    end = time.monotonic() + 0.2
    while time.monotonic() < end:
        for key, _ in selector.select(0.05):
            key.data.take()
    return sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--players", type=int, nargs="+", default=[100])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flv", action="store_true")
    arguments = parser.parse_args()
    servers = ["hearth, FLV"] if arguments.flv else ["hearth", "nginx"] if shutil.which("nginx") else ["hearth"]
    print("| players | server | CPU-µs per message (median, rounds) | delay p50 / p99 ms | lost |\n|---|---|---|---|---|")
    for players in arguments.players:
        results = [_measure(server, players, arguments.seconds) for _ in range(arguments.rounds) for server in servers]
        for server in servers:
            own = [result for result in results if result.server == server]
            costs = [result.cpu_us for result in own]
            delays = sorted(delay for result in own for delay in result.delays_ms)
            rounds = ", ".join(f"{cost:.1f}" for cost in costs)
            p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
            lost = max(result.lost for result in own)
            print(f"| {players} | {server} | {statistics.median(costs):.1f} ({rounds}) | {p50:.2f} / {p99:.2f} | {lost:.1%} |", flush=True)


if __name__ == "__main__":
    main()
