"""People come and go: nothing of them stays behind in the node."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench.soak.inventory import growth, inventory
from bench.soak.node import Node, running_node, talking_host
from bench.soak.visit import visit
from tests.waiting import until

ROOT = Path(__file__).parents[3]

ROOM, STREAM = "soak", "host-stream"
AT_ONCE = 8
FIRST, VISITS = 24, 200
BYTES_PER_VISIT = 400
"""Of memory that may remain: what is bounded but not yet full (rings, caches) grows a little. A forgotten session takes thousands."""


async def come_and_go(node: Node, numbers: Iterable[int]) -> None:
    """Visits as fast as they go, a few at a time; then all that they left behind is past its deadlines."""
    waiting = iter(numbers)

    async def one_after_another() -> None:
        for number in waiting:
            await visit(node.place, number, ROOM, STREAM)

    async with asyncio.TaskGroup() as visitors:
        for _ in range(AT_ONCE):
            visitors.create_task(one_after_another())
    await until(lambda: only_the_host(node), 60, "everybody but the host is forgotten")


def bytes_of_the_house() -> int:
    """Memory asked for by Hearth's own lines: not that of the visitors, who are in this process too, nor what the embedded store keeps."""
    own = [tracemalloc.Filter(True, str(ROOT / folder / "*")) for folder in ("auth", "rooms", "media", "calls", "signaling", "server")]
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(own).traces)


def only_the_host(node: Node) -> bool:
    hearth = node.hearth
    media = hearth.sfu.totals()
    counts = hearth.rooms.counts()
    return (
        (media.publishers, media.players, media.turn_allocations) == (1, 0, 0)
        and (counts.sessions, counts.rooms, counts.streams) == (1, 1, 1)
        and (len(hearth.calls.statistics), hearth.connections.total) == (1, 2)
    )


@pytest.mark.timeout(280)
async def test_two_hundred_visits_leave_nothing_behind() -> None:
    async with running_node() as node, talking_host(node.place, ROOM, STREAM):
        await come_and_go(node, range(FIRST))
        await until(node.hearth.calls.statistics.loads, what="the host has been sampled")
        tracemalloc.start()
        try:
            before, bytes_before = inventory(), bytes_of_the_house()
            await come_and_go(node, range(FIRST, FIRST + VISITS))
            grown: dict[str, int] = {}

            def nothing_more() -> bool:
                nonlocal grown
                grown = growth(before, inventory())
                return not grown

            with contextlib.suppress(AssertionError):
                await until(nothing_more, 60)
            assert grown == {}
            bytes_after = bytes_of_the_house()
        finally:
            tracemalloc.stop()
        assert (bytes_after - bytes_before) / VISITS < BYTES_PER_VISIT
