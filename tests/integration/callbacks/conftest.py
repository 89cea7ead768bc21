from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rooms.outbox import CallbackEvent
from tests.callback_receiver import CallbackReceiver
from tests.integration.callbacks.house import SECRET, CallbackHouse, app


@pytest.fixture
async def backend() -> AsyncIterator[CallbackReceiver]:
    """All its callbacks bear a good signature."""
    async with CallbackReceiver(SECRET) as backend:
        yield backend
    assert backend.forged == 0


@pytest.fixture
async def house(store_url: str, backend: CallbackReceiver) -> AsyncIterator[CallbackHouse]:
    """One App, whose callbacks all go to ``backend``."""
    async with CallbackHouse(store_url) as house:
        house.apps = [app(dict.fromkeys(CallbackEvent, backend.url))]
        yield house
