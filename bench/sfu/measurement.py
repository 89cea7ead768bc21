"""One scenario against one target: connects everybody, lets sound flow, and measures the server process while it does."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import av
from aiortc import RTCCertificate

from bench.sfu.light_client import LightClient
from bench.sfu.target import Target, cpu_seconds, resident_kib

PACKETS_PER_SECOND = 50
PAYLOAD = 100
"""Bytes of Opus: 40 kbit/s at 20 ms."""
_AT_ONCE = 16
"""Handshakes at one time while connecting."""
_SAMPLES = 2_000
"""Delays measured in a scenario: decrypting everything would load the generator more than the node."""
_QUIET, _LOUD = 90, 30
"""Level bytes of a room's noise and of a voice."""
_SPEECH = 3.0
"""Seconds that a speaker of a crowd has the floor."""


@dataclass(frozen=True)
class Scenario:
    name: str
    routes: dict[str, int]
    """For each stream its number of players."""
    speakers: int = 0
    """How many talk at one time, taking turns, with levels on their packets; 0 = packets without levels."""
    heard: float = 1
    """Share of the streams that is to be forwarded."""


@dataclass(frozen=True)
class Result:
    forwarded: int
    """Packets that players received in the measured time."""
    expected: int
    """What they would have received if nothing had been lost."""
    cpu_us: float
    """CPU microseconds of the whole server process for each of them."""
    load: float
    """Cores that the server process was busy."""
    kib: float
    """Resident memory that it took for each session."""
    p50_ms: float
    p99_ms: float
    broken: int
    """Sampled packets that did not decrypt."""


async def measure(target: Target, scenario: Scenario, *, seconds: float, settle: float) -> Result:
    empty = resident_kib(target.pid)
    async with _joined(target, scenario) as (publishers, players):
        for player in players:
            player.sample_every = 0 if target.decodes else max(1, int(len(players) * PACKETS_PER_SECOND * seconds / _SAMPLES))
        feeding = asyncio.create_task(_feed(publishers, scenario.speakers, opus_packet() if target.decodes else None))
        try:
            await asyncio.sleep(settle)
            for player in players:
                player.delays.clear()
            before, cpu, started = _received(players), cpu_seconds(target.pid), time.monotonic()
            await asyncio.sleep(seconds)
            forwarded, cpu, passed = _received(players) - before, cpu_seconds(target.pid) - cpu, time.monotonic() - started
            kib = (resident_kib(target.pid) - empty) / (len(publishers) + len(players))
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
    delays = sorted(delay for player in players for delay in player.delays) or [math.nan]
    return Result(
        forwarded=forwarded,
        expected=int(len(players) * scenario.heard * PACKETS_PER_SECOND * passed),
        cpu_us=cpu * 1e6 / max(forwarded, 1),
        load=cpu / passed,
        kib=kib,
        p50_ms=delays[len(delays) // 2] / 1_000,
        p99_ms=delays[len(delays) * 99 // 100] / 1_000,
        broken=sum(player.broken for player in players),
    )


async def join_times(target: Target, count: int) -> list[float]:
    """Milliseconds from a player's offer to its first packet of a running stream, for ``count`` players one after the other."""
    certificate = RTCCertificate.generateCertificate()
    clients = [LightClient(certificate, publishing=number == 0) for number in range(count + 1)]
    times: list[float] = []
    try:
        await target.join(clients[0], "publisher", "s")
        feeding = asyncio.create_task(_feed(clients[:1], 0, None))
        for client in clients[1:]:
            started = time.monotonic()
            await target.join(client, "player", "s")
            await asyncio.wait_for(client.heard.wait(), 10)
            times.append((time.monotonic() - started) * 1_000)
        feeding.cancel()
    finally:
        await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)
    return sorted(times)


def opus_packet() -> bytes:
    """20 ms of a tone, for servers that decode."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 48_000, "mono", "s16", 40_000
    frame = av.AudioFrame(format="s16", layout="mono", samples=960)
    samples = (round(9_000 * math.sin(2 * math.pi * 500 * index / 48_000)) for index in range(960))
    frame.planes[0].update(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))
    frame.sample_rate, frame.pts = 48_000, 0
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    return bytes(packets[0])


@contextlib.asynccontextmanager
async def _joined(target: Target, scenario: Scenario) -> AsyncIterator[tuple[list[LightClient], list[LightClient]]]:
    """Everybody, connected: the publishers first, whom some servers' players have to name."""
    certificate = RTCCertificate.generateCertificate()
    publishers, players = list[LightClient](), list[LightClient]()
    gate = asyncio.Semaphore(_AT_ONCE)

    async def join(stream: str, kind: str, into: list[LightClient]) -> None:
        async with gate:
            client = LightClient(certificate, publishing=kind == "publisher")
            into.append(client)
            await target.join(client, kind, stream)

    try:
        async with asyncio.TaskGroup() as joining:
            for stream in scenario.routes:
                joining.create_task(join(stream, "publisher", publishers))
        async with asyncio.TaskGroup() as joining:
            for stream, listeners in scenario.routes.items():
                for _ in range(listeners):
                    joining.create_task(join(stream, "player", players))
        yield publishers, players
    finally:
        await asyncio.gather(*(client.close() for client in (*publishers, *players)), return_exceptions=True)


async def _feed(publishers: list[LightClient], speakers: int, opus: bytes | None) -> None:
    """Every publisher sends every 20 ms, spread evenly over the interval as independent people are."""
    interval = 1 / PACKETS_PER_SECOND
    payload = bytes(PAYLOAD) if opus is None else opus
    started = time.monotonic()
    turn = 0
    while True:
        due = started + turn * interval / len(publishers)
        ahead = due - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)
        number = turn % len(publishers)
        level: int | None = None
        if speakers:
            first = int((due - started) / _SPEECH) * speakers
            level = _LOUD if (number - first) % len(publishers) < speakers else _QUIET
        publishers[number].send(turn // len(publishers), payload, stamped=opus is None, level=level)
        turn += 1


def _received(players: list[LightClient]) -> int:
    return sum(player.packets for player in players)
