"""Which streams have somebody who hears them, and which have a publisher: told when it changes, for whoever brings sound in or out."""

from __future__ import annotations

from collections import Counter
from typing import Protocol


class StreamWatcher(Protocol):
    """Told of the WebRTC sessions of streams, synchronously, on the event loop."""

    def audience_changed(self, stream: str, present: bool) -> None:
        """The stream got its first player that is to hear it, or lost the last one. Muted players hear nothing and do not count."""

    def publisher_changed(self, stream: str, present: bool) -> None:
        """A publisher of the stream connected, or the last one is gone. One that replaces another is no change."""


class Audience:
    """Players of each stream that packets are forwarded to, whether ICE and DTLS are up yet or not."""

    def __init__(self) -> None:
        self._listeners: Counter[str] = Counter()
        self._watchers: list[StreamWatcher] = []

    def watch(self, watcher: StreamWatcher) -> None:
        self._watchers.append(watcher)

    def present(self, stream: str) -> bool:
        """Whether anybody is to hear the stream."""
        return stream in self._listeners

    def joined(self, stream: str) -> None:
        self._listeners[stream] += 1
        if self._listeners[stream] == 1:
            for watcher in self._watchers:
                watcher.audience_changed(stream, True)

    def left(self, stream: str) -> None:
        self._listeners[stream] -= 1
        if not self._listeners[stream]:
            del self._listeners[stream]
            for watcher in self._watchers:
                watcher.audience_changed(stream, False)

    def publisher_changed(self, stream: str, present: bool) -> None:
        for watcher in self._watchers:
            watcher.publisher_changed(stream, present)
