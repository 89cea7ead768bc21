"""Whatever happens, and whatever is lost, a client's lists become those of the room; and without a dead node they never flicker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms.events import EndReason
from tests.unit.signaling.room_json.sdk import Sdk
from tests.unit.signaling.room_json.wire import World

OTHERS = ("o1", "o2", "o3")
STREAMS = ("s1", "s2", "s3")

steps = st.one_of(
    st.tuples(st.sampled_from(["toggle", "toggle", "update"]), st.sampled_from(OTHERS), st.sampled_from(STREAMS)),
    st.tuples(st.just("come or go"), st.sampled_from(OTHERS)),
    st.tuples(st.just("receive"), st.integers(1, 6)),
    st.tuples(st.just("heartbeat"), st.sampled_from([3_000, 30_000, 30_000])),
    st.tuples(st.sampled_from(["cut", "cut", "connect", "connect", "settle", "own", "miss_events"])),
)
disasters = st.tuples(st.sampled_from(["forget", "expire"]))


class History:
    """Plays steps on one client and on the others in its room."""

    def __init__(self, world: World, sdk: Sdk) -> None:
        self.world = world
        self.house = world.house
        self.sdk = sdk
        self.version = 0

    async def settle(self) -> None:
        """Everything on its way arrives, until there is nothing more to say."""
        for _ in range(200):
            await _yield()
            if not self.sdk.receive():
                break

    async def play(self, step: tuple[Any, ...]) -> None:
        house, sdk = self.house, self.sdk
        name = step[0]
        if name == "come or go":
            member = house.session_of("r", step[1])
            if member is None:
                house.join("r", step[1])
            else:
                house.end(member, EndReason.LOGOUT)
        elif name in ("toggle", "update"):
            stream = house.streams.get(step[2])
            self.version += 1
            if stream is not None:
                owner = house.session(stream.session_id)
                if name == "update":
                    house.update(owner, step[2], f"v{self.version}")
                else:
                    house.unpublish(owner, step[2])
            elif (member := house.session_of("r", step[1])) is not None:
                house.publish(member, step[2], f"v{self.version}")
        elif name == "receive":
            await _yield()
            sdk.receive(step[1])
        elif name == "cut":
            await sdk.cut()
        elif name == "connect":
            if sdk.socket is None:
                sdk.connect()
        elif name == "settle":
            await self.settle()
        elif name == "heartbeat":
            house.clock.now += step[1]
            sdk.heartbeat()
            await _yield()
        elif name == "own":
            sdk.stream(2002 if "own" in house.streams else 2001, "own")
            await _yield()
        elif name == "miss_events":
            house.cut = not house.cut
            if not house.cut:
                house.resync("r")
        elif name == "forget":
            await sdk.cut()
            house.forget_told()
        elif name == "expire":
            await sdk.cut()
            mine = house.session_of("r", sdk.user)
            if mine is not None:
                house.end(mine, EndReason.LOST)

    async def end(self) -> None:
        if self.house.cut:
            self.house.resync("r")
        if self.sdk.socket is None:
            self.sdk.connect()
        await self.settle()
        await self.play(("heartbeat", 30_000))
        await self.settle()

    def check(self) -> None:
        view = self.house.view("r")
        assert self.sdk.problems == []
        assert self.sdk.streams == {s.stream_id: s.extra_info for s in view.streams.values() if s.user_id != self.sdk.user}
        assert self.sdk.users == {u.user_id: u.user_name for u in view.users.values() if u.user_id != self.sdk.user}


async def _yield() -> None:
    for _ in range(12):
        await asyncio.sleep(0)


def _run(kind: str, story: Callable[[History], Coroutine[Any, Any, None]]) -> None:
    async def play() -> None:
        async with World(command_burst=100_000, refusals_before_close=100_000) as world:
            sdk = Sdk(world, "me", kind)
            for member in OTHERS:
                world.house.join("r", member)
            history = History(world, sdk)
            try:
                await story(history)
            finally:
                await sdk.cut()

    asyncio.run(play())


@pytest.mark.parametrize("kind", ["miniprogram", "web"])
@given(st.lists(steps, max_size=40))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_lists_converge_without_flicker(kind: str, history: list[tuple[Any, ...]]) -> None:
    async def story(play: History) -> None:
        play.sdk.connect()
        await play.settle()
        for step in history:
            await play.play(step)
        await play.end()
        play.check()
        # Asking for the list means DELETE and ADD of everything on the mini-program.
        assert play.sdk.fetches == 0

    _run(kind, story)


@pytest.mark.parametrize("kind", ["miniprogram", "web"])
@given(st.lists(st.one_of(steps, disasters), max_size=40))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_lists_converge_after_the_wire_state_was_lost(kind: str, history: list[tuple[Any, ...]]) -> None:
    async def story(play: History) -> None:
        play.sdk.connect()
        await play.settle()
        for step in history:
            if step[0] in ("cut", "forget", "expire") and play.sdk.querying:
                # A mini-program whose question for the list is lost never asks again: what it must delete is then told by nobody.
                await play.settle()
            await play.play(step)
        await play.end()
        play.check()

    _run(kind, story)
