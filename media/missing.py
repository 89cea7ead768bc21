"""Which packets of a publisher are missing and worth asking for again (generic NACK, RFC 4585 §6.2.1).

A packet is asked for as soon as a later one has come, and again every ``RETRY_MS`` as long as it could still be played. On a path
that reorders, a few are sent twice; SRTP's replay check drops the second.
"""

from __future__ import annotations

MAX_GAP = 64
"""Packets. More missing at once is a break in the connection, not loss: what was said in it is over."""
TRIES = 3
RETRY_MS = 100
"""A usual round trip, and the distance of the plane's ticks."""


class MissingPackets:
    """Of one source (one SSRC). Bounded by ``MAX_GAP``."""

    __slots__ = ("_highest", "_missing", "recovered")

    def __init__(self, sequence: int) -> None:
        self._highest = sequence
        self._missing: dict[int, tuple[int, int]] = {}
        """Sequence number: how often it was asked for, and when last (epoch ms)."""
        self.recovered = 0
        """Packets that came after they had been asked for."""

    def arrived(self, sequence: int, now: int) -> list[int]:
        """A packet came at ``now`` (ms). Returns the sequence numbers to ask for."""
        step = (sequence - self._highest) & 0xFFFF
        if step == 1:
            self._highest = sequence
            return []
        if step >= 1 << 15:
            if self._missing.pop(sequence, None) is not None:
                self.recovered += 1
            return []
        fresh = [(self._highest + offset) & 0xFFFF for offset in range(1, step)] if step <= MAX_GAP else []
        self._highest = sequence
        if len(self._missing) + len(fresh) > MAX_GAP or step > MAX_GAP:
            self._missing.clear()
        self._missing.update((number, (1, now)) for number in fresh)
        return fresh

    def due(self, now: int) -> list[int]:
        """The sequence numbers to ask for once more; those that have been asked for often enough are given up."""
        if not self._missing:
            return []
        again: list[int] = []
        for number, (asked, last) in list(self._missing.items()):
            if now - last < RETRY_MS:
                continue
            if asked == TRIES:
                del self._missing[number]
            else:
                self._missing[number] = (asked + 1, now)
                again.append(number)
        return again
