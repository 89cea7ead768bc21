"""Which streams cross over between RTMP and WebRTC, and when: only while one side publishes and the other listens.

Nobody asks for a bridge. The SFU and the hub of live streams tell who publishes and who listens; a stream that has a publisher on one side
and a listener on the other gets a bridge, once for all listeners.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

import structlog

from media.bridge.codec_threads import CodecThreads
from media.bridge.config import BridgeConfig
from media.bridge.libopus import CodecError
from media.bridge.ports import WebRtc
from media.bridge.rtmp_to_webrtc import RtmpToWebRtc
from media.bridge.statistics import BridgeStatistics, BridgeTotals, Direction
from media.bridge.webrtc_to_rtmp import WebRtcToRtmp
from media.errors import MediaError
from media.plane import Clock
from media.rtmp.live import LiveHub, LiveStream

log = structlog.get_logger()

Bridge = RtmpToWebRtc | WebRtcToRtmp
_Key = tuple[str, Direction]


@dataclass
class _Running:
    bridge: Bridge
    task: asyncio.Task[None]
    linger: asyncio.TimerHandle | None = None
    """Ends it when nobody has come back."""


@dataclass
class _Pause:
    """A bridge that failed, or had no place."""

    timer: asyncio.TimerHandle
    failures: int
    """In a row."""
    refused: bool
    """It waits for a place."""


class Bridges:
    """See the module. Every method is for the event loop."""

    def __init__(self, sfu: WebRtc, hub: LiveHub, config: BridgeConfig, *, clock: Clock) -> None:
        self._sfu = sfu
        self._hub = hub
        self._config = config
        self._clock = clock
        self._threads = CodecThreads(config.threads)
        self._running: dict[_Key, _Running] = {}
        self._pauses: dict[_Key, _Pause] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._begun: Counter[Direction] = Counter()
        self._failed = 0
        self._refused = 0
        self._past_seconds = 0.0
        self._past_dropped = 0
        self._closed = False
        sfu.watch(self)
        hub.listen(self)

    async def aclose(self) -> None:
        """Ends every bridge; none begins any more."""
        self._closed = True
        for pause in self._pauses.values():
            pause.timer.cancel()
        self._pauses.clear()
        for key in list(self._running):
            self._end(key)
        await asyncio.gather(*self._ending, return_exceptions=True)
        await self._threads.aclose()

    # --- figures

    def statistics(self, stream: str) -> list[BridgeStatistics]:
        """Of the bridges of one stream, usually none or one."""
        running = (self._running.get((stream, direction)) for direction in Direction)
        return [found.bridge.statistics() for found in running if found is not None]

    def totals(self) -> BridgeTotals:
        now = [running.bridge.statistics() for running in self._running.values()]
        return BridgeTotals(
            running={direction: sum(bridge.direction is direction for bridge in now) for direction in Direction},
            begun={direction: self._begun[direction] for direction in Direction},
            failed=self._failed,
            refused=self._refused,
            codec_seconds=self._past_seconds + sum(bridge.codec_seconds for bridge in now),
            dropped=self._past_dropped + sum(bridge.dropped for bridge in now),
        )

    # --- media.audience.StreamWatcher

    def audience_changed(self, stream: str, present: bool) -> None:
        self._look(stream, Direction.RTMP_TO_WEBRTC)

    def publisher_changed(self, stream: str, present: bool) -> None:
        self._look_at_both(stream)

    # --- media.rtmp.live.LiveListener

    def first_player(self, stream: LiveStream) -> None:
        self._look(stream.name, Direction.WEBRTC_TO_RTMP)

    def last_player_gone(self, stream: LiveStream) -> None:
        self._look(stream.name, Direction.WEBRTC_TO_RTMP)

    def publisher_began(self, stream: LiveStream) -> None:
        self._look_at_both(stream.name)

    def publisher_ended(self, stream: LiveStream) -> None:
        self._look_at_both(stream.name)

    # --- inside

    def _look_at_both(self, stream: str) -> None:
        for direction in Direction:
            self._look(stream, direction)

    def _look(self, stream: str, direction: Direction) -> None:
        """Begins or ends a bridge, as things are now."""
        key = stream, direction
        running = self._running.get(key)
        published, heard = self._published(stream, direction), self._heard(stream, direction)
        if not published or self._closed or not self._config.max_bridges:
            # Another publisher may come on either side: nothing must be in its way.
            self._forget_pause(key)
            if running is not None:
                self._end(key)
        elif not heard:
            self._forget_pause(key)
            if running is not None and running.linger is None:
                running.linger = asyncio.get_running_loop().call_later(self._config.linger_ms / 1000, self._end, key)
        elif running is None:
            if key not in self._pauses:
                self._begin(key, 0)
        elif running.linger is not None:
            running.linger.cancel()
            running.linger = None

    def _published(self, stream: str, direction: Direction) -> bool:
        """Somebody publishes the stream on the one side and nobody on the other."""
        live = self._hub.stream(stream)
        publisher = live.feed.publisher if live is not None and live.feed is not None else None
        rtmp = publisher is not None and not isinstance(publisher, WebRtcToRtmp)
        webrtc = self._sfu.is_published(stream)
        return rtmp and not webrtc if direction is Direction.RTMP_TO_WEBRTC else webrtc and not rtmp

    def _heard(self, stream: str, direction: Direction) -> bool:
        if direction is Direction.RTMP_TO_WEBRTC:
            return self._sfu.is_heard(stream)
        live = self._hub.stream(stream)
        # A conversion towards WebRTC, which is a player too, has ended before this side can be published by WebRTC.
        return live is not None and bool(live.players)

    def _begin(self, key: _Key, failures: int, *, waits: bool = False) -> None:
        stream, direction = key
        if len(self._running) >= self._config.max_bridges:
            if not waits:
                self._refused += 1
                log.warning("bridge_refused", stream=stream, direction=direction.value, limit=self._config.max_bridges)
            self._pause(key, failures, refused=True)
            return
        make = RtmpToWebRtc if direction is Direction.RTMP_TO_WEBRTC else WebRtcToRtmp
        bridge = make(stream, self._sfu, self._hub, self._threads, self._config, self._clock)
        task = asyncio.create_task(self._run(key, bridge, failures), name=f"bridge-{direction.value}")
        self._running[key] = _Running(bridge, task)
        self._begun[direction] += 1
        log.info("bridge_began", stream=stream, direction=direction.value)

    async def _run(self, key: _Key, bridge: Bridge, failures: int) -> None:
        try:
            await bridge.run()
        except (CodecError, MediaError) as error:
            self._fail(key, bridge, failures, str(error))
        except Exception as error:
            # Ours or a codec's; only this bridge ends.
            log.exception("bridge_error", stream=bridge.stream, direction=bridge.direction.value)
            self._fail(key, bridge, failures, repr(error))
        else:
            self._gone(key, bridge)
            self._look_at_both(bridge.stream)

    def _fail(self, key: _Key, bridge: Bridge, failures: int, problem: str) -> None:
        self._failed += 1
        wanted = self._gone(key, bridge)
        log.warning("bridge_failed", stream=bridge.stream, direction=bridge.direction.value, problem=problem)
        if self._clock() - bridge.statistics().began_at > self._config.max_retry_ms:
            # It has worked for a good while: this is another failure.
            failures = 0
        if wanted:
            self._pause(key, failures + 1)

    def _pause(self, key: _Key, failures: int, *, refused: bool = False) -> None:
        delay = min(self._config.max_retry_ms, self._config.retry_ms * 2 ** max(0, min(failures, 16) - 1))
        self._pauses[key] = _Pause(asyncio.get_running_loop().call_later(delay / 1000, self._retry, key), failures, refused)

    def _retry(self, key: _Key) -> None:
        pause = self._pauses.pop(key)
        if self._published(*key) and self._heard(*key):
            self._begin(key, pause.failures, waits=pause.refused)

    def _forget_pause(self, key: _Key) -> None:
        pause = self._pauses.pop(key, None)
        if pause is not None:
            pause.timer.cancel()

    def _end(self, key: _Key) -> None:
        running = self._running[key]
        self._gone(key, running.bridge)
        running.bridge.close()
        running.task.cancel()
        self._ending.add(running.task)
        running.task.add_done_callback(self._ending.discard)

    def _gone(self, key: _Key, bridge: Bridge) -> bool:
        """The bridge is no longer at work. False if it had been ended before and fails on its way out."""
        running = self._running.get(key)
        if running is None or running.bridge is not bridge:
            return False
        del self._running[key]
        if running.linger is not None:
            running.linger.cancel()
        figures = bridge.statistics()
        self._past_seconds += figures.codec_seconds
        self._past_dropped += figures.dropped
        log.info("bridge_ended", stream=bridge.stream, direction=bridge.direction.value, frames=figures.frames_out)
        return True
