"""Speech through loss, with Hearth in the middle and without it: ``python -m bench.loss --loss 0 10 20 30 --seconds 30 --rounds 2``.

A page of Chromium publishes speech, another one plays it. Between the player and whom it hears lies a UDP proxy that loses datagrams
of both directions, RTCP and STUN among them: between Chromium and Chromium, or between a media node in a process of its own and the
player, while the publisher has a clean path to the node. So the same share is lost once either way, and what the player reports has the
same leg to cross; in the second case the node has to pass it on. The two take turns. Both ends are plain WebRTC clients and not the
SDK, which sets bit rates of its own and cannot do without a server: what differs is to be Hearth alone.

All figures but the score are Chromium's (getStats), of the recorded time. ``fec``: packets with in-band FEC that the player used or kept
(``fecPacketsReceived``); ``told``: the share of loss that reports told the publisher (``fractionLost``), on average.
"""

from __future__ import annotations

import argparse
import array
import asyncio
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.loss.peers import Peer, connect_direct, connect_through
from bench.loss.speech import RATE, require_pesq, score, write_speech
from bench.sfu.target import DrivenProcess
from tests.e2e.browser import find_chromium
from tests.e2e.packages import install_packages
from tests.e2e.remote import HERE, Json, Remote
from tests.lossy_network import Weather
from tests.waiting import until

_WARM_UP = 25.0
"""Seconds under loss before the recording. A player reports on sound every 5 s, and a report may get lost, too; then the encoder makes up
its mind. What is measured is the talk, not its beginning."""
_LIMIT = 60.0


@dataclass(frozen=True)
class Result:
    received: int
    lost: int
    resent: int
    fec: int
    concealed: float
    """Share of the samples that Chromium had to invent, 0…1."""
    told: float
    """Mean share of loss that the publisher was told of, 0…1."""
    buffered_ms: float
    """Mean delay in the player's jitter buffer."""
    score: float


async def _told(publisher: Peer, seconds: float) -> float:
    """Mean of what the receiver reports say, looked at once a second."""
    told = []
    for _ in range(int(seconds)):
        await asyncio.sleep(1)
        report = (await publisher.ask("statistics")).get("remote-inbound-rtp", {})
        told.append(float(report.get("fractionLost", 0)))
    return statistics.fmean(told)


async def _measure(publisher: Peer, player: Peer, seconds: int, speech: array.array[int]) -> Result:
    inbound, outbound = (await player.ask("statistics"))["inbound-rtp"], (await publisher.ask("statistics"))["outbound-rtp"]
    heard, told = await asyncio.gather(player.record(seconds, RATE), _told(publisher, seconds))
    now, sent = (await player.ask("statistics"))["inbound-rtp"], (await publisher.ask("statistics"))["outbound-rtp"]

    def grown(name: str) -> float:
        return float(now.get(name, 0) - inbound.get(name, 0))

    return Result(
        int(grown("packetsReceived")),
        int(grown("packetsLost")),
        sent.get("retransmittedPacketsSent", 0) - outbound.get("retransmittedPacketsSent", 0),
        int(grown("fecPacketsReceived")),
        grown("concealedSamples") / grown("totalSamplesReceived"),
        told,
        1_000 * grown("jitterBufferDelay") / grown("jitterBufferEmittedCount"),
        await asyncio.to_thread(score, speech, heard),
    )


async def _run(
    remote: Remote, node: DrivenProcess | None, number: int, weather: Weather, seed: int, seconds: int, speech: array.array[int]
) -> Result:
    """Without a node: one page to the other."""
    publisher, player = Peer(remote, f"publisher-{number}"), Peer(remote, f"player-{number}")
    await asyncio.gather(publisher.open(), player.open())
    if node is None:
        connected = await connect_direct(publisher, player, seed)
    else:
        connected = await connect_through(node, publisher, player, f"s{number}", 2 * number, seed)
    async with connected as network:

        async def hears() -> bool:
            inbound: Json = (await player.ask("statistics")).get("inbound-rtp", {})
            return bool(inbound.get("packetsReceived", 0) > 50)

        await until(hears, _LIMIT, "the player hears the publisher")
        network.weather = weather
        await asyncio.sleep(_WARM_UP)
        result = await _measure(publisher, player, seconds, speech)
        await asyncio.gather(publisher.close(), player.close())
    return result


def _row(loss: float, path: str, results: list[Result]) -> str:
    def mean(name: str) -> float:
        return statistics.fmean(getattr(result, name) for result in results)

    scores = [result.score for result in results]
    return (
        f"{loss:4.0f} %  {path:<7} {mean('received'):8.0f} {mean('lost'):6.0f} {mean('resent'):6.0f} {mean('fec'):6.0f} "
        f"{100 * mean('told'):6.1f} % {100 * mean('concealed'):8.2f} % {mean('buffered_ms'):6.0f} ms "
        f"{mean('score'):6.2f} ({min(scores):.2f}–{max(scores):.2f})"
    )


async def _compare(losses: list[float], seconds: int, rounds: int, delay_ms: float, seed: int) -> None:
    await asyncio.to_thread(install_packages, HERE)
    with tempfile.TemporaryDirectory() as directory:
        microphone = Path(directory) / "speech.wav"
        speech = write_speech(microphone)
        if seconds * RATE < 2 * len(speech):
            raise SystemExit(f"--seconds: at least {2 * len(speech) // RATE + 1}, two loops of the speech")
        remote, node = await Remote.start("browser.js"), await DrivenProcess.start("bench.sfu.node")
        try:
            await remote.call("launch", executable=find_chromium(), microphone=str(microphone))
            print(" loss   path    received   lost resent    fec     told concealed   buffer  PESQ MOS-LQO")
            number = 0
            for loss in losses:
                weather = Weather(loss=loss / 100, delay_ms=delay_ms)
                results: dict[str, list[Result]] = {"direct": [], "Hearth": []}
                for turn in range(rounds):
                    for path, middle in (("direct", None), ("Hearth", node)):
                        number += 1
                        results[path].append(await _run(remote, middle, number, weather, seed + turn, seconds, speech))
                for path, measured in results.items():
                    print(_row(loss, path, measured), flush=True)
                direct, hearth = (statistics.fmean(result.concealed for result in results[path]) for path in ("direct", "Hearth"))
                ratio = f"{hearth / direct:.2f}" if direct else "nothing concealed directly"
                print(f"        concealed, Hearth / direct: {ratio}", flush=True)
        finally:
            await remote.aclose()
            await node.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loss", type=float, nargs="+", default=[0, 5, 10, 20, 30], help="per cent of the datagrams, each way")
    parser.add_argument("--seconds", type=int, default=30, help="recorded of each run")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--delay", type=float, default=0, help="ms on the lossy leg, each way")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    require_pesq()
    asyncio.run(_compare(given.loss, given.seconds, given.rounds, given.delay, given.seed))


if __name__ == "__main__":
    main()
