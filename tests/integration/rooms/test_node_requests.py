"""Questions from node to node, over both stores."""

from __future__ import annotations

import asyncio

import pytest

from rooms.errors import NodeUnreachable
from rooms.node_requests import MOST_ANSWERING, node_channel
from tests.integration.rooms.house import House
from tests.waiting import until


async def echo(body: bytes) -> bytes:
    return b"echo " + body


async def test_a_node_answers_another_and_itself(house: House) -> None:
    one, two = await house.node("one"), await house.node("two")
    two.node_requests.serve("echo", echo)
    assert await one.node_requests.ask("two", "echo", b"x") == b"echo x"
    assert await two.node_requests.ask("two", "echo", b"y") == b"echo y"
    answers = await asyncio.gather(*(one.node_requests.ask("two", "echo", b"%d" % number) for number in range(50)))
    assert answers == [b"echo %d" % number for number in range(50)]


async def test_a_node_that_is_not_there_knows_nothing_or_fails_is_unreachable(house: House) -> None:
    async def fail(body: bytes) -> bytes:
        raise ValueError("a defect")

    one, two = await house.node("one"), await house.node("two")
    two.node_requests.serve("fail", fail)
    for node_id, kind in (("nobody", "echo"), ("two", "echo"), ("two", "fail"), ("one", "echo")):
        with pytest.raises(NodeUnreachable):
            await one.node_requests.ask(node_id, kind, b"")


async def test_who_takes_too_long_is_given_up_and_its_late_answer_ignored(house: House) -> None:
    gate, done = asyncio.Event(), asyncio.Event()

    async def slow(body: bytes) -> bytes:
        await gate.wait()
        done.set()
        return b"late"

    one, two = await house.node("one"), await house.node("two")
    two.node_requests.serve("slow", slow)
    two.node_requests.serve("echo", echo)
    with pytest.raises(NodeUnreachable):
        await one.node_requests.ask("two", "slow", b"", seconds=0.05)
    gate.set()
    await done.wait()
    assert await one.node_requests.ask("two", "echo", b"x") == b"echo x"


async def test_more_questions_than_a_node_answers_at_a_time_are_refused_at_once(house: House) -> None:
    gate = asyncio.Event()
    waiting: list[bytes] = []

    async def held(body: bytes) -> bytes:
        waiting.append(body)
        await gate.wait()
        return body

    one, two = await house.node("one"), await house.node("two")
    two.node_requests.serve("held", held)
    asked = [asyncio.create_task(one.node_requests.ask("two", "held", b"%d" % number, seconds=60)) for number in range(MOST_ANSWERING)]
    await until(lambda: len(waiting) == MOST_ANSWERING)
    with pytest.raises(NodeUnreachable):
        await one.node_requests.ask("two", "held", b"one more", seconds=60)
    gate.set()
    assert sorted(await asyncio.gather(*asked)) == sorted(waiting)


async def test_garbage_on_a_nodes_channel_changes_nothing(house: House) -> None:
    one, two = await house.node("one"), await house.node("two")
    two.node_requests.serve("echo", echo)
    for garbage in (b"", b"\xff" * 100, b"[]", b"\x93\x01\x02\x03"):
        await house.store_of(one).publish(node_channel("two"), garbage)
    assert await one.node_requests.ask("two", "echo", b"x") == b"echo x"
