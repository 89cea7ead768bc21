"""A bound on how many packets or messages a second are taken from one peer, with room for bursts (the generic cell rate algorithm)."""

from __future__ import annotations


class PacketRate:
    """``per_second`` on average; ``burst_ms`` worth of them at once, as they come after a Wi-Fi link has been asleep."""

    __slots__ = ("_burst_us", "_due_us", "_spacing_us")

    def __init__(self, per_second: int, *, burst_ms: int) -> None:
        self._spacing_us = 1_000_000 // per_second
        self._burst_us = burst_ms * 1_000
        self._due_us = 0
        """When everything allowed so far would have come at an even pace (epoch microseconds)."""

    def allows(self, now: int, count: int = 1) -> bool:
        """Counts so many more packets at ``now`` (ms), unless they are too many."""
        now_us = now * 1_000
        due_us = max(self._due_us, now_us) + count * self._spacing_us
        if due_us - now_us > self._burst_us:
            return False
        self._due_us = due_us
        return True
