"""When the next AAC frame is due, and what goes into it: the jitter buffer and the drift control on this node's clock.

A sans-I/O state machine. One AAC frame is 1024 samples, 21⅓ ms; they are due evenly, counted from the first packet, whatever the network
does, because RTMP players expect a steady stream. What the sender's clock and ours differ by goes into ``ppm``, by which the sound is
stretched, and not into the timestamps.
"""

from __future__ import annotations

from media.bridge.config import BridgeConfig
from media.bridge.drift import DriftControl
from media.bridge.jitter_buffer import TICKS_PER_MS, JitterBuffer, Piece
from media.bridge.opus_to_aac import AAC_FRAME

MAX_BEHIND_MS = 500
"""Further behind its time than this, the process leaves frames out instead of making up for them."""


class Playout:
    """See the module."""

    def __init__(self, config: BridgeConfig) -> None:
        self.buffer = JitterBuffer(min_delay_ms=config.min_delay_ms, max_delay_ms=config.max_delay_ms)
        self._drift = DriftControl()
        self._began = 0
        """Ticks: when the first frame was due, on our clock."""
        self._frames = 0
        """AAC frames of time since then."""
        self._paused = False
        self.left_out = 0
        """AAC frames that this node was too slow for."""

    def begin(self, now: int) -> None:
        """The first frame is due now."""
        self._began = now * TICKS_PER_MS

    @property
    def due(self) -> int:
        """When the next frame is due (ms)."""
        return -(-(self._began + self._frames * AAC_FRAME) // TICKS_PER_MS)

    @property
    def ppm(self) -> float:
        """By how much the sound is played faster now."""
        return self._drift.ppm

    def timestamp(self, frame: int) -> int:
        """The RTMP timestamp (ms) of the AAC frame of that number, from 0."""
        return (frame + self.left_out) * AAC_FRAME // TICKS_PER_MS

    def next_frame(self, now: int, waiting: int) -> None:
        """Time moves on by a frame. Call it when ``due``; ``waiting``: samples taken before that have not been played yet."""
        behind = now - self.due
        if behind > MAX_BEHIND_MS:
            missed = behind * TICKS_PER_MS // AAC_FRAME
            self.left_out += missed
            self._frames += missed
        self._frames += 1
        self._follow(now, waiting)

    def pieces(self, samples: int, now: int) -> list[Piece]:
        """Sound for at least so many samples, as they are before the stretching."""
        taken: list[Piece] = []
        while samples > 0:
            taken.append(piece := self.buffer.take(now))
            samples -= piece.samples
        return taken

    def _follow(self, now: int, waiting: int) -> None:
        if not self.buffer.steady:
            self._paused = True
            return
        if self._paused:
            self._paused = False
            self._drift.reset()
        self._drift.update(self.buffer.delay_ms(now) + waiting / TICKS_PER_MS - self.buffer.target_ms)
