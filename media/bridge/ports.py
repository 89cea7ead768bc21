"""What a bridge needs of the SFU. ``media.sfu.Sfu`` has it."""

from __future__ import annotations

from typing import Protocol

from media.audience import StreamWatcher
from media.plane import Tap


class WebRtc(Protocol):
    """Streams by name, as in ``media.sfu.Sfu``."""

    def watch(self, watcher: StreamWatcher) -> None: ...

    def is_heard(self, stream: str) -> bool: ...

    def is_published(self, stream: str) -> bool: ...

    def open_tap(self, stream: str, receive: Tap) -> int: ...

    def close_tap(self, tap: int) -> None: ...

    def open_feed(self, stream: str) -> int: ...

    def feed_packet(self, feed: int, timestamp: int, payload: bytes, *, marker: bool = False) -> None: ...

    def close_feed(self, feed: int) -> None: ...
