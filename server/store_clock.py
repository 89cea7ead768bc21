"""The time that all nodes on one store share: that of the store (deadlines live there), so that a node whose own clock
is wrong neither ends the sessions of others nor keeps its own for ever.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from rooms.errors import StoreUnavailable

log = structlog.get_logger(__name__)

PACE_SECONDS = 30.0
WORTH_SAYING_MS = 2_000
"""A difference to this machine's clock that is logged: tokens are judged by it."""


class StoreClock:
    """``rooms.model.Clock``: epoch ms. This machine's clock until ``adjust`` has asked the store; runs on evenly while it is away."""

    def __init__(
        self, ask: Callable[[], Awaitable[int]], monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ):
        """``ask``: the store's time, epoch ms (``Store.time``)."""
        self._ask = ask
        self._monotonic = monotonic
        self._wall = wall
        self._offset = wall() - monotonic()

    def __call__(self) -> int:
        return int((self._monotonic() + self._offset) * 1000)

    async def adjust(self) -> None:
        """Take the store's time. Raises ``StoreUnavailable``."""
        asked_at = self._monotonic()
        answer = await self._ask()
        # The store looked at its clock somewhere between question and answer.
        middle = (asked_at + self._monotonic()) / 2
        self._offset = answer / 1000 - middle
        difference = int((self._wall() - self._monotonic() - self._offset) * 1000)
        if abs(difference) >= WORTH_SAYING_MS:
            log.warning("clock_differs_from_store", milliseconds=difference)

    async def run(self) -> None:
        """Follow the store's clock until cancelled."""
        while True:
            await asyncio.sleep(PACE_SECONDS)
            try:
                await self.adjust()
            except StoreUnavailable:
                log.debug("clock_not_adjusted")
            except Exception:
                # It runs on as it is.
                log.exception("clock_not_adjusted")
