"""The threads in which codecs run: PyAV and libopus release the GIL while they work, and the event loop goes on forwarding."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class CodecTime:
    """CPU seconds that codecs have spent on one bridge."""

    def __init__(self) -> None:
        self.seconds = 0.0


class CodecThreads:
    """See the module. A bridge waits for its piece of work before it hands in the next, so no more wait here than there are bridges."""

    def __init__(self, threads: int, *, cpu_clock: Callable[[], float] = time.thread_time) -> None:
        """``cpu_clock``: seconds that the calling thread has computed."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hearth-codec")
        self._cpu_clock = cpu_clock

    async def run(self, work: Callable[[], T], spent: CodecTime) -> T:
        """What ``work`` returns or raises, done in a thread. Cancelled, it is not begun, or its result is thrown away."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._timed, work, spent)

    def _timed(self, work: Callable[[], T], spent: CodecTime) -> T:
        began = self._cpu_clock()
        try:
            return work()
        finally:
            spent.seconds += self._cpu_clock() - began

    async def aclose(self) -> None:
        """Waits for what is being computed."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
