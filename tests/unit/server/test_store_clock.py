"""The nodes on one store share its time."""

from __future__ import annotations

import asyncio

import pytest

from rooms.errors import StoreUnavailable
from server import store_clock
from server.store_clock import StoreClock
from tests.waiting import until


class Machine:
    """A machine whose clock is wrong, and a store whose clock counts."""

    def __init__(self, wall: float) -> None:
        self.monotonic = 100.0
        self.wall = wall
        self.store_ahead = 0.0
        self.way = 0.0
        """Seconds that a question or an answer takes."""
        self.away = False
        self.clock = StoreClock(self.ask, lambda: self.monotonic, lambda: self.wall + self.monotonic - 100)

    def pass_time(self, seconds: float) -> None:
        self.monotonic += seconds

    async def ask(self) -> int:
        if self.away:
            raise StoreUnavailable("away")
        self.pass_time(self.way)
        answer = self.store_now()
        self.pass_time(self.way)
        return answer

    def store_now(self) -> int:
        return int((2_000_000 + self.store_ahead + self.monotonic) * 1000)


async def test_two_machines_whose_clocks_differ_agree_on_the_time_of_the_store() -> None:
    early, late = Machine(wall=1_000_000), Machine(wall=3_000_000)
    for machine in (early, late):
        await machine.clock.adjust()
        machine.pass_time(5)
        assert machine.clock() == machine.store_now()
    assert early.clock() == late.clock()


async def test_the_way_to_the_store_is_taken_off() -> None:
    machine = Machine(wall=1_000_000)
    machine.way = 0.4
    await machine.clock.adjust()
    assert machine.clock() == machine.store_now()


async def test_time_goes_on_while_the_store_is_away() -> None:
    machine = Machine(wall=1_000_000)
    await machine.clock.adjust()
    machine.away = True
    machine.pass_time(60)
    with pytest.raises(StoreUnavailable):
        await machine.clock.adjust()
    assert machine.clock() == machine.store_now()


async def test_before_the_store_was_asked_it_is_this_machines_time() -> None:
    assert Machine(wall=1_000_000).clock() == 1_000_000_000


@pytest.mark.parametrize("problem", [StoreUnavailable("away"), RuntimeError("NOPERM")])
async def test_it_goes_on_asking_whatever_the_store_answers(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    monkeypatch.setattr(store_clock, "PACE_SECONDS", 0)
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise problem
        return 0

    following = asyncio.create_task(StoreClock(ask, lambda: 0, lambda: 0).run())
    await until(lambda: asked > 1 or following.done())
    assert not following.done()
    following.cancel()
