"""The store goes away and comes back: with its data, without it, frozen. On a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from rooms.errors import StoreUnavailable
from rooms.events import EndReason
from rooms.service import RoomService
from tests.integration.rooms.house import APP, ROOM, House, Phone, brisk, state, stored
from tests.redis_server import RedisServer
from tests.waiting import until


@pytest.fixture
async def house(own_redis: RedisServer) -> AsyncIterator[House]:
    async with House(own_redis.url) as house:
        yield house
        own_redis.thaw() if own_redis._process else own_redis.start()


async def agrees(node: RoomService, room_id: str = ROOM) -> bool:
    return node.ready and state(node.view(APP, room_id)) == await stored(node, room_id)


async def goes_away(*nodes: RoomService) -> None:
    for node in nodes:
        await until(lambda node=node: not node.ready)


async def test_while_the_store_is_away_new_things_are_refused_and_running_ones_go_on(house: House, own_redis: RedisServer) -> None:
    node = await house.node(sleep=brisk)
    result, anna = await house.enter(node, "anna")
    _, bert = await house.enter(node, "bert")
    await node.publish(result.session, "s1")
    assert node.ready
    own_redis.kill()
    await goes_away(node)

    for attempt in (
        house.enter(node, "cleo"),
        house.enter(node, "cleo", "elsewhere"),
        node.publish(result.session, "s2"),
        node.reserve(result.session, "s2"),
        node.messages.send_broadcast(result.session, "x"),
        node.users(APP, ROOM),
        node.stream(APP, "s1"),
        node.session(APP, 123),
        node.kick(APP, ROOM, "bert"),
    ):
        with pytest.raises(StoreUnavailable):
            await attempt
    view = node.view(APP, ROOM)
    assert view is not None and list(view.users) == ["anna", "bert"] and set(view.streams) == {"s1"}
    assert anna.end() is None and bert.end() is None and anna.resyncs == 0

    own_redis.start()
    await until(lambda: agrees(node))
    assert anna.end() is None and bert.end() is None and bert.resyncs == 0, "nothing was lost, nobody is disturbed"
    await node.publish(result.session, "s2")
    assert bert.seen() == ["StreamAdded", "StreamAdded"]


async def test_what_happened_meanwhile_is_caught_up_on(house: House, own_redis: RedisServer) -> None:
    node = await house.node(sleep=brisk)
    leaves, leaving_phone = await house.enter(node, "leaves")
    drops, _ = await house.enter(node, "drops")
    _, stays = await house.enter(node, "stays")
    own_redis.kill()
    await goes_away(node)
    await node.logout(leaves.session)
    assert leaving_phone.end() == EndReason.LOGOUT, "who goes is told at once"
    await node.detach(drops.session, b"what it knows")
    own_redis.start()
    await until(lambda: "UserLeft" in stays.seen())
    assert sorted(user.user_id for user in await node.users(APP, ROOM)) == ["drops", "stays"]
    await until(lambda: node.ready)
    again, _ = await house.enter(node, "drops", resume=drops.session.session_id)
    assert again.resumed and again.told == b"what it knows"


async def test_a_store_that_comes_back_empty_is_filled_again(house: House, own_redis: RedisServer) -> None:
    one, two = await house.node("n1", sleep=brisk), await house.node("n2", sleep=brisk)
    first, anna = await house.enter(one, "anna")
    second, bert = await house.enter(two, "bert")
    main, cleo = await house.enter(one, "cleo", multi_room=True)
    further, cleo2 = await house.enter(one, "cleo", "second", multi_room=True, login_id=main.session.login_id)
    stream = await one.publish(first.session, "s1", "x")
    await two.publish(second.session, "s2")
    await one.publish(further.session, "s3")
    own_redis.kill()
    await goes_away(one, two)
    own_redis.lose_data()
    own_redis.start()

    await until(lambda: agrees(one))
    await until(lambda: agrees(two))
    await until(lambda: agrees(one, "second"))
    await until(lambda: state(one.view(APP, ROOM)) == state(two.view(APP, ROOM)))
    view = two.view(APP, ROOM)
    assert view is not None and set(view.users) == {"anna", "bert", "cleo"} and set(view.streams) == {"s1", "s2"}
    assert await two.stream(APP, "s1") == stream, "with the same numbers as before"
    assert await two.session(APP, first.session.session_id) == first.session
    assert view.lifetime_id == first.session.room_lifetime_id
    assert {anna.end(), bert.end(), cleo.end(), cleo2.end()} == {None}
    assert {node.node_id for node in await one.nodes()} == {"n1", "n2"}

    anna.forget(), bert.forget()
    await two.messages.send_broadcast(second.session, "still here?")
    await until(lambda: anna.seen() == bert.seen() == ["Broadcast"])
    again, again_phone = await house.enter(two, "anna", resume=first.session.session_id)
    assert again.resumed
    replaced, _ = await house.enter(two, "cleo")
    await until(lambda: cleo.end() == cleo2.end() == EndReason.REPLACED)
    assert again_phone.end() is None and replaced.session.room_lifetime_id == view.lifetime_id


async def test_a_store_emptied_under_way_is_filled_again(house: House, own_redis: RedisServer) -> None:
    """FLUSHALL, a failover to an empty replica: no connection breaks, only the lease tells."""
    node = await house.node(sleep=brisk)
    result, anna = await house.enter(node, "anna")
    await node.publish(result.session, "s1")
    own_redis.empty()
    await until(lambda: _has(node, "anna"))
    await until(lambda: agrees(node))
    assert await node.stream(APP, "s1") is not None and anna.end() is None
    _, bert = await house.enter(node, "bert")
    await node.messages.send_broadcast(result.session, "hello")
    assert bert.seen() == ["Broadcast"]


async def test_a_node_that_has_not_noticed_the_loss_follows_what_others_put_back(house: House, own_redis: RedisServer) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    await house.enter(two, "bert")
    for number in range(5):
        await one.publish(first.session, f"s{number}")
    own_redis.empty()
    await one.upkeep.renew_lease()
    await one.publish(first.session, "s9")
    await until(lambda: "s9" in two.view(APP, ROOM).streams)  # type: ignore[union-attr]
    await two.upkeep.renew_lease()
    await until(lambda: agrees(two))
    await until(lambda: agrees(one))
    assert {user.user_id for user in await one.users(APP, ROOM)} == {"anna", "bert"}


async def _has(node: RoomService, user_id: str) -> bool:
    return user_id in {user.user_id for user in await node.users(APP, ROOM)}


async def test_after_a_loss_the_newer_login_of_a_user_wins(house: House, own_redis: RedisServer) -> None:
    one = await house.node("n1")  # its background work sleeps: it notices late
    two = await house.node("n2", sleep=brisk)
    _, older = await house.enter(one, "anna")
    own_redis.kill()
    await goes_away(two)
    own_redis.lose_data()
    own_redis.start()
    await until(lambda: two.ready)
    newer, newer_phone = await house.enter(two, "anna")
    await until(lambda: _renewed(one))
    await until(lambda: older.end() == EndReason.REPLACED)
    assert newer_phone.end() is None and await two.session(APP, newer.session.session_id) == newer.session


async def _renewed(node: RoomService) -> bool:
    try:
        await node.upkeep.renew_lease()
    except StoreUnavailable:
        return False
    return True


async def test_nothing_hangs_when_the_store_is_frozen(house: House, own_redis: RedisServer) -> None:
    node = await house.node(sleep=brisk, timeout=2.0)
    result, phone = await house.enter(node, "anna")
    own_redis.freeze()
    # One after the other they would take minutes.
    async with asyncio.timeout(30):
        outcomes = await asyncio.gather(
            *(house.enter(node, f"u{i}") for i in range(100)),
            node.publish(result.session, "s1"),
            node.users(APP, ROOM),
            return_exceptions=True,
        )
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    await goes_away(node)
    await node.logout(result.session)
    assert phone.end() == EndReason.LOGOUT
    own_redis.thaw()
    await until(lambda: node.ready)
    await until(lambda: _empty(node))
    again, _ = await house.enter(node, "anna")
    assert list(again.view.users) == ["anna"], "logins given up while it was frozen have left nobody behind"


async def _empty(node: RoomService) -> bool:
    try:
        return not await node.users(APP, ROOM)
    except StoreUnavailable:
        return False


async def test_a_broken_subscription_comes_back_and_views_are_checked(house: House, own_redis: RedisServer) -> None:
    one, two = await house.node("n1", sleep=brisk), await house.node("n2", sleep=brisk)
    first, _ = await house.enter(one, "anna")
    _, bert = await house.enter(two, "bert")
    await house.enter(one, "first", "elsewhere")
    watcher = Phone()
    await two.watch(APP, "elsewhere", watcher)
    for number in range(5):
        own_redis.ask(b"CLIENT KILL TYPE pubsub")
        await one.publish(first.session, f"s{number}")
        await house.enter(one, f"u{number}", "elsewhere")
    await until(lambda: agrees(two))
    await until(lambda: agrees(two, "elsewhere"))
    assert bert.resyncs == 0 and bert.seen() == ["StreamAdded"] * 5, "what was missed was in the log"
    assert watcher.seen() == ["UserJoined"] * 5


async def test_what_was_missed_without_a_subscription_is_noticed_without_a_further_event(house: House, own_redis: RedisServer) -> None:
    gate = asyncio.Event()

    async def at_the_gate(seconds: float) -> None:
        await gate.wait()
        await brisk(seconds)

    one, two = await house.node("n1", sleep=brisk), await house.node("n2", sleep=at_the_gate)
    first, _ = await house.enter(one, "anna")
    _, bert = await house.enter(two, "bert")
    own_redis.ask(b"CLIENT KILL TYPE pubsub")
    await until(lambda: not two.ready)
    await until(lambda: one.ready)
    await one.publish(first.session, "s1")
    assert bert.events == []
    gate.set()
    await until(lambda: bert.seen() == ["StreamAdded"])
    assert await agrees(two)


async def test_a_node_does_not_start_without_its_store(house: House, own_redis: RedisServer) -> None:
    own_redis.kill()
    node = await house.node(start=False)
    with pytest.raises(StoreUnavailable):
        await node.start()
    assert not node.ready
    own_redis.start()
    await node.start()
    assert node.ready


async def test_scripts_are_loaded_again_when_the_store_has_forgotten_them(house: House, own_redis: RedisServer) -> None:
    node = await house.node()
    await house.enter(node, "anna")
    own_redis.ask(b"SCRIPT FLUSH")
    result, _ = await house.enter(node, "bert")
    assert set(result.view.users) == {"anna", "bert"}
