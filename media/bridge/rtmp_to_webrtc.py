"""One stream from RTMP to WebRTC: a player of the live stream, and a publisher inside the SFU."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial

from media.bridge.aac_to_opus import AacFrame, AacToOpus
from media.bridge.codec_threads import CodecThreads, CodecTime
from media.bridge.config import BridgeConfig
from media.bridge.pacer import INTERVAL_MS, Pacer
from media.bridge.ports import WebRtc
from media.bridge.statistics import BridgeStatistics, Direction
from media.flv import AudioHead, FlvMalformed, SoundFormat, Tag, TagKind
from media.plane import Clock
from media.rtmp.live import LiveHub


class RtmpToWebRtc:
    """See the module. ``run`` works until it is cancelled or a codec fails.

    Frames wait for their codec thread in a queue of ``BridgeConfig.queue_frames``; when that is full, the oldest frame is dropped.
    """

    direction = Direction.RTMP_TO_WEBRTC

    def __init__(self, stream: str, sfu: WebRtc, hub: LiveHub, threads: CodecThreads, config: BridgeConfig, clock: Clock) -> None:
        self.stream = stream
        self._sfu = sfu
        self._hub = hub
        self._threads = threads
        self._config = config
        self._clock = clock
        self._began_at = clock()
        self._queue: deque[AacFrame] = deque()
        self._arrived = asyncio.Event()
        self._pacer = Pacer(config.pacer_packets)
        self._timer: asyncio.TimerHandle | None = None
        self._feed: int | None = None
        self._codec = AacToOpus(config.opus_bitrate)
        self._time = CodecTime()
        self._frames_in = 0
        self._frames_out = 0
        self._malformed = 0
        self._dropped = 0

    async def run(self) -> None:
        """Raises ``CodecError``, ``MediaFull``."""
        try:
            self._hub.attach(self.stream, self)
            self._feed = self._sfu.open_feed(self.stream)
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                await self._convert()
        finally:
            self.close()

    def close(self) -> None:
        """Lets go of both sides at once; ``run`` is to be cancelled then."""
        self._hub.detach(self.stream, self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._feed is not None:
            self._sfu.close_feed(self._feed)
            self._feed = None

    async def _convert(self) -> None:
        frames = list(self._queue)
        self._queue.clear()
        packets = await self._threads.run(partial(self._codec.convert, frames), self._time)
        now = self._clock()
        for packet in packets:
            self._pacer.push(packet, now)
        self._send()

    def _send(self) -> None:
        """Sends what is due, and comes again for the rest."""
        now = self._clock()
        if self._feed is None:
            return
        for packet in self._pacer.take(now):
            self._sfu.feed_packet(self._feed, packet.timestamp, packet.payload, marker=packet.marker)
            self._frames_out += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pacer.due is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0, self._pacer.due - now) / 1000, self._send)

    # --- LivePlayer

    def message(self, tag: Tag) -> None:
        if tag.kind is not TagKind.AUDIO:
            return
        try:
            head = AudioHead.parse(tag.body)
        except FlvMalformed:
            self._malformed += 1
            return
        if head.format is not SoundFormat.AAC or len(tag.body) == head.size:
            return
        self._frames_in += not head.sequence_header
        self._queue.append(AacFrame(tag.timestamp, self._clock(), tag.body[head.size :], head.sequence_header))
        if len(self._queue) > self._config.queue_frames:
            self._drop_oldest()
        self._arrived.set()

    def _drop_oldest(self) -> None:
        """A configuration is kept: without it, what follows cannot be decoded."""
        oldest = self._queue.popleft()
        if oldest.is_config and not self._queue[0].is_config:
            self._queue[0] = oldest
        self._dropped += 1

    def began(self) -> None:
        """Its configuration follows."""

    def ended(self) -> None:
        """What has come is still played; ``Bridges`` ends the rest."""

    # --- figures

    def statistics(self) -> BridgeStatistics:
        return BridgeStatistics(
            stream=self.stream,
            direction=self.direction,
            began_at=self._began_at,
            frames_in=self._frames_in,
            frames_out=self._frames_out,
            queue_ms=float(len(self._pacer) * INTERVAL_MS),
            dropped=self._dropped + self._pacer.dropped,
            broken=self._malformed + self._codec.broken,
            codec_seconds=self._time.seconds,
        )
