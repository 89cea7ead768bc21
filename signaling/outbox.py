"""Frames on their way to one client, in order.

A frame to a client that reads goes straight into the web server's transport: the ``send`` coroutine is run on the spot and, as a rule,
ends at once, so that telling a thousand members costs no thousand task switches. Only when it has to wait (the transport's
buffer is full) a task takes over and later frames queue up.

Policy: the queue is bounded by number and size. When it overflows the client is closed: it has not read for megabytes, so a later
resynchronisation is cheaper than what waits. Its session stays for the grace period.
"""

from __future__ import annotations

import asyncio
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

F = TypeVar("F", bound=str | bytes)


class Outbox(Generic[F]):
    """``send_frame`` writes one frame; ``on_overflow`` is called once, and must not block or raise."""

    __slots__ = (
        "_closed",
        "_most_frames",
        "_most_size",
        "_on_overflow",
        "_queue",
        "_send_frame",
        "_size",
        "_task",
    )

    def __init__(
        self,
        send_frame: Callable[[F], Coroutine[Any, Any, None]],
        *,
        most_frames: int,
        most_size: int,
        on_overflow: Callable[[], None],
    ) -> None:
        self._send_frame = send_frame
        self._most_frames = most_frames
        self._most_size = most_size
        self._on_overflow = on_overflow
        self._queue: deque[F] | None = None
        self._size = 0
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """Frames that the transport has not taken yet."""
        return len(self._queue or ())

    def send(self, frame: F) -> None:
        """Send now if the transport takes it, else queue. After ``close`` and after the socket is lost: nothing."""
        if self._closed:
            return
        if self._queue is not None:
            self._append(self._queue, frame)
            return
        coroutine = self._send_frame(frame)
        try:
            waits_for = coroutine.send(None)
        except StopIteration:
            return
        except Exception:
            # The socket is gone. Its reader is told by the web server and does what there is to do.
            self._closed = True
            return
        self._queue = deque()
        self._task = asyncio.get_running_loop().create_task(self._drain(_resume(coroutine, waits_for)))

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        self._queue = None if self._task is None else deque()
        self._size = 0

    async def aclose(self) -> None:
        """``close``, and end the task that waits for the transport."""
        self.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def flush(self) -> None:
        """Wait until the transport has taken everything that is queued now."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def _append(self, to: deque[F], frame: F) -> None:
        to.append(frame)
        self._size += len(frame)
        if self.waiting > self._most_frames or self._size > self._most_size:
            self.close()
            self._on_overflow()

    async def _drain(self, first: Coroutine[Any, Any, None]) -> None:
        try:
            await first
            while self._queue:
                frame = self._queue.popleft()
                self._size -= len(frame)
                await self._send_frame(frame)
        except Exception:
            self._closed = True
        finally:
            self._queue = None
            self._task = None


@types.coroutine
def _resume(coroutine: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that was run up to its first wait.

    What it waits for (a future, as asyncio awaits them) is handed to the task that runs this; later waits likewise.
    """
    try:
        while True:
            try:
                value = yield waits_for
            except BaseException as error:
                waits_for = coroutine.throw(error)
            else:
                waits_for = coroutine.send(value)
    except StopIteration:
        return
