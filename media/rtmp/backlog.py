"""What waits for a player that reads too slowly: bounded in time and bytes; when it is full all of it goes, to be live again."""

from __future__ import annotations

from collections import deque

from media.flv import TIMESTAMP_MODULUS, Tag, TagKind
from media.rtmp.config import PlayerLimits


class Backlog:
    """Messages in order, oldest first."""

    __slots__ = ("_limits", "_tags", "bytes", "dropped")

    def __init__(self, limits: PlayerLimits) -> None:
        self._limits = limits
        self._tags: deque[Tag] = deque()
        self.bytes = 0
        self.dropped = 0
        """Messages thrown away since the beginning."""

    def __len__(self) -> int:
        return len(self._tags)

    @property
    def ms(self) -> int:
        """Of the stream's time, from the oldest to the newest."""
        # Metadata has no time.
        oldest = next((tag for tag in self._tags if tag.kind is not TagKind.DATA), None)
        newest = next((tag for tag in reversed(self._tags) if tag.kind is not TagKind.DATA), None)
        return 0 if oldest is None or newest is None else (newest.timestamp - oldest.timestamp) % TIMESTAMP_MODULUS

    def put(self, tag: Tag) -> bool:
        """Whether there was room. If not, everything is dropped, ``tag`` too: ask ``LiveStream.restart`` for a new beginning."""
        self._tags.append(tag)
        self.bytes += len(tag.body)
        # Sound and pictures come a little out of order: a "negative" distance is no long one.
        if self.bytes <= self._limits.queue_bytes and not self._limits.queue_ms < self.ms < TIMESTAMP_MODULUS // 2:
            return True
        self.dropped += len(self._tags)
        self.clear()
        return False

    def take(self) -> Tag:
        tag = self._tags.popleft()
        self.bytes -= len(tag.body)
        return tag

    def clear(self) -> None:
        self._tags.clear()
        self.bytes = 0
