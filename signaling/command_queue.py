"""Requests that are done one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

R = TypeVar("R")


class CommandQueue(Generic[R]):
    """Done in order by a task that exists only while there is something to do. ``answer`` must not raise."""

    __slots__ = ("_answer", "_most", "_waiting", "_worker")

    def __init__(self, answer: Callable[[R], Awaitable[None]], most: int) -> None:
        self._answer = answer
        self._most = most
        self._waiting: deque[R] | None = None
        self._worker: asyncio.Task[None] | None = None

    async def put(self, request: R) -> None:
        """Begin, or line up. With ``most`` in line it waits until all are done, and so reads no more from the client."""
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(request)
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work())
        elif len(self._waiting) >= self._most:
            await asyncio.wait([self._worker])

    async def idle(self, timeout: float | None = None) -> None:
        """Wait until everything is done, at most ``timeout`` seconds."""
        while self._worker is not None:
            await asyncio.wait([self._worker], timeout=timeout)
            if timeout is not None:
                return

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._answer(self._waiting.popleft())
        finally:
            self._waiting = None
            self._worker = None
