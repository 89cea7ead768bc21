"""Two nodes on one store: they see the same rooms, sessions wander, a lost node is cleaned up after. On both stores."""

from __future__ import annotations

from rooms.events import EndReason, SessionMoved, StreamEnd, StreamRemoved, UserLeft
from rooms.model import Timings
from rooms.service import RoomService
from tests.integration.rooms.house import APP, ROOM, House, Phone, brisk, state, stored
from tests.waiting import until


async def test_nodes_see_each_others_users_streams_and_messages(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, anna = await house.enter(one, "anna")
    second, bert = await house.enter(two, "bert")
    assert list(second.view.users) == ["anna", "bert"] and second.session.node_id == "n2"
    await one.publish(first.session, "s1", "x")
    await two.set_extra_info(second.session, "k", "v")
    await one.messages.send_broadcast(first.session, "hello")
    await until(lambda: "Broadcast" in bert.seen() and "ExtraInfoSet" in anna.seen())
    assert bert.seen() == ["StreamAdded", "ExtraInfoSet", "Broadcast"]
    assert anna.seen() == ["UserJoined", "StreamAdded", "ExtraInfoSet", "Broadcast"]
    assert state(one.view(APP, ROOM)) == state(two.view(APP, ROOM)) == await stored(one)
    await two.logout(second.session)
    await until(lambda: "UserLeft" in anna.seen())


async def test_a_node_reports_its_own_load_with_its_lease(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    for node, user_id, streams in ((one, "anna", ["s1", "s2"]), (two, "bert", ["s3"])):
        result, _ = await house.enter(node, user_id)
        for stream_id in streams:
            await node.publish(result.session, stream_id)
    await one.moderation.add_stream(APP, ROOM, "obs", "OBS", "s4", "", "n1")
    await until(lambda: len(one.view(APP, ROOM).streams) == len(two.view(APP, ROOM).streams) == 4)  # type: ignore[union-attr]
    for node in (one, two):
        await node.upkeep.renew_lease()
    assert [(node.node_id, node.sessions, node.streams) for node in await one.nodes()] == [("n1", 1, 3), ("n2", 1, 1)]


async def test_a_user_who_logs_in_on_another_node_is_replaced_on_the_first(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, old_phone = await house.enter(one, "anna")
    await one.publish(first.session, "s1")
    second, new_phone = await house.enter(two, "anna")
    await until(lambda: old_phone.end() == EndReason.REPLACED)
    assert old_phone.seen() == ["StreamAdded", "StreamRemoved", "UserLeft"]
    assert not second.view.streams and new_phone.end() is None
    assert one.counts().sessions == 0 and one.view(APP, ROOM) is None


async def test_a_detached_session_is_resumed_on_another_node_with_what_was_told(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    _, bert = await house.enter(one, "bert")
    await one.publish(first.session, "s1")
    bert.forget()
    await one.detach(first.session, b"wire state")
    again, phone = await house.enter(two, "anna", resume=first.session.session_id)
    assert again.resumed and again.told == b"wire state" and again.session.node_id == "n2" and set(again.view.streams) == {"s1"}
    await one.messages.broadcast_from_server(APP, ROOM, "s", "S", "hello")
    await until(lambda: phone.seen() == ["Broadcast"])
    assert bert.seen() == ["Broadcast"]


async def test_a_session_taken_over_from_another_node_closes_the_older_socket_silently(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, older = await house.enter(one, "anna")
    _, bert = await house.enter(one, "bert")
    watcher = Phone()
    await one.watch(APP, ROOM, watcher)
    bert.forget()
    again, newer = await house.enter(two, "anna", resume=first.session.session_id)
    assert again.resumed and again.told is None, "what the client knows is known on the other node only"
    await until(lambda: older.taken_over)
    assert bert.events == [] and isinstance(watcher.events[-1], SessionMoved)
    await one.detach(first.session, b"too late")
    # The same word, already on its way to the store when the session was taken over.
    await one._registry.detach(first.session, house.clock() + 1, b"too late", now=house.clock())
    house.clock.forward(500_000)
    await one.upkeep.reap()
    assert newer.end() is None and await one.session(APP, first.session.session_id) == again.session
    back, _ = await house.enter(one, "anna", resume=first.session.session_id)
    await until(lambda: newer.taken_over)
    assert back.session.attachment == 3


async def test_a_lost_node_is_cleaned_up_after_by_another(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, anna = await house.enter(one, "anna")
    second, bert = await house.enter(two, "bert")
    await one.publish(first.session, "s1")
    await one.reserve(first.session, "s2")
    await two.publish(second.session, "s3")
    await until(lambda: "StreamAdded" in bert.seen())
    bert.forget()

    await house.at_rest(one, two)
    house.clock.forward(15_000)
    await two.upkeep.renew_lease()
    assert bert.events == [], "its lease is just not over"
    house.clock.forward(1)
    await two.upkeep.renew_lease()
    removed = [event for event in bert.events if isinstance(event, StreamRemoved)]
    assert [(e.stream.stream_id, e.reason) for e in removed] == [("s1", StreamEnd.NODE_LOST)], "streams go at once"
    assert await two.stream(APP, "s2") is None and set(two.view(APP, ROOM).streams) == {"s3"}  # type: ignore[union-attr]
    assert [node.node_id for node in await two.nodes()] == ["n2"]

    house.clock.forward(89_999)
    await two.upkeep.reap()
    assert "UserLeft" not in bert.seen(), "its users keep the ordinary grace"
    house.clock.forward(1)
    await two.upkeep.reap()
    assert isinstance(bert.events[-1], UserLeft) and bert.events[-1].reason == EndReason.LOST
    assert list(two.view(APP, ROOM).users) == ["bert"]  # type: ignore[union-attr]
    await until(lambda: anna.end() == EndReason.LOST)


async def test_a_session_of_a_lost_node_comes_back_elsewhere(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    await house.at_rest(one, two)
    house.clock.forward(15_001)
    await two.upkeep.renew_lease()
    again, phone = await house.enter(two, "anna", resume=first.session.session_id)
    assert again.resumed and again.told is None
    house.clock.forward(200_000)
    await two.upkeep.renew_lease()
    await two.upkeep.reap()
    assert phone.end() is None


async def test_a_node_that_was_only_paused_takes_its_sessions_back(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, anna = await house.enter(one, "anna")
    _, bert = await house.enter(two, "bert")
    await one.publish(first.session, "s1")
    await until(lambda: "StreamAdded" in bert.seen())
    await house.at_rest(one, two)
    house.clock.forward(15_001)
    await two.upkeep.renew_lease()
    await until(lambda: bert.seen()[-1:] == ["StreamRemoved"] and anna.seen()[-1:] == ["StreamRemoved"])
    await one.upkeep.renew_lease()
    house.clock.forward(1)
    await two.upkeep.renew_lease()
    house.clock.forward(14_000)
    await one.upkeep.renew_lease()
    await two.upkeep.renew_lease()
    house.clock.forward(80_000)
    await two.upkeep.reap()
    assert anna.end() is None and "UserLeft" not in bert.seen(), "the grace that began with the lost lease is void"
    assert {node.node_id for node in await two.nodes()} == {"n2"} | {"n1"}
    await one.publish(first.session, "s1")


async def test_a_node_that_closes_is_cleaned_up_at_once(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    _, bert = await house.enter(two, "bert")
    await one.publish(first.session, "s1")
    await one.aclose()
    await until(lambda: "StreamRemoved" in bert.seen())
    assert [node.node_id for node in await two.nodes()] == ["n2"]
    again, _ = await house.enter(two, "anna", resume=first.session.session_id)
    assert again.resumed


async def test_a_node_started_again_under_its_name_does_not_keep_what_its_last_run_held(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    _, bert = await house.enter(two, "bert")
    await one.publish(first.session, "s1")
    again = await house.node("n1")
    await until(lambda: "StreamRemoved" in bert.seen())
    assert [node.node_id for node in await again.nodes()] == ["n1", "n2"]
    resumed, phone = await house.enter(again, "anna", resume=first.session.session_id)
    assert resumed.resumed and resumed.told is None
    await again.publish(resumed.session, "s1")
    await two.upkeep.renew_lease()
    assert set(two.view(APP, ROOM).streams) == {"s1"}  # type: ignore[union-attr]
    assert phone.end() is None


async def test_any_node_ends_what_is_due_on_every_other(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    _, bert = await house.enter(one, "bert")
    await one.detach(first.session, b"")
    await two.upkeep.renew_lease()
    await one.upkeep.renew_lease()
    await two.upkeep.renew_lease()
    house.clock.forward(90_000)
    await two.upkeep.reap()
    await until(lambda: "UserLeft" in bert.seen())


async def test_background_work_does_all_this_by_itself(house: House) -> None:
    house.timings = Timings(node_lease=10_000_000)
    one = await house.node("n1", sleep=brisk)
    two = await house.node("n2", sleep=brisk)
    first, _ = await house.enter(one, "anna")
    _, quiet = await house.enter(one, "quiet")
    second, bert = await house.enter(two, "bert")
    await one.detach(first.session, b"")
    house.clock.forward(90_000)
    two.heard_from(second.session)
    await until(lambda: bert.seen().count("UserLeft") == 1)
    house.clock.forward(10_001)
    await until(lambda: quiet.end() == EndReason.TIMEOUT)
    await until(lambda: bert.seen().count("UserLeft") == 2)
    two.begin_drain()
    await until(lambda: _draining(one))


async def _draining(node: RoomService) -> bool:
    return [(info.node_id, info.draining) for info in await node.nodes()] == [("n1", False), ("n2", True)]
