"""A bound on how many packets a second are taken from one peer, with room for bursts (the generic cell rate algorithm)."""

from __future__ import annotations


class PacketRate:
    """``per_second`` on average; ``burst_ms`` worth of them at once, as they come after a Wi-Fi link has been asleep."""

    __slots__ = ("_burst_ms", "_due", "_spacing_ms")

    def __init__(self, per_second: float, *, burst_ms: float) -> None:
        self._spacing_ms = 1_000 / per_second
        self._burst_ms = burst_ms
        self._due = 0.0
        """When everything allowed so far would have come at an even pace (epoch ms)."""

    def allows(self, now: int) -> bool:
        """Counts one more packet, unless it is one too many."""
        due = max(self._due, now) + self._spacing_ms
        if due - now > self._burst_ms:
            return False
        self._due = due
        return True
