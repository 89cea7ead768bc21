"""A bounded time series of samples: a ring of numbers, without an object for each point."""

from __future__ import annotations

from array import array

from media.figures import Sample

_WIDTH = len(Sample._fields)


class Series:
    """The newest ``most`` samples. Adding one is O(1); memory grows with the points up to 8 + 4 × 6 bytes for each."""

    __slots__ = ("_at", "_most", "_next", "_values")

    def __init__(self, most: int) -> None:
        self._most = most
        self._at = array("q")
        self._values = array("f")
        self._next = 0
        """Where the next sample goes once the ring is full: the oldest one's place."""

    def __len__(self) -> int:
        return len(self._at)

    def add(self, at: int, sample: Sample) -> None:
        """``at``: epoch ms."""
        if len(self._at) < self._most:
            self._at.append(at)
            self._values.extend(sample)
            return
        self._at[self._next] = at
        start = self._next * _WIDTH
        self._values[start : start + _WIDTH] = array("f", sample)
        self._next = (self._next + 1) % self._most

    def times(self) -> list[int]:
        """Epoch ms, the oldest first."""
        return [*self._at[self._next :], *self._at[: self._next]]

    def column(self, field: str) -> list[float]:
        """One field of ``Sample``, in the order of ``times``."""
        column = self._values[Sample._fields.index(field) :: _WIDTH]
        return [*column[self._next :], *column[: self._next]]
