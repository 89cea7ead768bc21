"""The tasks of a node's room service: loops that run from start to end, and single steps beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any

import structlog

from rooms.errors import StoreUnavailable

log = structlog.get_logger()

Work = Coroutine[Any, Any, None]


class Background:
    """One group of tasks. What fails in a step ends that step alone."""

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None
        self._runner: asyncio.Task[None] | None = None
        self._loops: list[asyncio.Task[None]] = []
        self._steps: set[asyncio.Task[None]] = set()

    async def start(self, begin: Callable[[], Awaitable[None]], loops: Callable[[], Iterable[Work]]) -> None:
        """Carries out ``begin``, which may already ``spawn``, then runs the loops. Raises what ``begin`` raises: ``aclose`` then, too."""
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._runner = asyncio.create_task(self._run(started, begin, loops), name="rooms")
        await started

    async def _run(self, started: asyncio.Future[None], begin: Callable[[], Awaitable[None]], loops: Callable[[], Iterable[Work]]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                try:
                    await begin()
                except BaseException as error:
                    if not started.done():
                        started.set_exception(error)
                    raise
                started.set_result(None)
                self._loops = [group.create_task(loop) for loop in loops()]
                await asyncio.Event().wait()
        except* StoreUnavailable:
            if not started.done() or started.exception() is None:
                raise
        finally:
            self._group = None

    @property
    def started(self) -> bool:
        """``start`` was called, and ``aclose`` has not ended it."""
        return self._runner is not None

    @property
    def running(self) -> bool:
        """``spawn`` finds somebody to do the work."""
        return self._group is not None

    def spawn(self, work: Work) -> None:
        """Does one step beside everything else; before the start and after the end it is dropped."""
        if self._group is None:
            work.close()
            return
        task = self._group.create_task(_guarded(work))
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)
        task.add_done_callback(lambda _: work.close())  # matters if it was cancelled before its first step

    async def end_loops(self) -> None:
        await _cancelled(self._loops)

    async def aclose(self) -> None:
        """Cancels whatever runs. Idempotent."""
        if self._runner is not None:
            await _cancelled([*self._steps, self._runner])
            self._runner = None


async def _guarded(work: Work) -> None:
    """A defect in one background step must not end the node."""
    try:
        await work
    except StoreUnavailable as error:
        log.warning("background_step_postponed", error=str(error))
    except Exception:
        log.exception("background_step_failed")


async def _cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Ends tasks for certain: ``asyncio.wait_for`` before Python 3.12 may swallow a cancellation, so it is repeated."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.1)
