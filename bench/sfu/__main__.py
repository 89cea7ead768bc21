"""How much CPU a media node spends per forwarded packet, and how much delay it adds.

``python -m bench.sfu --fan 20 100 --mesh 20 --seconds 10``

Each scenario starts a media node in a process of its own and connects real ICE + DTLS + SRTP sessions to it over loopback: ``fan N``
is one publisher and N players, ``mesh N`` is N people who all publish and all play each other. Reported are the CPU time of the whole
node process divided by the packets that players received (so ingress, reports, ICE checks and idle are in it), and the time from
the publisher's send call to the player's receive call, which includes the load generator's own wake-up. ``join`` is the time from a
player's offer to its first packet, with 0…20 ms of waiting for that packet in it. ``floor`` is the CPU time of a bare ``sendto`` of
the same size in a Python loop, measured in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop
from aiortc import RTCCertificate

from bench.sfu.light_client import LightClient

PACKETS_PER_SECOND = 50
PAYLOAD = 100
"""Bytes of Opus: 40 kbit/s at 20 ms."""
_ROOT = Path(__file__).resolve().parents[2]
_AT_ONCE = 16
"""Handshakes at one time while connecting."""


@dataclass(frozen=True)
class Result:
    name: str
    forwarded: int
    expected: int
    cpu_us: float
    node_load: float
    p50_ms: float
    p99_ms: float
    broken: int


class Node:
    """The measured process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._sessions = 0

    @classmethod
    async def start(cls) -> Node:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.sfu.node", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=_ROOT
        )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, request: dict[str, object]) -> dict[str, float]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the node ended")
        reply: dict[str, float] = json.loads(line)
        return reply

    async def open(self, client: LightClient, kind: str, stream: str) -> str:
        self._sessions += 1
        reply = await self.ask({"open": kind, "session": self._sessions, "stream": stream, "offer": client.offer})
        return str(reply["answer"])

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


async def measure(name: str, routes: dict[str, int], seconds: float, settle: float) -> Result:
    """``routes``: for each stream its number of players."""
    node = await Node.start()
    certificate = RTCCertificate.generateCertificate()
    publishers: list[LightClient] = []
    players: list[LightClient] = []
    try:
        asking = asyncio.Lock()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def join(stream: str, kind: str, into: list[LightClient]) -> None:
            client = LightClient(certificate, publishing=kind == "publisher")
            into.append(client)
            async with gate:
                async with asking:
                    answer = await node.open(client, kind, stream)
                await client.connect(answer)

        async with asyncio.TaskGroup() as joining:
            for stream, listeners in routes.items():
                joining.create_task(join(stream, "publisher", publishers))
                for _ in range(listeners):
                    joining.create_task(join(stream, "player", players))
        for player in players:
            # About two thousand samples a scenario: decrypting everything would load the generator more than the node.
            player.sample_every = max(1, int(len(players) * PACKETS_PER_SECOND * seconds / 2_000))
        feeding = asyncio.create_task(_feed(publishers))
        await asyncio.sleep(settle)
        before, received = await node.ask({"figures": True}), sum(player.packets for player in players)
        started = time.monotonic()
        for player in players:
            player.delays.clear()
        await asyncio.sleep(seconds)
        after, received = await node.ask({"figures": True}), sum(player.packets for player in players) - received
        passed = time.monotonic() - started
        feeding.cancel()
    finally:
        await asyncio.gather(*(client.close() for client in (*publishers, *players)), return_exceptions=True)
        await node.stop()
    delays = sorted(delay for player in players for delay in player.delays) or [0.0]
    cpu = after["cpu"] - before["cpu"]
    return Result(
        name=name,
        forwarded=received,
        expected=int(after["packets_out"] - before["packets_out"]),
        cpu_us=cpu * 1e6 / max(received, 1),
        node_load=cpu / passed,
        p50_ms=delays[len(delays) // 2] / 1_000,
        p99_ms=delays[len(delays) * 99 // 100] / 1_000,
        broken=sum(player.broken for player in players),
    )


async def join_times(count: int) -> list[float]:
    """Milliseconds from a player's offer to its first packet of a running stream, for ``count`` players one after the other."""
    node = await Node.start()
    certificate = RTCCertificate.generateCertificate()
    clients = [LightClient(certificate, publishing=number == 0) for number in range(count + 1)]
    times: list[float] = []
    try:
        await clients[0].connect(await node.open(clients[0], "publisher", "s"))
        feeding = asyncio.create_task(_feed(clients[:1]))
        for client in clients[1:]:
            started = time.monotonic()
            await client.connect(await node.open(client, "player", "s"))
            await asyncio.wait_for(client.heard.wait(), 10)
            times.append((time.monotonic() - started) * 1_000)
        feeding.cancel()
    finally:
        await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)
        await node.stop()
    return sorted(times)


async def _feed(publishers: list[LightClient]) -> None:
    """Every publisher sends every 20 ms, spread evenly over the interval as independent people are."""
    interval = 1 / PACKETS_PER_SECOND
    started = time.monotonic()
    turn = 0
    while True:
        due = started + turn * interval / len(publishers)
        ahead = due - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)
        publishers[turn % len(publishers)].send(turn // len(publishers), PAYLOAD)
        turn += 1


def floor(packets: int = 20_000) -> float:
    """CPU microseconds of a bare ``sendto`` to a hundred sockets."""
    receivers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(100)]
    try:
        for receiver in receivers:
            receiver.bind(("127.0.0.1", 0))
        addresses = [receiver.getsockname() for receiver in receivers]
        data = bytes(12 + PAYLOAD + 16)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            started = time.process_time()
            for _ in range(packets // len(addresses)):
                for address in addresses:
                    sender.sendto(data, address)
            return (time.process_time() - started) * 1e6 / packets
    finally:
        for receiver in receivers:
            receiver.close()


async def _run(options: argparse.Namespace) -> None:
    print(f"floor: bare sendto {floor():.1f} µs")
    if options.join:
        times = await join_times(options.join)
        print(f"join to first packet: median {times[len(times) // 2]:.0f} ms, slowest of {len(times)} {times[-1]:.0f} ms", flush=True)
    print(f"{'scenario':<10} {'CPU µs/packet':>14} {'node load':>10} {'delay p50':>10} {'p99 ms':>8} {'received':>9} {'sent':>9}")
    scenarios = [(f"fan {count}", {"s": count}) for count in options.fan]
    scenarios += [(f"mesh {count}", {f"s{person}": count - 1 for person in range(count)}) for count in options.mesh]
    for name, routes in scenarios:
        result = await measure(name, routes, options.seconds, options.settle)
        print(
            f"{result.name:<10} {result.cpu_us:>14.1f} {result.node_load:>9.0%} {result.p50_ms:>10.2f} {result.p99_ms:>8.2f}"
            f" {result.forwarded:>9} {result.expected:>9}" + (f"  {result.broken} BROKEN" if result.broken else ""),
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sfu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fan", type=int, nargs="*", default=[20, 100], help="players of one publisher")
    parser.add_argument("--mesh", type=int, nargs="*", default=[20], help="people who all publish and all play each other")
    parser.add_argument("--join", type=int, default=20, help="players that join a running stream one after the other; 0 = skip")
    parser.add_argument("--seconds", type=float, default=10, help="measured time of each scenario")
    parser.add_argument("--settle", type=float, default=1, help="time before it")
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
