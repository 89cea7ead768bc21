"""After some answers SDKs need a moment before a push may come (``signaling/settling.py``)."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from signaling.settling import Settling
from tests.unit.signaling.room_json.wire import Peer, World
from tests.waiting import until

FOR_EVER = 3_600_000


async def arrived(peer: Peer) -> list[str]:
    """Commands of the frames that are there, when the server has nothing left to do at once."""
    for _ in range(20):
        await asyncio.sleep(0)
    return [frame["header"]["cmd"] for frame in peer.rest()]


async def test_what_follows_a_login_waits_until_the_client_shows_that_it_knows_its_session() -> None:
    async with World(settle_login=FOR_EVER) as world:
        owner = world.house.join("r", "owner")
        peer = world.peer()
        await peer.login("mini")
        world.house.publish(owner, "s")
        assert await arrived(peer) == []
        peer.request("hb", session_id="1")  # of another session: proves nothing
        assert await arrived(peer) == []


async def test_first_request_of_the_session_ends_the_wait_and_keeps_the_order() -> None:
    async with World(settle_login=FOR_EVER) as world:
        owner = world.house.join("r", "owner")
        peer = world.peer()
        await peer.login("mini")
        world.house.publish(owner, "s")
        peer.request("user_list", {"user_index": 0, "sort_type": 0})
        await until(lambda: len(peer.socket.sent) == 3)
        assert await arrived(peer) == ["push_stream_update", "user_list"]


@pytest.mark.parametrize("cmd", ["user_list", "stream_info"])
async def test_what_follows_a_list_waits(cmd: str) -> None:
    async with World(settle=FOR_EVER) as world:
        owner = world.house.join("r", "owner")
        peer = world.peer()
        await peer.login("mini")
        await peer.reply(cmd, {"reserve": 0})
        world.house.publish(owner, "s")
        world.house.join("r", "other")
        peer.request("hb")  # does not show that the list was handled
        assert await arrived(peer) == []


async def test_the_wait_ends_by_itself() -> None:
    async with World(settle_login=1) as world:
        owner = world.house.join("r", "owner")
        peer = world.peer()
        await peer.login("mini")
        world.house.publish(owner, "s")
        assert (await peer.push("push_stream_update"))["stream_info"][0]["stream_id"] == "s"


async def test_client_that_does_not_want_the_user_list_is_not_waited_for_so_long() -> None:
    async with World(settle=1, settle_login=FOR_EVER) as world:
        owner = world.house.join("r", "owner")
        peer = world.peer()
        await peer.login("mini", user_state_flag=0)
        world.house.publish(owner, "s")
        assert (await peer.push("push_stream_update"))["stream_info"][0]["stream_id"] == "s"


async def test_what_is_held_back_is_sent_before_the_socket_is_closed() -> None:
    async with World(settle_login=FOR_EVER) as world:
        owner = world.house.join("r", "owner")
        peer = world.peer()
        await peer.login("mini")
        world.house.publish(owner, "s")
        await world.sockets.drain()
        assert await arrived(peer) == ["push_stream_update"]


def test_held_frames_are_limited() -> None:
    sent: list[str] = []
    overflows: list[bool] = []
    settling = Settling(sent.append, most_frames=2, most_size=100, on_overflow=lambda: overflows.append(True))
    settling._held = deque()
    for text in ("1", "2"):
        settling.send(text)
    assert (sent, overflows) == ([], [])
    settling.send("3")
    assert (sent, overflows) == ([], [True])
