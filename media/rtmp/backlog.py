"""What waits for a player that reads too slowly: bounded in time and bytes; when it is full all of it goes, to be live again."""

from __future__ import annotations

from collections import deque

from media.flv import TIMESTAMP_MODULUS, Tag, TagKind
from media.rtmp.config import PlayerLimits

OVERHEAD = 128
"""Bytes that a message counts for beside its body: what its objects take at least. Else a million of two bytes each would be little."""


class Backlog:
    """Messages in order, oldest first."""

    __slots__ = ("_limits", "_tags", "_times", "bytes", "dropped")

    def __init__(self, limits: PlayerLimits) -> None:
        self._limits = limits
        self._tags: deque[Tag] = deque()
        self._times: deque[int] = deque()
        """Timestamps of those that have one: metadata has no time."""
        self.bytes = 0
        """Bodies, and ``OVERHEAD`` for each."""
        self.dropped = 0
        """Messages thrown away since the beginning."""

    def __len__(self) -> int:
        return len(self._tags)

    @property
    def ms(self) -> int:
        """Of the stream's time, from the oldest to the newest."""
        return (self._times[-1] - self._times[0]) % TIMESTAMP_MODULUS if self._times else 0

    def put(self, tag: Tag) -> bool:
        """Whether there was room. If not, everything is dropped, ``tag`` too: ask ``LiveStream.restart`` for a new beginning."""
        self._tags.append(tag)
        if tag.kind is not TagKind.DATA:
            self._times.append(tag.timestamp)
        self.bytes += len(tag.body) + OVERHEAD
        # Sound and pictures come a little out of order: a "negative" distance is no long one.
        if self.bytes <= self._limits.queue_bytes and not self._limits.queue_ms < self.ms < TIMESTAMP_MODULUS // 2:
            return True
        self.dropped += len(self._tags)
        self.clear()
        return False

    def take(self) -> Tag:
        tag = self._tags.popleft()
        if tag.kind is not TagKind.DATA:
            self._times.popleft()
        self.bytes -= len(tag.body) + OVERHEAD
        return tag

    def clear(self) -> None:
        self._tags.clear()
        self._times.clear()
        self.bytes = 0
