"""Frames on their way to one client, in order.

A frame to a client that reads goes straight into the web server's transport: the ``send`` coroutine is run on the spot and, as a rule,
ends at once, so that telling a thousand members costs no thousand task switches. Only when it has to wait (the transport's
buffer is full) a task takes over and later frames queue up.

Policy: the queue is bounded by number and size. When it overflows the client is closed: it has not read for megabytes, so a later
resynchronisation is cheaper than what waits. Its session stays for the grace period.

``hold`` keeps frames back for a moment. SDKs 1.x and 2.x handle a push as soon as they read it, but the callback of an answer only in a
timer. So a push that is read together with an answer is handled before it: after a login it is dropped (it carries a session that the
client does not know yet), after a list it is compared with the old sequence. Proved by the "busy phone" of
``tests/e2e/test_miniprogram_recovery.py`` with mini-program 2.11.0.
"""

from __future__ import annotations

import asyncio
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any


class Outbox:
    """``send_text`` writes one frame; ``on_overflow`` is called once, and must not block or raise."""

    __slots__ = (
        "_characters",
        "_closed",
        "_held",
        "_most_characters",
        "_most_frames",
        "_on_overflow",
        "_queue",
        "_release_timer",
        "_send_text",
        "_task",
    )

    def __init__(
        self,
        send_text: Callable[[str], Coroutine[Any, Any, None]],
        *,
        most_frames: int,
        most_characters: int,
        on_overflow: Callable[[], None],
    ) -> None:
        self._send_text = send_text
        self._most_frames = most_frames
        self._most_characters = most_characters
        self._on_overflow = on_overflow
        self._queue: deque[str] | None = None
        self._held: deque[str] | None = None
        self._characters = 0
        self._release_timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """Frames that the transport has not taken yet."""
        return len(self._queue or ()) + len(self._held or ())

    def send(self, text: str) -> None:
        """Send now if the transport takes it, else queue. After ``close`` and after the socket is lost: nothing."""
        if self._closed:
            return
        if self._held is not None:
            self._append(self._held, text)
            return
        if self._queue is not None:
            self._append(self._queue, text)
            return
        coroutine = self._send_text(text)
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

    def hold(self, milliseconds: int) -> None:
        """Keep what is sent from now on back, in order, for so long or until ``release``. 0 = not at all."""
        if not milliseconds or self._closed:
            return
        if self._release_timer is not None:
            self._release_timer.cancel()
        if self._held is None:
            self._held = deque()
        self._release_timer = asyncio.get_running_loop().call_later(milliseconds / 1000, self.release)

    def release(self) -> None:
        """End a hold."""
        if self._release_timer is not None:
            self._release_timer.cancel()
            self._release_timer = None
        held, self._held = self._held, None
        for text in held or ():
            self._characters -= len(text)
            self.send(text)

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        self.release()
        self._queue = None if self._task is None else deque()
        self._characters = 0

    async def aclose(self) -> None:
        """``close``, and end the task that waits for the transport."""
        self.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def flush(self) -> None:
        """Wait until the transport has taken everything that is held or queued now."""
        self.release()
        if self._task is not None:
            await asyncio.shield(self._task)

    def _append(self, to: deque[str], text: str) -> None:
        to.append(text)
        self._characters += len(text)
        if self.waiting > self._most_frames or self._characters > self._most_characters:
            self.close()
            self._on_overflow()

    async def _drain(self, first: Coroutine[Any, Any, None]) -> None:
        try:
            await first
            while self._queue:
                text = self._queue.popleft()
                self._characters -= len(text)
                await self._send_text(text)
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
