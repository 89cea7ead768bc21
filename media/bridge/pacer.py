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
STANDING_MS = 3
"""When of ``WINDOW`` packets in a row each has waited longer than this, that is delay without use."""
WINDOW = 50
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
        self._waiting: deque[tuple[OpusFrame, int]] = deque()
        """With their arrival."""
        self._due = 0
        self._hurried = False
        self._least_wait: int | None = None
        """Of the packets sent in this window."""
        self._in_window = 0
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
        self._waiting.append((frame, now))
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
            frame, arrival = self._waiting.popleft()
            self._note_wait(self._due - arrival)
            taken.append(OpusFrame((frame.timestamp - self._left_out) % _TIMESTAMP_MODULUS, frame.payload, frame.marker))
            self._due += HURRIED_INTERVAL_MS if self._hurried or len(self._waiting) > CALM else INTERVAL_MS
        return taken

    def _note_wait(self, wait: int) -> None:
        self._least_wait = wait if self._least_wait is None else min(self._least_wait, wait)
        self._in_window += 1
        if self._in_window == WINDOW:
            self._hurried = self._least_wait > STANDING_MS
            self._least_wait, self._in_window = None, 0
