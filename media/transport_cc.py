"""Transport-wide feedback to a publisher: when each of its packets arrived (draft-holmer-rmcat-transport-wide-cc-extensions-01).

The publisher numbers everything it sends on the transport in a header extension, probes included, and estimates its bandwidth from
the arrival times that it is told. One feedback message covers a run of these numbers; what comes late is told with the next one,
together with its neighbours, as libwebrtc does.
"""

from __future__ import annotations

import struct

from media import rtcp

EXTENSION_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

MAX_STATUSES = 256
"""Transport numbers that one message covers: five seconds of a usual stream, and far below the size of a datagram."""
MAX_MESSAGES = 4
"""Messages made at one time; what is left over waits for the next."""
KEPT = 512
"""Arrivals remembered for being told again together with a late one."""
RESTART_JUMP = 2_048
"""A jump of the transport number by more than this begins a new log."""

_TICKS_PER_MS = 4
"""Arrival times are told in 250 µs (§3.1.5). Our clock counts milliseconds; libwebrtc groups packets over 5 ms."""
_REFERENCE_MS = 64
_LARGEST_DELTA = 0x7FFF
_NOT_RECEIVED, _SMALL_DELTA, _LARGE_DELTA = 0, 1, 2

_HEAD = struct.Struct("!HHI")
"""Base number and status count; reference time (24 bits) and message count (8 bits)."""
_LONGEST_RUN = 0x1FFF
_VECTOR = 7
"""Two-bit symbols in one status vector chunk (§3.1.4)."""


class ArrivalLog:
    """What one peer's packets carried, and when they came."""

    __slots__ = ("_arrivals", "_highest", "_messages", "_pending")

    def __init__(self) -> None:
        self._highest = -1
        """Counts on beyond 16 bits."""
        self._arrivals: dict[int, int] = {}
        """Transport number, counted on: arrival, ms. In the order of arrival, the last ``KEPT``."""
        self._pending: set[int] = set()
        """Numbers that have not been told."""
        self._messages = 0

    def arrived(self, number: int, now: int) -> None:
        """A packet with the transport number (16 bits) came at ``now`` (ms)."""
        if self._highest < 0:
            # Not at its own value: a packet that was sent before it may come after it.
            self._highest = number + (1 << 16)
        step = (number - self._highest) & 0xFFFF
        if step >= 1 << 15:
            step -= 1 << 16
        if abs(step) > RESTART_JUMP:
            self._arrivals.clear()
            self._pending.clear()
            # Far enough from what was told for no late packet to reach back.
            step &= 0xFFFF
        place = self._highest + step
        if place in self._arrivals:
            return
        self._highest = max(self._highest, place)
        self._arrivals[place] = now
        self._pending.add(place)
        if len(self._arrivals) > KEPT:
            oldest = next(iter(self._arrivals))
            del self._arrivals[oldest]
            self._pending.discard(oldest)

    def feedback(self, sender: int, source: int) -> list[bytes]:
        """The messages that tell what has come since the last call: from our SSRC on the publisher's. Empty if nothing came."""
        messages: list[bytes] = []
        while self._pending and len(messages) < MAX_MESSAGES:
            messages.append(self._message(sender, source, min(self._pending), max(self._pending)))
        return messages

    def _message(self, sender: int, source: int, base: int, last: int) -> bytes:
        reference = self._arrivals[base] // _REFERENCE_MS
        told = reference * _REFERENCE_MS
        symbols: list[int] = []
        deltas: list[bytes] = []
        for number in range(base, min(last, base + MAX_STATUSES - 1) + 1):
            arrival = self._arrivals.get(number)
            if arrival is None:
                symbols.append(_NOT_RECEIVED)
                continue
            delta = (arrival - told) * _TICKS_PER_MS
            if abs(delta) > _LARGEST_DELTA:
                # Eight seconds of silence lie before it: it begins a message of its own.
                break
            small = 0 <= delta <= 0xFF
            symbols.append(_SMALL_DELTA if small else _LARGE_DELTA)
            deltas.append(struct.pack("!B" if small else "!h", delta))
            told = arrival
            self._pending.discard(number)
        head = _HEAD.pack(base & 0xFFFF, len(symbols), (reference & 0xFFFFFF) << 8 | self._messages)
        self._messages = (self._messages + 1) & 0xFF
        return rtcp.transport_feedback(rtcp.TRANSPORT_WIDE, sender, source, head + _chunks(symbols) + b"".join(deltas))


def _chunks(symbols: list[int]) -> bytes:
    """Packet status chunks: a run where seven or more are alike, else a vector of seven."""
    chunks: list[bytes] = []
    position = 0
    while position < len(symbols):
        symbol, run = symbols[position], 1
        while run < _LONGEST_RUN and position + run < len(symbols) and symbols[position + run] == symbol:
            run += 1
        if run >= _VECTOR or position + run == len(symbols):
            chunks.append(struct.pack("!H", symbol << 13 | run))
            position += run
            continue
        vector = 0b11 << 14
        for place, one in enumerate(symbols[position : position + _VECTOR]):
            vector |= one << (12 - 2 * place)
        chunks.append(struct.pack("!H", vector))
        position += _VECTOR
    return b"".join(chunks)
