"""Opus packets in, in any order and with gaps; a steady sequence of pieces of sound out.

A sans-I/O state machine. ``insert`` takes packets as they come, ``take`` says what is to be played next: a packet, the repair of a lost
one from the packet behind it, concealment, or silence. Time (ms) is an argument and steady.

The delay is measured against the quickest packet of the last ten seconds: ``delay_ms`` says how long after such a packet arrives it is
played, so the clocks' drift shows in it and the jitter of single packets does not. ``target_ms`` follows the lateness of packets: quickly
up, slowly down.

Where nothing has come yet the position stays (as in WebRTC's NetEQ): sound that comes late then plays late instead of not at all, and
the delay shrinks again by and by. A pause of the sender (DTX, a muted microphone) is not lateness; after a long one the delay is set anew.
"""

from __future__ import annotations

import enum
from bisect import insort
from dataclasses import dataclass, field

from media.bridge import opus_packet
from media.bridge.opus_packet import FRAME_20_MS, OpusMalformed

TICKS_PER_MS = 48
CAPACITY = 100
"""Packets; then the oldest goes. Two seconds of the usual ones, far more than the delay ever is."""
MAX_JUMP = 2_000 * TICKS_PER_MS
"""A timestamp that is further from its time than this begins a new count."""
PAUSE = 200 * TICKS_PER_MS
"""After so long without sound, nobody hears the delay being set anew."""
FADED = 500 * TICKS_PER_MS
"""Concealment for longer than this is silence anyway. DTX refreshes the comfort noise every 400 ms (RFC 6716 §2.1.9)."""
EXCESS_MS = 300
"""So much more delay than wanted is not played away but left out."""
MARGIN_MS = 25
"""On top of the lateness seen: sound is taken 20 ms at a time, of which the last sample is taken 20 ms before it is played."""
_HALF_PIECE_MS = 10
_REPAIR_MS = 25
"""A packet and a little: so late may one be that repairs the one before it."""
_SHORTEST = 120
"""Opus knows no shorter piece than 2.5 ms."""
_WINDOW_MS = 5_000
_PEAK_DECAY = 0.998
"""For each packet: half in 7 s."""


class Kind(enum.Enum):
    PACKET = "packet"
    RECOVERED = "recovered"
    """The lost packet before ``payload``, from what that carries of it (in-band FEC); concealed if it carries nothing."""
    CONCEALED = "concealed"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Piece:
    """What is to be played next."""

    kind: Kind
    samples: int
    payload: bytes = b""


@dataclass(order=True, slots=True)
class _Packet:
    timestamp: int
    sequence: int = field(compare=False)
    samples: int = field(compare=False)
    payload: bytes = field(compare=False)


@dataclass(slots=True)
class JitterCounts:
    """Since the beginning."""

    packets: int = 0
    late: int = 0
    """Came after their time or twice."""
    malformed: int = 0
    overflowed: int = 0
    """Dropped because the buffer was full."""
    recovered: int = 0
    """Lost packets that were looked for in the in-band FEC of the next."""
    concealed_ms: int = 0
    """Concealed sound, silence left out."""
    skipped_ms: int = 0
    """Sound left out to get back to the wanted delay."""
    restarts: int = 0
    """Timestamps that jumped."""


class JitterBuffer:
    """See the module."""

    def __init__(self, *, min_delay_ms: int, max_delay_ms: int) -> None:
        self._min_delay_ms = min_delay_ms
        self._max_delay_ms = max_delay_ms
        self._packets: list[_Packet] = []
        self._newest: int | None = None
        """Timestamp of the packet that came last, counted on beyond 32 bits."""
        self._position = 0
        """Timestamp of the next sample to be played."""
        self._last_sequence = 0
        """Of the packet played last."""
        self._waited = 0
        """Samples played since the buffer ran empty, for which the position has not moved."""
        self._faded = 0
        """Samples without a packet."""
        self._transit = _WindowedMinimum()
        self._peak_ms = 0.0
        self.counts = JitterCounts()

    @property
    def started(self) -> bool:
        """A packet has come."""
        return self._newest is not None

    @property
    def target_ms(self) -> float:
        return min(self._max_delay_ms, max(self._min_delay_ms, self._peak_ms + MARGIN_MS))

    def delay_ms(self, now: int) -> float:
        """See the module; only once a packet has come."""
        return (now * TICKS_PER_MS - self._transit.value - self._position - self._waited) / TICKS_PER_MS

    @property
    def steady(self) -> bool:
        """Sound is coming, so that the delay means something."""
        return self._waited == 0

    @property
    def buffered_ms(self) -> float:
        return sum(packet.samples for packet in self._packets) / TICKS_PER_MS

    # --- in

    def insert(self, sequence: int, timestamp: int, payload: bytes, now: int) -> None:
        """One packet, at its arrival. ``sequence`` counts on beyond 16 bits, ``timestamp`` is 0 … 2^32-1."""
        try:
            samples = opus_packet.duration(payload)
        except OpusMalformed:
            self.counts.malformed += 1
            return
        self.counts.packets += 1
        position = self._extend(timestamp)
        if self._newest is None or self._begins_anew(sequence, position, now):
            self._restart(sequence, position, now)
        self._newest = position
        self._measure(position, now)
        if self._waited and position + samples > self._position:
            self._go_on(sequence, position, now)
        if position + samples <= self._position or any(position == packet.timestamp for packet in self._packets):
            self.counts.late += 1
            return
        insort(self._packets, _Packet(position, sequence, samples, payload))
        if len(self._packets) > CAPACITY:
            self._packets.pop(0)
            self.counts.overflowed += 1

    def _extend(self, timestamp: int) -> int:
        if self._newest is None:
            return timestamp
        return self._newest + (timestamp - self._newest + (1 << 31)) % (1 << 32) - (1 << 31)

    def _begins_anew(self, sequence: int, position: int, now: int) -> bool:
        if abs(position - self._position - self._waited) > MAX_JUMP:
            return True
        # After a pause it may be less: a sender whose timestamps went back would be late until they have made up for it.
        late = now * TICKS_PER_MS - position - self._transit.value
        return self._waited >= PAUSE and sequence > self._last_sequence and late > self._max_delay_ms * TICKS_PER_MS

    def _restart(self, sequence: int, position: int, now: int) -> None:
        """The first packet, or the first of a new count of timestamps."""
        if self._newest is not None:
            self.counts.restarts += 1
        self._packets.clear()
        self._transit = _WindowedMinimum()
        self._last_sequence = sequence - 1
        self._waited = PAUSE
        self._position = position - PAUSE

    def _measure(self, position: int, now: int) -> None:
        transit = now * TICKS_PER_MS - position
        least = self._transit.update(transit, now)
        self._peak_ms = max((transit - least) / TICKS_PER_MS, self._peak_ms * _PEAK_DECAY)

    def _go_on(self, sequence: int, position: int, now: int) -> None:
        """Sound again after the buffer ran empty."""
        if sequence - self._last_sequence > 1:
            # A packet was lost, and the one behind it came too late to repair it. The next such pair is waited for.
            self._peak_ms = max(self._peak_ms, _REPAIR_MS)
        if self._waited >= PAUSE:
            # Half a piece early: until the next is taken, it will have become later by up to one.
            delay = round((self.target_ms - _HALF_PIECE_MS) * TICKS_PER_MS)
            self._position = min(position, now * TICKS_PER_MS - self._transit.value - delay)
        else:
            # Later than it should: plays now. Not yet due, after a short pause: waits for its time.
            self._position = max(self._position, min(position, self._position + self._waited))
        self._waited = 0

    # --- out

    def take(self, now: int) -> Piece:
        """What is played next; the position moves behind it. Before the first packet: silence."""
        if self._newest is None:
            return Piece(Kind.SILENCE, FRAME_20_MS)
        self._leave_out_excess(now)
        while self._packets and self._packets[0].timestamp - self._position < _SHORTEST:
            packet = self._packets.pop(0)
            if packet.timestamp + packet.samples > self._position:
                return self._play(packet)
        if not self._packets:
            self._waited += FRAME_20_MS
            return self._fill(FRAME_20_MS)
        following = self._packets[0]
        missing = min(FRAME_20_MS, (following.timestamp - self._position) // _SHORTEST * _SHORTEST)
        self._position += missing
        lost = following.sequence - self._last_sequence > 1
        if lost and following.timestamp - self._position < _SHORTEST:
            self.counts.recovered += 1
            self._faded = 0
            return Piece(Kind.RECOVERED, missing, following.payload)
        return self._fill(missing)

    def _play(self, packet: _Packet) -> Piece:
        self._position = packet.timestamp + packet.samples
        self._last_sequence = packet.sequence
        self._faded = 0
        return Piece(Kind.PACKET, packet.samples, packet.payload)

    def _fill(self, samples: int) -> Piece:
        self._faded += samples
        if self._faded > FADED:
            return Piece(Kind.SILENCE, samples)
        self.counts.concealed_ms += samples // TICKS_PER_MS
        return Piece(Kind.CONCEALED, samples)

    def _leave_out_excess(self, now: int) -> None:
        excess = self.delay_ms(now) - self.target_ms
        if not self.steady or excess <= EXCESS_MS:
            return
        self._position += round(excess * TICKS_PER_MS)
        self.counts.skipped_ms += round(excess)


class _WindowedMinimum:
    """The least value of the last five to ten seconds."""

    def __init__(self) -> None:
        self._before: int | None = None
        self._current: int | None = None
        self._current_until = 0
        self.value = 0

    def update(self, value: int, now: int) -> int:
        if self._current is None or now >= self._current_until:
            # A window that ended long ago tells nothing.
            recent = self._current is not None and now < self._current_until + _WINDOW_MS
            self._before = self._current if recent else None
            self._current = value
            self._current_until = now + _WINDOW_MS
        else:
            self._current = min(self._current, value)
        self.value = self._current if self._before is None else min(self._before, self._current)
        return self.value
