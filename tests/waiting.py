"""The one place in the tests that lets time pass: waiting for a condition, with a generous limit that only a failure reaches."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_FIRST_PAUSE = 0.002
_LONGEST_PAUSE = 0.05


def _describe(predicate: Callable[[], object], what: str) -> str:
    if what:
        return what
    try:
        return inspect.getsource(predicate).strip()
    except (OSError, TypeError):
        return repr(predicate)


@overload
async def until(predicate: Callable[[], Awaitable[T]], limit: float = 20, what: str = "") -> T: ...


@overload
async def until(predicate: Callable[[], T], limit: float = 20, what: str = "") -> T: ...


async def until(predicate: Callable[[], Any], limit: float = 20, what: str = "") -> Any:
    """Wait until ``predicate()`` (a plain function or one that returns an awaitable) is truthy, and return that value.

    First only yields to the event loop, then pauses briefly between tries. After ``limit`` seconds raises ``AssertionError``
    with ``what`` or the predicate's own source line.
    """
    deadline = time.monotonic() + limit
    pause = 0.0
    while True:
        outcome = predicate()
        value = await outcome if inspect.isawaitable(outcome) else outcome
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {limit:g} s: {_describe(predicate, what)}")
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.5 or _FIRST_PAUSE)


def until_sync(predicate: Callable[[], T], limit: float = 20, what: str = "") -> T:
    """As ``until``, for tests without an event loop."""
    deadline = time.monotonic() + limit
    pause = _FIRST_PAUSE
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {limit:g} s: {_describe(predicate, what)}")
        time.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.5)
