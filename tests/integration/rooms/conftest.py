from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.rooms.house import House


@pytest.fixture
async def house(store_url: str) -> AsyncIterator[House]:
    async with House(store_url) as house:
        yield house
