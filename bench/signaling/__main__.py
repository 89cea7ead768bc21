"""What the room sockets cost: logins, one message to many members, sessions that do nothing.

``python -m bench.signaling [--dialects json hub] [--members 1000] [--messages 20] [--idle 5000] [--logins 2000] [--seconds 30] [--short]``

One server process, by default with the embedded store; plain WebSocket clients, loopback only. CPU time is the whole server process's.

``fan-out``: one broadcast message to a room of N members, in turns with a bare FastAPI loop that sends the very same bytes to N sockets on
the same WebSocket back end; per delivered message, with the time from the sender's send call to each member's receive call.
``idle``: sessions in rooms of ten that send a heartbeat every 30 s, and as many sockets of the bare loop that do nothing.
``logins``: into rooms of ten who are told of each other, user list included, the sockets open already.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import socket
import tempfile
import time
from pathlib import Path

import uvloop

from bench.signaling.client import LightSocket, now
from bench.signaling.dialects import DIALECTS, Dialect
from bench.signaling.server import Server

ROOM_OF = 10
_AT_ONCE = 64
_HEARTBEAT_SECONDS = 30
BARE_PATH = "/ws"


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Crowd:
    """Sockets on one server. Pushes are counted; ``arrived`` holds when each came."""

    def __init__(self, server: Server, dialect: Dialect, path: str = "") -> None:
        """``path``: other than the dialect's."""
        self.server = server
        self.dialect = dialect
        self._path = path or dialect.path
        self.sockets: list[LightSocket] = []
        self.arrived: list[float] = []
        self.last = b""
        self._wanted = 0
        self._all = asyncio.Event()

    async def open(self, count: int) -> None:
        while len(self.sockets) < count:
            some = min(_AT_ONCE, count - len(self.sockets))
            self.sockets += await asyncio.gather(*(self._connect() for _ in range(some)))

    async def _connect(self) -> LightSocket:
        return await LightSocket.connect("127.0.0.1", self.server.port, self._on_frame, self._path, self.dialect.binary)

    def close(self) -> None:
        for one in self.sockets:
            one.abort()
        self.sockets = []

    async def login(self, first: int, count: int, *, room_size: int, told: bool) -> None:
        await asyncio.gather(*(self._login(self.sockets[n], n, room_size, told) for n in range(first, first + count)))

    async def login_all(self, *, room_size: int, told: bool) -> None:
        for first in range(0, len(self.sockets), _AT_ONCE):
            await self.login(first, min(_AT_ONCE, len(self.sockets) - first), room_size=room_size, told=told)

    async def _login(self, one: LightSocket, number: int, room_size: int, told: bool) -> None:
        await self.dialect.login(one, f"user{number}", f"room{number // room_size}", told=told)

    async def heartbeats(self, seconds: float) -> None:
        """Each socket once in 30 s, evenly."""
        begin = now()
        sent = 0
        while (elapsed := now() - begin) < seconds:
            due = int(elapsed / _HEARTBEAT_SECONDS * len(self.sockets))
            for n in range(sent, due):
                self.dialect.heartbeat(self.sockets[n % len(self.sockets)])
            sent = due
            await asyncio.sleep(0.02)

    def expect(self, count: int) -> asyncio.Event:
        self._wanted = len(self.arrived) + count
        self._all.clear()
        return self._all

    def _on_frame(self, one: LightSocket, payload: bytes) -> None:
        if self.dialect.arrived(one, payload):
            self.arrived.append(now())
            self.last = payload
            if len(self.arrived) == self._wanted:
                self._all.set()


async def fan_out(dialect: Dialect, hearth: Server, bare: Server, members: int, messages: int, rounds: int) -> None:
    ours, theirs = Crowd(hearth, dialect), Crowd(bare, dialect, BARE_PATH)
    await ours.open(members + 1)
    await ours.login_all(room_size=members + 1, told=False)
    await theirs.open(members + 1)
    cpu = {"hearth": 0.0, "bare": 0.0}
    latencies: dict[str, list[float]] = {"hearth": [], "bare": []}

    async def one(name: str, crowd: Crowd, text: bytes | None) -> None:
        before = crowd.server.cpu_seconds()
        for n in range(messages):
            begin, first = now(), len(crowd.arrived)
            done = crowd.expect(members)
            if text is None:
                dialect.broadcast(crowd.sockets[0], f"message {n}")
            else:
                crowd.sockets[0].send(text)
            await asyncio.wait_for(done.wait(), 60)
            latencies[name] += [at - begin for at in crowd.arrived[first:]]
        cpu[name] += crowd.server.cpu_seconds() - before

    await one("hearth", ours, None)
    await one("bare", theirs, ours.last)
    cpu.update(hearth=0.0, bare=0.0)
    latencies.update(hearth=[], bare=[])
    for _ in range(rounds):
        await one("hearth", ours, None)
        await one("bare", theirs, ours.last)
    total = members * messages * rounds
    each = {name: seconds / total * 1e6 for name, seconds in cpu.items()}
    for name in ("hearth", "bare"):
        ms = [value * 1e3 for value in latencies[name]]
        print(
            f"fan-out {members:5} {dialect.name:4} {name:7} {each[name]:6.1f} CPU-µs per message  p50 {percentile(ms, 0.5):6.1f} ms"
            f"  p99 {percentile(ms, 0.99):6.1f} ms  ({len(ours.last)} bytes)"
        )
    print(f"fan-out {members:5} {dialect.name:4} ratio   {each['hearth'] / each['bare']:6.2f}")
    ours.close()
    theirs.close()


async def logins(dialect: Dialect, hearth: Server, count: int) -> None:
    crowd = Crowd(hearth, dialect)
    await crowd.open(count)
    before, begin = hearth.cpu_seconds(), now()
    await crowd.login_all(room_size=ROOM_OF, told=True)
    cpu, wall = hearth.cpu_seconds() - before, now() - begin
    each = cpu / count * 1e6
    figures = f"({each:.0f} CPU-µs each; {count / wall:.0f} per second)"
    print(f"logins  {count:5} {dialect.name:4} hearth  {count / cpu:6.0f} per core second  {figures}")
    crowd.close()


async def idle(dialect: Dialect, hearth: Server, bare: Server, count: int, seconds: float) -> None:
    for name, server in (("hearth", hearth), ("bare", bare)):
        crowd = Crowd(server, dialect, BARE_PATH if name == "bare" else "")
        empty = server.resident_kib()
        await crowd.open(count)
        if name == "hearth":
            await crowd.login_all(room_size=ROOM_OF, told=True)
        await asyncio.sleep(1)
        kib = (server.resident_kib() - empty) / count
        before = server.cpu_seconds()
        if name == "hearth":
            await crowd.heartbeats(seconds)
        else:
            await asyncio.sleep(seconds)
        load = (server.cpu_seconds() - before) / seconds
        print(f"idle    {count:5} {dialect.name:4} {name:7} {kib:6.1f} KiB each  {load * 100:5.1f} % of a core")
        crowd.close()
        await asyncio.sleep(0.5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def run(options: argparse.Namespace) -> None:
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d %H:%M')}")
    with tempfile.TemporaryDirectory() as directory:
        for name in options.dialects:
            await _measure(DIALECTS[name](), Path(directory), options)


async def _measure(dialect: Dialect, directory: Path, options: argparse.Namespace) -> None:
    """Each figure on a server of its own."""
    async with Server.hearth(directory, free_port(), options.store) as hearth, Server.bare(free_port(), options.backend) as bare:
        await fan_out(dialect, hearth, bare, options.members, options.messages, options.rounds)
    async with Server.hearth(directory, free_port(), options.store) as hearth:
        await logins(dialect, hearth, options.logins)
    async with Server.hearth(directory, free_port(), options.store) as hearth, Server.bare(free_port(), options.backend) as bare:
        await idle(dialect, hearth, bare, options.idle, options.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.signaling", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dialects", nargs="+", choices=DIALECTS, default=list(DIALECTS), help="what clients speak")
    parser.add_argument("--members", type=int, default=1000, help="receivers of one message")
    parser.add_argument("--messages", type=int, default=20, help="messages per round")
    parser.add_argument("--rounds", type=int, default=3, help="turns of Hearth and the bare loop")
    parser.add_argument("--logins", type=int, default=2000)
    parser.add_argument("--idle", type=int, default=5000, help="sessions that do nothing")
    parser.add_argument("--seconds", type=float, default=30, help="how long they do it")
    parser.add_argument("--backend", default="websockets-sansio", help="uvicorn's WebSocket back end of the bare loop")
    parser.add_argument("--store", default="memory://", help="store of the measured server, e.g. redis://127.0.0.1:6379/9 (not emptied)")
    parser.add_argument("--short", action="store_true", help="a few seconds instead of minutes")
    options = parser.parse_args()
    if options.short:
        options.members, options.messages, options.rounds, options.logins, options.idle, options.seconds = 200, 10, 2, 400, 500, 3.0
    options.members = min(options.members, 5_000)
    options.idle = min(options.idle, 8_000)
    options.logins = min(options.logins, 8_000)
    uvloop.run(run(options))


if __name__ == "__main__":
    main()
