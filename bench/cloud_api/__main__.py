"""Requests per second and delay of DescribeUserList for a room of many users, on the embedded store and on Redis.

``python -m bench.cloud_api --users 1000 --seconds 5``

A server in a process of its own (``node.py``) has a room of ``--users`` members. As many clients as ``--clients`` says ask for its first
page (``Limit`` 200, the largest), each over one kept connection, each request signed with a nonce of its own, as fast as they are
answered. Delay is measured at the client, from the request's last byte to the answer's. Redis is started for the run; without
``redis-server`` that part is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.cloud_api.node import APP_ID, ROOM, SECRET
from tests.e2e.redis_process import RedisProcess

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Result:
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    """Of the server process for each request."""
    answer_bytes: int


class Caller:
    """One client on one connection."""

    _numbers = itertools.count()
    _run = secrets.token_hex(6)

    def __init__(self, port: int) -> None:
        self._port = port
        self.delays: list[float] = []
        self.answer_bytes = 0

    def _request(self) -> bytes:
        nonce, now = f"{self._run}{next(self._numbers):08x}", int(time.time())
        signature = hashlib.md5(f"{APP_ID}{nonce}{SECRET}{now}".encode()).hexdigest()
        query = (
            f"Action=DescribeUserList&AppId={APP_ID}&SignatureNonce={nonce}&Timestamp={now}&Signature={signature}&SignatureVersion=2.0"
            f"&RoomId={ROOM}&Limit=200"
        )
        return f"GET /?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()

    async def run(self, until: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while time.perf_counter() < until:
            request = self._request()
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            self.delays.append(time.perf_counter() - began)
            assert body.startswith(b'{"Code":0,'), body[:200]
            self.answer_bytes = length
        writer.close()


async def measure(store_url: str, users: int, clients: int, seconds: float) -> Result:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.cloud_api.node", store_url, str(users),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=_ROOT,
    )  # fmt: skip
    assert process.stdout is not None and process.stdin is not None
    port = int(await process.stdout.readline())
    callers = [Caller(port) for _ in range(clients)]
    began = time.perf_counter()
    await asyncio.gather(*(caller.run(began + seconds) for caller in callers))
    took = time.perf_counter() - began
    process.stdin.close()
    cpu = float(await process.stdout.readline())
    await process.wait()
    delays = sorted(delay for caller in callers for delay in caller.delays)
    return Result(
        len(delays), took, delays[len(delays) // 2] * 1000, delays[int(len(delays) * 0.99)] * 1000, cpu / len(delays) * 1000,
        callers[0].answer_bytes,
    )  # fmt: skip


@contextmanager
def _stores() -> Iterator[list[tuple[str, str]]]:
    if shutil.which("redis-server") is None:
        print("redis-server is not installed: only the embedded store is measured", file=sys.stderr)
        yield [("embedded", "memory://")]
        return
    with tempfile.TemporaryDirectory() as directory:
        redis = RedisProcess.start(Path(directory))
        try:
            yield [("embedded", "memory://"), ("Redis", f"{redis.url}/0")]
        finally:
            redis.stop()


async def _run(users: int, clients: list[int], seconds: float) -> None:
    print(f"DescribeUserList of {users} users\n")
    print("| store | clients | requests/s | p50 ms | p99 ms | server CPU ms/request |\n|---|---|---|---|---|---|")
    with _stores() as stores:
        for place, (name, url) in enumerate(stores):
            for count in clients:
                # A database of its own: members of the run before wait there for their clients.
                store_url = f"{url[:-1]}{clients.index(count)}" if place else url
                result = await measure(store_url, users, count, seconds)
                print(
                    f"| {name} | {count} | {result.requests / result.seconds:.0f} | {result.p50_ms:.1f} | {result.p99_ms:.1f} "
                    f"| {result.cpu_ms:.2f} |",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--seconds", type=float, default=5)
    arguments = parser.parse_args()
    uvloop.run(_run(arguments.users, arguments.clients, arguments.seconds))


if __name__ == "__main__":
    main()
