"""Delay that the bridge adds in each direction, its CPU time, and how it keeps its delay when clocks drift apart.

``python -m bench.bridge --streams 5 --seconds 30``

``python -m bench.bridge --minutes 30 --ppm -300``

A node in a process of its own with SFU, RTMP server and bridge; real RTMP connections and real WebRTC sessions over loopback. Each stream
has a mark in each second of its sound. The delay of a mark is the time from when a listener of what was *sent* would have heard it to
when the listener of what was *received* hears it, if each plays every frame when it comes: so the framing, decoding, buffering, encoding
and pacing of the node are in it, and the codecs of the clients are not. CPU is that of the whole node process, for each stream with its
publisher and its one listener; ``codecs`` is what the codec threads report of it.

``--minutes`` runs both directions with publishers whose clock is off by ``--ppm``, and reports the buffered delay against the wanted one
over all that time, and the delay of the marks minute by minute.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvloop
from aiortc import RTCCertificate

from bench.bridge import marks
from bench.bridge.clients import RtmpConnection, WebRtcEar
from bench.sfu.light_client import LightClient
from bench.sfu.target import DrivenProcess, cpu_seconds
from media.flv import aac_config_tag, aac_frame_tag

AAC_MS = 64 / 3
OPUS_MS = 20.0
_FEW = 10
"""A minute with fewer marks than this has no median of its own: it is the rest of the last one."""


@dataclass
class Stream:
    """One stream that crosses over: what is sent in a loop, when each frame left, and what came."""

    name: str
    send: Callable[[int], None]
    period_ms: float
    loop: int
    """Frames in the loop."""
    sent_onsets: list[marks.Onset]
    """Of a second round of the loop, numbered from 0."""
    heard: Callable[[], tuple[list[float], list[marks.Onset]]]
    """When each frame came (s), and the marks in them."""
    close: list[Callable[[], Any]] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)

    async def run(self, until: float, ppm: float) -> None:
        period = self.period_ms / 1_000 / (1 + ppm / 1e6)
        began = time.monotonic()
        while True:
            due = began + len(self.sent_at) * period
            if due > until:
                return
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.sent_at.append(time.monotonic())
            self.send(len(self.sent_at) - 1)

    def delays(self) -> list[tuple[float, float]]:
        """When each mark left (s), and its delay (ms)."""
        times, onsets = self.heard()
        heard = sorted(times[number] + offset / 1_000 for number, offset in onsets)
        found = []
        for turn in range(len(self.sent_at) // self.loop + 1):
            for number, offset in self.sent_onsets:
                if (at := turn * self.loop + number) >= len(self.sent_at):
                    continue
                left = self.sent_at[at] + offset / 1_000
                # Marks are at least 0.9 s apart.
                came = next((time for time in heard if -0.1 < time - left < 0.8), None)
                if came is not None:
                    found.append((left, 1_000 * (came - left)))
        return found


async def rtmp_to_webrtc(node: DrivenProcess, port: int, number: int, certificate: RTCCertificate) -> Stream:
    name = f"r{number}"
    config, frames = marks.as_aac(marks.sound(number))
    publisher, ear = RtmpConnection(), WebRtcEar(certificate, publishing=False)
    ear.heard_packets = []
    await publisher.open(port, name, publishing=True)
    publisher.send(aac_config_tag(config))
    await node.join(ear, "player", name)

    def heard() -> tuple[list[float], list[marks.Onset]]:
        return [at for at, _ in ear.heard_packets], marks.heard_in_opus([packet for _, packet in ear.heard_packets])

    def send(frame: int) -> None:
        publisher.send(aac_frame_tag(frames[frame % len(frames)], int(frame * AAC_MS)))

    second = [(at - len(frames), offset) for at, offset in marks.heard_in_aac(config, frames * 2) if at >= len(frames)]
    return Stream(name, send, AAC_MS, len(frames), second, heard, [publisher.close, ear.close])


async def webrtc_to_rtmp(node: DrivenProcess, port: int, number: int, certificate: RTCCertificate) -> Stream:
    name = f"w{number}"
    packets = marks.as_opus(marks.sound(number))
    publisher, ear = LightClient(certificate, publishing=True), RtmpConnection()
    await node.join(publisher, "publisher", name)
    await ear.open(port, name, publishing=False)

    def heard() -> tuple[list[float], list[marks.Onset]]:
        return [at for at, _ in ear.heard], marks.heard_in_aac(ear.config, [frame for _, frame in ear.heard])

    def send(packet: int) -> None:
        publisher.send(packet, packets[packet % len(packets)], stamped=False)

    second = [(at - len(packets), offset) for at, offset in marks.heard_in_opus(packets * 2) if at >= len(packets)]
    return Stream(name, send, OPUS_MS, len(packets), second, heard, [publisher.close, ear.close])


Make = Callable[[DrivenProcess, int, int, RTCCertificate], Any]


async def _with_streams(makes: Sequence[Make], streams: int, work: Callable[[DrivenProcess, list[Stream]], Any]) -> None:
    node = await DrivenProcess.start("bench.bridge.node")
    made: list[Stream] = []
    try:
        port = int(str((await node.ask({"figures": True}))["port"]))
        certificate = RTCCertificate.generateCertificate()
        for make in makes:
            for number in range(streams):
                made.append(await make(node, port, number, certificate))
        await work(node, made)
    finally:
        for stream in made:
            for close in stream.close:
                await close()
        await node.stop()


async def _figures(node: DrivenProcess) -> dict[str, dict[str, Any]]:
    answer: Any = await node.ask({"figures": True})
    return {one["stream"]: one for one in answer["bridges"]}


async def measure(make: Make, title: str, streams: int, seconds: float) -> None:
    async def work(node: DrivenProcess, made: list[Stream]) -> None:
        until = time.monotonic() + seconds
        running = asyncio.gather(*(stream.run(until, 0) for stream in made))
        await asyncio.sleep(min(3.0, seconds / 4))
        began, cpu, before = time.monotonic(), cpu_seconds(node.pid), await _figures(node)
        await running
        took, used, after = time.monotonic() - began, cpu_seconds(node.pid) - cpu, await _figures(node)
        codecs = sum(figures["codec_seconds"] - before[name]["codec_seconds"] for name, figures in after.items())
        await asyncio.sleep(0.3)
        delays = sorted(delay for stream in made for _, delay in stream.delays())
        expected = sum(sum(at < len(stream.sent_at) for at, _ in stream.sent_onsets) for stream in made)
        concealed = sum(figures["concealed_ms"] for figures in after.values())
        dropped = sum(figures["dropped"] for figures in after.values())
        print(
            f"{title:16}  {streams} streams, {len(delays)}/{expected} marks  delay p50/p99/max "
            f"{_quantile(delays, 0.5):5.1f} /{_quantile(delays, 0.99):6.1f} /{delays[-1]:6.1f} ms  CPU "
            f"{100 * used / took / streams:4.2f} % of a core a stream (codecs {100 * codecs / took / streams:4.2f})  "
            f"concealed {concealed} ms, dropped {dropped}",
            flush=True,
        )

    await _with_streams([make], streams, work)


async def drift(minutes: float, ppm: float) -> None:
    async def work(node: DrivenProcess, made: list[Stream]) -> None:
        began = time.monotonic()
        running = asyncio.gather(*(stream.run(began + 60 * minutes, ppm) for stream in made))
        distances: list[float] = []
        speeds: list[float] = []
        while not running.done():
            await asyncio.sleep(1)
            figures = (await _figures(node)).get("w0")
            if figures is not None and time.monotonic() - began > 10:
                distances.append(figures["delay_ms"] - figures["target_ms"])
                speeds.append(figures["drift_ppm"])
        figures = (await _figures(node))["w0"]
        print(
            f"{minutes:g} min, publishers' clock {ppm:+g} ppm: buffered minus wanted delay {min(distances):.1f} … {max(distances):.1f} ms "
            f"(mean {statistics.fmean(distances):.1f}, within 40 ms in {100 * _share(distances):.1f} % of the seconds), "
            f"played faster by {statistics.fmean(speeds):+.0f} ppm on average, concealed "
            f"{figures['concealed_ms']} ms, late {figures['late']}, dropped {figures['dropped']}",
            flush=True,
        )
        for stream in made:
            print(f"  {stream.name}: {_over_time(stream, began)}", flush=True)

    await _with_streams([rtmp_to_webrtc, webrtc_to_rtmp], 1, work)


def _over_time(stream: Stream, began: float) -> str:
    """How the delay of the marks was in each minute, and how far each mark is from those of the first minute."""
    minutes: dict[int, list[float]] = {}
    for left, delay in stream.delays():
        minutes.setdefault(int((left - began) // 60), []).append(delay)
    medians = {minute: statistics.median(delays) for minute, delays in sorted(minutes.items()) if len(delays) > _FEW}
    first = medians[0]
    apart = [abs(delay - first) for delays in minutes.values() for delay in delays]
    return (
        f"{len(apart)} marks, median delay {first:.1f} ms in the first minute, {list(medians.values())[-1]:.1f} in the last, "
        f"{min(medians.values()):.1f} … {max(medians.values()):.1f} in all; "
        f"{100 * _share(apart):.2f} % of the marks within 40 ms of the first minute's, the furthest {max(apart):.1f}"
    )


def _share(distances: Sequence[float]) -> float:
    return sum(abs(distance) <= 40 for distance in distances) / len(distances)


def _quantile(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


async def _main(arguments: argparse.Namespace) -> None:
    if arguments.minutes:
        await drift(arguments.minutes, arguments.ppm)
        return
    await measure(rtmp_to_webrtc, "RTMP → WebRTC", arguments.streams, arguments.seconds)
    await measure(webrtc_to_rtmp, "WebRTC → RTMP", arguments.streams, arguments.seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.bridge")
    parser.add_argument("--streams", type=int, default=5, help="at the same time, in one direction")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--minutes", type=float, default=0, help="run with drifting clocks instead")
    parser.add_argument("--ppm", type=float, default=300, help="by which the publishers' clock is fast")
    uvloop.run(_main(parser.parse_args()))
