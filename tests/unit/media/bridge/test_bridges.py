"""When streams cross over: as long as one side publishes and the other listens, and never in anybody's way."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from media.audience import StreamWatcher
from media.bridge.bridges import Bridges
from media.bridge.config import BridgeConfig
from media.bridge.statistics import Direction
from media.flv import Tag, aac_config_tag, aac_frame_tag
from media.plane import Tap
from media.rtmp.live import Feed, LiveHub
from tests.unit.media.bridge import sound
from tests.waiting import until

CONFIG, AAC = sound.aac(sound.tone(600, 48_000))
OPUS = sound.opus(sound.tone(600, 14_400))
"""300 ms; as they come at once, more of them would be too much delay."""


class FakeSfu:
    """``WebRtc``: who publishes and listens is what the test says; packets are kept."""

    def __init__(self) -> None:
        self.published: set[str] = set()
        self.heard: set[str] = set()
        self.taps: dict[int, tuple[str, Tap]] = {}
        self.feeds: dict[int, str] = {}
        self.packets: list[tuple[int, bytes, bool]] = []
        self._numbers = itertools.count(1)
        self._watchers: list[StreamWatcher] = []

    def watch(self, watcher: StreamWatcher) -> None:
        self._watchers.append(watcher)

    def is_heard(self, stream: str) -> bool:
        return stream in self.heard

    def is_published(self, stream: str) -> bool:
        return stream in self.published

    def listen(self, stream: str, present: bool) -> None:
        (self.heard.add if present else self.heard.discard)(stream)
        for watcher in self._watchers:
            watcher.audience_changed(stream, present)

    def publish(self, stream: str, present: bool) -> None:
        (self.published.add if present else self.published.discard)(stream)
        for watcher in self._watchers:
            watcher.publisher_changed(stream, present)

    def open_tap(self, stream: str, receive: Tap) -> int:
        number = next(self._numbers)
        self.taps[number] = stream, receive
        return number

    def close_tap(self, tap: int) -> None:
        del self.taps[tap]

    def open_feed(self, stream: str) -> int:
        number = next(self._numbers)
        self.feeds[number] = stream
        return number

    def feed_packet(self, feed: int, timestamp: int, payload: bytes, *, marker: bool = False) -> None:
        assert feed in self.feeds
        self.packets.append((timestamp, payload, marker))

    def close_feed(self, feed: int) -> None:
        del self.feeds[feed]

    def say(self, stream: str, packets: list[bytes]) -> None:
        for name, tap in list(self.taps.values()):
            for number, packet in enumerate(packets):
                if name == stream:
                    tap(number, 960 * number, not number, packet)


class Publisher:
    def replaced(self) -> None:
        pass


class Player:
    def __init__(self) -> None:
        self.got: list[Tag] = []

    def message(self, tag: Tag) -> None:
        self.got.append(tag)

    def began(self) -> None:
        pass

    def ended(self) -> None:
        pass

    @property
    def frames(self) -> list[bytes]:
        return [tag.body[2:] for tag in self.got if tag.body[1] == 1]


class UnhurriedClock:
    """Real time, but for what a busy machine takes from the process: no two readings are further apart than ``_STEP``."""

    _STEP = 20

    def __init__(self) -> None:
        self._real = time.monotonic_ns() // 1_000_000
        self._now = self._real

    def __call__(self) -> int:
        before, self._real = self._real, time.monotonic_ns() // 1_000_000
        self._now += min(self._STEP, self._real - before)
        return self._now


class House:
    def __init__(self, config: BridgeConfig) -> None:
        self.sfu = FakeSfu()
        clock = UnhurriedClock()
        self.hub = LiveHub(clock)
        self.bridges = Bridges(self.sfu, self.hub, config, clock=clock)

    def publish_rtmp(self, stream: str = "s") -> Feed:
        feed = self.hub.publish(stream, Publisher())
        feed.message(aac_config_tag(CONFIG))
        return feed

    def play_rtmp(self, stream: str = "s") -> Player:
        player = Player()
        self.hub.attach(stream, player)
        return player

    def running(self, direction: Direction) -> int:
        return self.bridges.totals().running[direction]


@contextlib.asynccontextmanager
async def house(**settings: Any) -> AsyncIterator[House]:
    made = House(BridgeConfig(**{"linger_ms": 0, "retry_ms": 0, **settings}))
    try:
        yield made
    finally:
        await made.bridges.aclose()
        assert not made.sfu.taps and not made.sfu.feeds


def send(feed: Feed, frames: list[bytes] = AAC) -> None:
    for number, frame in enumerate(frames):
        feed.message(aac_frame_tag(frame, number * 64 // 3))


async def test_rtmp_is_converted_while_webrtc_listens() -> None:
    async with house() as made:
        feed = made.publish_rtmp()
        send(feed)
        assert made.running(Direction.RTMP_TO_WEBRTC) == 0
        made.sfu.listen("s", True)
        await until(lambda: made.sfu.feeds)
        send(feed, AAC[:10])
        await until(lambda: len(made.sfu.packets) >= 9)
        assert [timestamp for timestamp, _, _ in made.sfu.packets] == [960 * index for index in range(len(made.sfu.packets))]
        heard = sound.hear_opus(payload for _, payload, _ in made.sfu.packets)
        assert sound.share(heard[4_800:], 600) > 0.9
        (figures,) = made.bridges.statistics("s")
        assert (figures.direction, figures.frames_in) == (Direction.RTMP_TO_WEBRTC, 10) and figures.codec_seconds > 0
        made.sfu.listen("s", False)
        await until(lambda: not made.sfu.feeds)
        live = made.hub.stream("s")
        assert live is not None and live.players == () and made.bridges.statistics("s") == []


async def test_webrtc_is_converted_while_rtmp_plays() -> None:
    async with house() as made:
        made.sfu.publish("s", True)
        assert not made.sfu.taps
        player = made.play_rtmp()
        await until(lambda: made.sfu.taps)
        made.sfu.say("s", OPUS)
        await until(lambda: len(player.frames) >= 20)
        config, *frames = player.got
        assert config.body[:2] == b"\xaf\x00"
        assert [tag.timestamp - frames[0].timestamp for tag in frames] == [index * 64 // 3 for index in range(len(frames))]
        heard = sound.hear_aac(config.body[2:], [tag.body[2:] for tag in frames])
        assert sound.share(heard[7_200:12_000], 600) > 0.9
        made.hub.detach("s", player)
        await until(lambda: not made.sfu.taps)
        assert made.hub.stream("s") is None


async def test_one_conversion_serves_all_listeners() -> None:
    async with house() as made:
        made.sfu.publish("s", True)
        for _ in range(3):
            made.play_rtmp()
        made.publish_rtmp("t")
        for _ in range(3):
            made.sfu.listen("t", True)
        await until(lambda: len(made.sfu.taps) == 1 and len(made.sfu.feeds) == 1)
        assert made.bridges.totals().begun == {Direction.RTMP_TO_WEBRTC: 1, Direction.WEBRTC_TO_RTMP: 1}


async def test_listeners_of_the_publishers_own_kind_need_no_conversion() -> None:
    async with house() as made:
        made.publish_rtmp()
        made.play_rtmp()
        made.sfu.publish("t", True)
        made.sfu.listen("t", True)
        assert sum(made.bridges.totals().begun.values()) == 0


async def test_a_publisher_may_come_back_on_the_other_side_at_once() -> None:
    async with house(linger_ms=60_000) as made:
        made.sfu.publish("s", True)
        player = made.play_rtmp()
        await until(lambda: made.sfu.taps)
        made.sfu.say("s", OPUS)
        await until(lambda: player.frames)
        made.sfu.publish("s", False)
        # In the same moment: the live stream is free again.
        feed = made.publish_rtmp()
        assert feed.live and not made.sfu.taps
        made.sfu.listen("s", True)
        await until(lambda: made.sfu.feeds)
        # And the other way round: the feed does not go on against the WebRTC publisher.
        made.sfu.publish("s", True)
        assert not made.sfu.feeds


async def test_a_conversion_waits_for_the_next_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, timers = asyncio.get_running_loop(), []
    call_later = loop.call_later

    def noted(delay: float, *rest: Any) -> asyncio.TimerHandle:
        timer = call_later(delay, *rest)
        if delay == 600:
            timers.append(timer)
        return timer

    monkeypatch.setattr(loop, "call_later", noted)
    async with house(linger_ms=600_000) as made:
        made.publish_rtmp()
        made.sfu.listen("s", True)
        await until(lambda: made.sfu.feeds)
        made.sfu.listen("s", False)
        made.sfu.listen("s", True)
        made.sfu.listen("s", False)
        assert made.running(Direction.RTMP_TO_WEBRTC) == 1 and made.bridges.totals().begun[Direction.RTMP_TO_WEBRTC] == 1
        # Only the last listener's leaving counts down.
        assert [timer.cancelled() for timer in timers] == [True, False]


async def test_one_conversion_too_many_waits_for_a_place() -> None:
    async with house(max_bridges=1) as made:
        for name in ("s", "t"):
            made.publish_rtmp(name)
            made.sfu.listen(name, True)
        assert made.running(Direction.RTMP_TO_WEBRTC) == 1 and made.bridges.totals().refused == 1
        made.sfu.listen("s", False)
        await until(lambda: list(made.sfu.feeds.values()) == ["t"])


async def test_none_are_made_where_none_are_wanted() -> None:
    async with house(max_bridges=0) as made:
        made.publish_rtmp()
        made.sfu.listen("s", True)
        assert (made.bridges.totals().refused, sum(made.bridges.totals().begun.values())) == (0, 0)


async def test_a_codec_that_fails_ends_its_own_conversion_only_and_is_tried_again() -> None:
    async with house(retry_ms=20, max_retry_ms=20) as made:
        bad, good = made.hub.publish("bad", Publisher()), made.publish_rtmp("good")
        bad.message(aac_config_tag(b"\xff\xff"))
        for name in ("bad", "good"):
            made.sfu.listen(name, True)
        for _ in range(60):
            bad.message(aac_frame_tag(b"\xff\xff", 0))
        await until(lambda: made.bridges.totals().failed >= 1)
        send(good, AAC[:10])
        await until(lambda: len(made.sfu.packets) >= 9)
        # Its publisher comes to its senses.
        bad.message(aac_config_tag(CONFIG))
        before = len(made.sfu.packets)

        def goes_on() -> bool:
            # What the last conversion to fail had taken is lost with it.
            send(bad, AAC[:10])
            return len(made.sfu.packets) >= before + 9

        await until(goes_on)
        assert made.running(Direction.RTMP_TO_WEBRTC) == 2


async def test_a_mistake_of_ours_ends_one_conversion_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> object:
        raise RuntimeError("a mistake")

    async with house(retry_ms=600_000, max_retry_ms=600_000) as made:
        made.sfu.publish("s", True)
        player = made.play_rtmp()
        await until(lambda: made.sfu.taps)
        monkeypatch.setattr("media.bridge.webrtc_to_rtmp.OpusToAac", wrong)
        made.sfu.say("s", OPUS)
        await until(lambda: made.bridges.totals().failed == 1)
        assert not made.sfu.taps and player.got == []
        # Nobody listens any more: nothing is tried again.
        made.hub.detach("s", player)
        monkeypatch.undo()
        player = made.play_rtmp()
        await until(lambda: made.sfu.taps)


async def test_what_is_no_aac_is_left_out() -> None:
    async with house() as made:
        feed = made.publish_rtmp()
        made.sfu.listen("s", True)
        await until(lambda: made.sfu.feeds)
        for body in (b"", b"\x2f\x00mp3", b"\xaf", b"\xaf\x01", b"\xaf\x07x"):
            feed.message(Tag(aac_config_tag(b"").kind, 0, body))
        send(feed, AAC[:10])
        await until(lambda: len(made.sfu.packets) >= 9)
        assert made.bridges.statistics("s")[0].frames_in == 10


async def test_frames_that_wait_for_a_slow_codec_are_bounded_and_the_configuration_is_kept() -> None:
    async with house(queue_frames=8) as made:
        feed = made.hub.publish("s", Publisher())
        made.sfu.listen("s", True)
        await until(lambda: made.sfu.feeds)
        # All in one moment of the event loop: no thread has had a chance to take any.
        feed.message(aac_config_tag(CONFIG))
        send(feed, AAC)
        await until(lambda: made.sfu.packets)
        (figures,) = made.bridges.statistics("s")
        assert figures.dropped >= len(AAC) - 8
