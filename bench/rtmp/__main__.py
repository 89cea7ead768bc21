"""CPU-µs for each message that a player gets, and the delay added: ``python -m bench.rtmp --players 100 300 --rounds 3``.

One publisher sends sound of 48 kbit/s (AAC of 1024 samples at 48 kHz: 46.9 messages of 128 bytes a second) to a server process, which
passes it on to that many players; a few of them measure how long each message was under way. Hearth and nginx with its rtmp module
(Debian: ``libnginx-mod-rtmp``; one worker) take turns. The server's CPU time is all that its process used, the receiving included.
"""

from __future__ import annotations

import argparse
import contextlib
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.rtmp.client import RtmpClient, marked_frame
from bench.sfu.target import cpu_seconds

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


@contextlib.contextmanager
def _hearth() -> Iterator[tuple[int, int]]:
    """Port and process id."""
    command = [sys.executable, "-m", "bench.rtmp.node"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT) as process:
        assert process.stdin is not None and process.stdout is not None
        yield int(process.stdout.readline()), process.pid
        process.stdin.close()


@contextlib.contextmanager
def _nginx() -> Iterator[tuple[int, int]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    module = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory) / "nginx.conf"
        config.write_text(_NGINX.format(directory=directory, port=port, load=f"load_module {module};"))
        with subprocess.Popen(["nginx", "-p", directory, "-c", str(config)]) as process:
            try:
                yield port, _worker(process.pid)
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


def _measure(server: str, players: int, seconds: float) -> Result:
    with (_hearth if server == "hearth" else _nginx)() as (port, pid):
        publisher = RtmpClient(port, "s", publish=True)
        publisher.send(marked_frame(_SIZE, 0))
        clients = [RtmpClient(port, "s", publish=False) for _ in range(players)]
        for client in clients[:_TIMED]:
            client.timed = True
        with selectors.DefaultSelector() as selector:
            for client in clients:
                selector.register(client.socket, selectors.EVENT_READ, client)
            _stream(publisher, selector, 1.0, 1)
            for client in clients:
                client.messages = 0
                client.delays.clear()
            before = cpu_seconds(pid)
            sent = _stream(publisher, selector, seconds, 2)
            spent = cpu_seconds(pid) - before
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
    arguments = parser.parse_args()
    servers = ["hearth", "nginx"] if shutil.which("nginx") else ["hearth"]
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
