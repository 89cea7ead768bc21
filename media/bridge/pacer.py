"""Evens out what comes in bursts: RTMP runs over TCP, and one AAC frame may be more than one Opus packet.

A sans-I/O state machine: time is an argument, ``due`` says when to call ``take`` next. Packets leave 20 ms after one another while there
are any, and at once when the line was empty: a steady source is not delayed. After a stall, what has gathered leaves a little faster
than it plays, so that the delay shrinks again without a burst for the listeners' jitter buffers.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from media.bridge.opus_packet import FRAME_20_MS

INTERVAL_MS = 20
HURRIED_INTERVAL_MS = 18
CALM = 4
"""Packets. So many may wait without haste: an AAC frame of 16 kHz is 64 ms of sound."""
LIVE = 5
"""Packets that are kept when too many wait."""

_TIMESTAMP_MODULUS = 1 << 32


@dataclass(frozen=True, slots=True)
class OpusFrame:
    """20 ms of sound."""

    timestamp: int
    """48 kHz, of its first sample; counts on beyond 32 bits."""
    payload: bytes
    marker: bool = False
    """Sound begins (again) with it (RFC 3551 §4.1)."""


class Pacer:
    """See the module. Bounded: one packet more than ``max_packets`` and all but the newest ``LIVE`` are left out, without a gap in the
    timestamps."""

    def __init__(self, max_packets: int) -> None:
        self._max_packets = max(max_packets, LIVE)
        self._waiting: deque[OpusFrame] = deque()
        self._due = 0
        self._left_out = 0
        """Ticks by which timestamps are moved back for the packets that were left out."""
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def due(self) -> int | None:
        """When ``take`` has something (ms); None = not before the next ``push``."""
        return self._due if self._waiting else None

    def push(self, frame: OpusFrame, now: int) -> None:
        if not self._waiting:
            self._due = max(self._due, now)
        self._waiting.append(frame)
        if len(self._waiting) > self._max_packets:
            while len(self._waiting) > LIVE:
                self._waiting.popleft()
                self._left_out += FRAME_20_MS
                self.dropped += 1
            self._due = now

    def take(self, now: int) -> list[OpusFrame]:
        """The packets whose time has come. Their timestamps are 0 … 2^32-1."""
        taken = []
        while self._waiting and self._due <= now:
            frame = self._waiting.popleft()
            taken.append(OpusFrame((frame.timestamp - self._left_out) % _TIMESTAMP_MODULUS, frame.payload, frame.marker))
            self._due += INTERVAL_MS if len(self._waiting) <= CALM else HURRIED_INTERVAL_MS
        return taken
