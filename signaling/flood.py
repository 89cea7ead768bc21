"""How much one connection may ask."""

from __future__ import annotations


class TokenBucket:
    """``burst`` at once, ``per_second`` on average. Times in epoch milliseconds."""

    __slots__ = ("_at", "_level")

    def __init__(self, now: int, burst: int) -> None:
        self._at = now
        self._level = float(burst)

    def take(self, now: int, per_second: int, burst: int) -> bool:
        """Whether one more is allowed now."""
        level = min(float(burst), self._level + max(0, now - self._at) * per_second / 1000)
        self._at = now
        if level < 1:
            self._level = level
            return False
        self._level = level - 1
        return True
