"""Frames kept back for a moment, so that an SDK handles an answer before the push behind it.

SDKs handle a push as soon as they read it, but the callback of an answer only in a timer. So a push that is read together with an answer
is handled before it: after a login it is dropped (it carries a session that the client does not know yet; SDKs 1.x and 2.x), after a list
it is compared with the old sequence (all). Proved by the "busy phone" of ``tests/e2e/test_miniprogram_recovery.py`` with 2.11.0.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic

from signaling.outbox import F


class Settling(Generic[F]):
    """In front of an ``Outbox``: passes frames on, or keeps them in order. ``on_overflow`` must not block or raise."""

    __slots__ = ("_held", "_most_frames", "_most_size", "_on_overflow", "_send", "_size", "_timer")

    def __init__(self, send: Callable[[F], None], *, most_frames: int, most_size: int, on_overflow: Callable[[], None]) -> None:
        self._send = send
        self._most_frames = most_frames
        self._most_size = most_size
        self._on_overflow = on_overflow
        self._held: deque[F] | None = None
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def send(self, frame: F) -> None:
        if self._held is None:
            self._send(frame)
            return
        self._held.append(frame)
        self._size += len(frame)
        if len(self._held) > self._most_frames or self._size > self._most_size:
            self._held.clear()
            self.release()
            self._on_overflow()

    def hold(self, milliseconds: int) -> None:
        """Keep what is sent from now on back, in order, for so long or until ``release``. 0 = not at all."""
        if not milliseconds:
            return
        if self._timer is not None:
            self._timer.cancel()
        if self._held is None:
            self._held = deque()
        self._timer = asyncio.get_running_loop().call_later(milliseconds / 1000, self.release)

    def release(self) -> None:
        """End a hold: what was kept back is sent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held, None
        self._size = 0
        for frame in held or ():
            self._send(frame)
