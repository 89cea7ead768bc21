"""Who is told that a stream has listeners or a publisher, and the sound of this process itself among WebRTC clients."""

from __future__ import annotations

from media.sfu import Sfu
from tests.integration.media.aiortc_clients import Recorder, Tone, clients, running_sfu
from tests.unit.media import offers
from tests.waiting import until


class Watcher:
    """A ``StreamWatcher`` that keeps what it is told."""

    def __init__(self, sfu: Sfu) -> None:
        self.told: list[tuple[str, str, bool]] = []
        sfu.watch(self)

    def audience_changed(self, stream: str, present: bool) -> None:
        self.told.append(("audience", stream, present))

    def publisher_changed(self, stream: str, present: bool) -> None:
        self.told.append(("publisher", stream, present))


async def test_only_the_first_and_the_last_listener_are_told() -> None:
    async with running_sfu(Recorder()) as sfu:
        watcher = Watcher(sfu)
        await sfu.open_player(1, "1/a", offers.play_offer())
        await sfu.open_player(2, "1/a", offers.play_offer())
        assert watcher.told == [("audience", "1/a", True)] and sfu.is_heard("1/a")
        sfu.set_forwarding(1, audio=False)
        sfu.set_forwarding(1, audio=False)
        sfu.close(2)
        assert watcher.told[1:] == [("audience", "1/a", False)] and not sfu.is_heard("1/a")
        sfu.set_forwarding(1, audio=True)
        sfu.close(1)
        sfu.set_forwarding(1, audio=True)
        assert watcher.told[2:] == [("audience", "1/a", True), ("audience", "1/a", False)]


async def test_a_publisher_that_replaces_another_is_no_change() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1, 2) as (alice, newer):
        watcher = Watcher(sfu)
        await alice.publish("1/a", Tone(400))
        await until(lambda: recorder.connected == [1])
        await newer.publish("1/a", Tone(700))
        await until(lambda: recorder.lost != [])
        assert watcher.told == [("publisher", "1/a", True)] and sfu.is_published("1/a")
        sfu.close(2)
        assert watcher.told[1:] == [("publisher", "1/a", False)] and not sfu.is_published("1/a")


async def test_what_a_tap_takes_from_one_stream_a_feed_brings_to_another() -> None:
    async with running_sfu(Recorder()) as sfu, clients(sfu, 1, 2) as (alice, bob):
        feed = sfu.open_feed("1/copy")
        tap = sfu.open_tap("1/a", lambda _, timestamp, marker, payload: sfu.feed_packet(feed, timestamp, payload, marker=marker))
        await bob.play("1/copy")
        await alice.publish("1/a", Tone(400))
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 10)
        sfu.close_tap(tap)
        sfu.close_feed(feed)
        sfu.close(1)
        sfu.close(2)
        assert sfu.totals().plane.streams == 0
