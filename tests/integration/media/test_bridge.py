"""A real WebRTC client and an RTMP client's place in the hub hear each other, and silence is silence."""

from __future__ import annotations

import array
import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

from av import AudioFrame, Packet
from av.audio.codeccontext import AudioCodecContext
from av.codec import CodecContext

from media.bridge.bridges import Bridges
from media.bridge.config import BridgeConfig
from media.bridge.statistics import Direction
from media.flv import Tag, TagKind, aac_config_tag, aac_frame_tag
from media.rtmp.live import LiveHub
from media.sfu import Sfu
from tests.integration.media.aiortc_clients import Recorder, Tone, clients, epoch_ms, running_sfu
from tests.unit.media.bridge import sound
from tests.waiting import until


class RtmpTone:
    """A publisher's place in the hub: a tone as AAC, a frame each 64/3 ms of the event loop's time."""

    def __init__(self, hub: LiveHub, stream: str, hertz: float) -> None:
        self._config, self._frames = sound.aac(sound.tone(hertz, 48_000))
        self._feed = hub.publish(stream, self)
        self._numbers = itertools.count()
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._feed.message(aac_config_tag(self._config))
        self._next()

    def replaced(self) -> None:
        raise AssertionError("nobody takes over")

    def _next(self) -> None:
        number = next(self._numbers)
        self._feed.message(aac_frame_tag(self._frames[number % len(self._frames)], number * 64 // 3))
        self._timer = self._loop.call_at(self._began + number * 0.064 / 3, self._next)

    def end(self) -> None:
        self._timer.cancel()
        self._feed.end()


class RtmpEar:
    """A player's place in the hub: decodes the sound and keeps the last half second."""

    def __init__(self) -> None:
        self._decoder: AudioCodecContext | None = None
        self.heard = array.array("f")
        self.timestamps: list[int] = []

    def message(self, tag: Tag) -> None:
        if tag.kind is not TagKind.AUDIO:
            return
        if tag.body[1] == 0:
            decoder = CodecContext.create("aac", "r")
            assert isinstance(decoder, AudioCodecContext)
            decoder.extradata = tag.body[2:]
            self._decoder = decoder
            return
        assert self._decoder is not None
        self.timestamps.append(tag.timestamp)
        for frame in self._decoder.decode(Packet(tag.body[2:])):
            assert isinstance(frame, AudioFrame)
            self.heard.extend(sound.samples_of(frame))
            del self.heard[:-24_000]

    def began(self) -> None:
        pass

    def ended(self) -> None:
        pass

    def hears(self, hertz: float) -> bool:
        return len(self.heard) == 24_000 and sound.share(self.heard, hertz) > 0.8 and sound.loudness(self.heard) > 0.1


@contextlib.asynccontextmanager
async def bridged(sfu: Sfu) -> AsyncIterator[tuple[LiveHub, Bridges]]:
    hub = LiveHub(epoch_ms)
    bridges = Bridges(sfu, hub, BridgeConfig(linger_ms=0), clock=epoch_ms)
    try:
        yield hub, bridges
    finally:
        await bridges.aclose()


async def test_both_hear_each_other_and_nothing_is_left_behind() -> None:
    async with running_sfu(Recorder()) as sfu, clients(sfu, 1, 2) as (alice, alices_ear), bridged(sfu) as (hub, bridges):
        bob, ear = RtmpTone(hub, "1/bob", 600), RtmpEar()
        hub.attach("1/alice", ear)
        await alices_ear.play("1/bob")
        await alice.publish("1/alice", Tone(400))
        await until(lambda: alices_ear.ear is not None and alices_ear.ear.hears(600) >= 20)
        await until(lambda: ear.hears(400))
        assert alices_ear.ear is not None and alices_ear.ear.hears(400) == 0
        assert bridges.totals().running == {Direction.RTMP_TO_WEBRTC: 1, Direction.WEBRTC_TO_RTMP: 1}
        steps = {after - before for before, after in itertools.pairwise(ear.timestamps)}
        assert steps <= {21, 22}
        bob.end()
        sfu.close(1)
        sfu.close(2)
        hub.detach("1/alice", ear)
        await until(lambda: sum(bridges.totals().running.values()) == 0)
        assert sfu.totals().plane.streams == 0 and not list(hub.streams())


async def test_a_muted_microphone_is_silence_that_goes_on() -> None:
    async with running_sfu(Recorder()) as sfu, clients(sfu, 1) as (alice,), bridged(sfu) as (hub, _):
        ear = RtmpEar()
        hub.attach("1/alice", ear)
        await alice.publish("1/alice", Tone(400))
        await until(lambda: ear.hears(400))
        alice.connection.getSenders()[0].replaceTrack(None)
        count = len(ear.timestamps)
        # Half a second of it, while the frames go on.
        await until(lambda: len(ear.timestamps) > count + 70 and sound.loudness(ear.heard) < 0.001)
        alice.connection.getSenders()[0].replaceTrack(Tone(700))
        await until(lambda: ear.hears(700))


async def test_a_stream_that_every_webrtc_player_has_muted_is_not_converted() -> None:
    async with running_sfu(Recorder()) as sfu, clients(sfu, 1) as (carol,), bridged(sfu) as (hub, bridges):
        bob = RtmpTone(hub, "1/bob", 600)
        await carol.play("1/bob")
        await until(lambda: carol.ear is not None and carol.ear.hears(600) >= 10)
        sfu.set_forwarding(1, audio=False)
        await until(lambda: bridges.totals().running[Direction.RTMP_TO_WEBRTC] == 0)
        assert carol.ear is not None
        heard = carol.ear.hears(600)
        sfu.set_forwarding(1, audio=True)
        await until(lambda: carol.ear is not None and carol.ear.hears(600) >= heard + 10)
        bob.end()
