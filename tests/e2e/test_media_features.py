"""What no SDK asks for but a browser can: RED, lost packets asked for again, feedback. Chromium's own WebRTC against a media node."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from media import rtp
from media.plane import PeerStatistics
from media.sfu import Sfu
from tests.e2e.remote import Json, Remote
from tests.integration.media.aiortc_clients import Recorder, running_sfu
from tests.integration.media.nat import Nat
from tests.waiting import until

LIMIT = 60.0

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Page:
    """A page of its own with one connection to the node."""

    def __init__(self, remote: Remote, sfu: Sfu, session: int) -> None:
        self._remote = remote
        self._sfu = sfu
        self._session = session
        self._user = f"peer-{session}"

    async def publish(self, stream: str, **wishes: bool) -> None:
        offer = await self._page("offerToPublish", **wishes)
        await self._page("answered", answer=await self._sfu.open_publisher(self._session, stream, offer))

    async def play(self, stream: str, *, node_port: int | None = None, **wishes: bool) -> None:
        answer = await self._sfu.open_player(self._session, stream, await self._page("offerToPlay", **wishes))
        if node_port is not None:
            answer = answer.replace(f" {self._sfu.port} typ", f" {node_port} typ")
        await self._page("answered", answer=answer)

    async def figure(self, kind: str, name: str) -> Json:
        """One of the browser's own statistics; None while there is none."""
        return (await self._page("statistics")).get(kind, {}).get(name)

    async def reaches(self, kind: str, name: str, wanted: Callable[[Json], bool]) -> None:
        async def reached() -> bool:
            value = await self.figure(kind, name)
            return value is not None and wanted(value)

        await until(reached, LIMIT, f"{kind}.{name} of {self._user}")

    async def open(self) -> Page:
        await self._remote.call("openPeer", user=self._user)
        return self

    async def close(self) -> None:
        await self._remote.call("close", user=self._user)

    async def _page(self, operation: str, **argument: Json) -> Json:
        argument["name"] = "only"
        return await self._remote.call("page", user=self._user, operation=operation, argument=argument)


@pytest_asyncio.fixture(loop_scope="session")
async def sfu() -> AsyncIterator[Sfu]:
    async with running_sfu(Recorder(), rtcp_interval_ms=1_000) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def pages(chromium: Remote, sfu: Sfu) -> AsyncIterator[list[Page]]:
    opened = [await Page(chromium, sfu, session).open() for session in (1, 2, 3)]
    yield opened
    for page in opened:
        await page.close()


def figures(sfu: Sfu, session: int) -> PeerStatistics:
    statistics = sfu.statistics(session)
    assert statistics is not None
    return statistics.peer


def every_tenth() -> Callable[[bytes], bool]:
    """Of the media packets; everything else arrives."""
    media = itertools.count()
    return lambda data: 128 <= data[0] <= 191 and not rtp.is_rtcp(data[1]) and next(media) % 10 == 0


async def test_lossy_ways_to_players_with_and_without_redundancy_and_repetition(pages: list[Page], sfu: Sfu) -> None:
    """Every tenth packet to both players is lost. One gets RED and asks for what it lost, the other one can neither."""
    alice, bob, carol = pages
    nats = [Nat(("127.0.0.1", sfu.port), loses=every_tenth()) for _ in range(2)]
    try:
        await alice.publish("s", red=True, nack=True)
        await bob.play("s", red=True, nack=True, node_port=nats[0].port)
        await carol.play("s", node_port=nats[1].port)
        for player in (bob, carol):
            await player.reaches("inbound-rtp", "totalAudioEnergy", lambda energy: energy > 0.01)
        assert figures(sfu, 1).red

        # Chromium counts the redundant blocks as discarded when it had the sound in them already. A busy one discards some of anybody's.
        async def redundant() -> bool:
            of_bob, of_carol = [await player.figure("inbound-rtp", "packetsDiscarded") or 0 for player in (bob, carol)]
            return bool(of_bob > 100 + 5 * of_carol)

        await until(redundant, LIMIT, "bob has redundancy, carol none")
        await until(lambda: figures(sfu, 2).retransmitted > 20, LIMIT)
        assert figures(sfu, 3).nacked == 0
        # The publisher hears of what carol loses, as if there were no node in between; its own way is without fault.
        await until(lambda: figures(sfu, 1).players_fraction_lost > 0.05, LIMIT)
        await alice.reaches("remote-inbound-rtp", "fractionLost", lambda share: share > 0.05)
        assert await alice.figure("remote-inbound-rtp", "packetsLost") == 0
    finally:
        for nat in nats:
            nat.close()


async def test_a_publishers_estimate_of_its_bandwidth_follows_the_arrival_times(pages: list[Page], sfu: Sfu) -> None:
    """Chromium begins with 300 kbit/s and stays there without feedback on arrival times, as a player does, who sends nothing."""
    alice, bob, _ = pages
    await alice.publish("s")
    await bob.play("s")
    await alice.reaches("candidate-pair", "availableOutgoingBitrate", lambda bitrate: bitrate != 300_000)
    await bob.reaches("inbound-rtp", "packetsReceived", lambda packets: packets > 200)
    assert await bob.figure("candidate-pair", "availableOutgoingBitrate") == 300_000
    # The probes that the publisher sends for it take no numbers, so they are no loss to its players.
    assert await bob.figure("inbound-rtp", "packetsLost") == 0
