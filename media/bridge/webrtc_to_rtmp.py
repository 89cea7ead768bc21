"""One stream from WebRTC to RTMP: a tap of the SFU, and a publisher of the live stream."""

from __future__ import annotations

import asyncio
from functools import partial

from media.bridge import opus_packet
from media.bridge.codec_threads import CodecThreads, CodecTime
from media.bridge.config import BridgeConfig
from media.bridge.opus_to_aac import AAC_FRAME, OpusToAac
from media.bridge.playout import Playout
from media.bridge.ports import WebRtc
from media.bridge.statistics import BridgeStatistics, Direction
from media.flv import aac_config_tag, aac_frame_tag
from media.plane import Clock
from media.rtmp.live import Feed, LiveHub


class WebRtcToRtmp:
    """See the module. ``run`` works until it is cancelled, a codec fails or another publisher has the live stream.

    Packets wait in the jitter buffer, which is bounded; when it is full, the oldest is dropped. From the first packet on there is an AAC
    frame each 21⅓ ms, also while the sender is silent.
    """

    direction = Direction.WEBRTC_TO_RTMP

    def __init__(self, stream: str, sfu: WebRtc, hub: LiveHub, threads: CodecThreads, config: BridgeConfig, clock: Clock) -> None:
        self.stream = stream
        self._sfu = sfu
        self._hub = hub
        self._threads = threads
        self._config = config
        self._clock = clock
        self._began_at = clock()
        self._playout = Playout(config)
        self._heard = asyncio.Event()
        self._channels = 1
        self._tap: int | None = None
        self._feed: Feed | None = None
        self._codec: OpusToAac | None = None
        self._time = CodecTime()
        self._frames_out = 0

    async def run(self) -> None:
        """Raises ``CodecError``, ``MediaFull``, ``StreamInUse``."""
        try:
            self._tap = self._sfu.open_tap(self.stream, self._packet)
            await self._heard.wait()
            # Mono or stereo as it begins; the AAC stream cannot change, and the decoder makes of the rest what it needs.
            make = partial(OpusToAac, self._channels, self._config.aac_bitrate)
            self._codec = await self._threads.run(make, self._time)
            self._feed = self._hub.publish(self.stream, self)
            self._feed.message(aac_config_tag(self._codec.config))
            await self._play(self._codec, self._feed)
        finally:
            self.close()

    def close(self) -> None:
        """Lets go of both sides at once; ``run`` is to be cancelled then."""
        if self._tap is not None:
            self._sfu.close_tap(self._tap)
            self._tap = None
        if self._feed is not None:
            self._feed.end()

    def _packet(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> None:
        now = self._clock()
        self._playout.buffer.insert(sequence, timestamp, payload, now)
        if not self._heard.is_set() and self._playout.buffer.started:
            self._channels = opus_packet.channels(payload)
            self._playout.begin(now)
            self._heard.set()

    async def _play(self, codec: OpusToAac, feed: Feed) -> None:
        playout = self._playout
        while feed.live:
            await asyncio.sleep(max(0, playout.due - self._clock()) / 1000)
            now = self._clock()
            playout.next_frame(now, codec.buffered)
            blocks = codec.blocks + 1
            while codec.blocks < blocks:
                # Stretching may leave it a few samples short: then one piece more.
                pieces = playout.pieces(AAC_FRAME - codec.buffered, now)
                for frame in await self._threads.run(partial(codec.convert, pieces, playout.ppm), self._time):
                    feed.message(aac_frame_tag(frame, playout.timestamp(self._frames_out)))
                    self._frames_out += 1

    # --- LivePublisher

    def replaced(self) -> None:
        """``run`` sees it."""

    # --- figures

    def statistics(self) -> BridgeStatistics:
        buffer, counts = self._playout.buffer, self._playout.buffer.counts
        return BridgeStatistics(
            stream=self.stream,
            direction=self.direction,
            began_at=self._began_at,
            frames_in=counts.packets,
            frames_out=self._frames_out,
            queue_ms=buffer.buffered_ms,
            delay_ms=buffer.delay_ms(self._clock()) if buffer.started else 0.0,
            target_ms=buffer.target_ms,
            drift_ppm=self._playout.ppm,
            recovered=counts.recovered,
            concealed_ms=counts.concealed_ms,
            late=counts.late,
            dropped=counts.overflowed + self._playout.left_out,
            broken=counts.malformed + (self._codec.broken if self._codec else 0),
            codec_seconds=self._time.seconds,
        )
