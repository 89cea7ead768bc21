"""Token buckets: how much of something may happen per second."""

from __future__ import annotations


class TokenBucket:
    """Holds at most one second's worth (at least one); refills evenly. Time is passed in, epoch milliseconds."""

    __slots__ = ("_filled_at", "_level", "_rate", "_size")

    def __init__(self, rate: float, now: int) -> None:
        self._rate = rate
        self._size = max(rate, 1.0)
        self._level = self._size
        self._filled_at = now

    def take(self, now: int) -> bool:
        """Takes one; False if there is none. A rate of 0 never refuses."""
        if self._rate <= 0:
            return True
        if now > self._filled_at:
            self._level = min(self._size, self._level + (now - self._filled_at) * self._rate / 1000)
        self._filled_at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
