"""Streams: unique in the App, reserved, on the air, taken off. On both stores."""

from __future__ import annotations

import asyncio

import pytest

from rooms.errors import (
    InvalidStreamId,
    MessageTooLong,
    NotOwner,
    SessionUnknown,
    StreamTaken,
    StreamUnknown,
    TooManyStreams,
)
from rooms.events import ReservationEnded, StreamAdded, StreamEnd, StreamRemoved, StreamUpdated
from rooms.limits import RoomLimits
from tests.integration.rooms.house import APP, ROOM, House, Phone, state, stored


async def test_a_published_stream_is_seen_by_all_and_in_the_view(house: House) -> None:
    node = await house.node()
    result, anna = await house.enter(node, "anna")
    _, bert = await house.enter(node, "bert")
    stream = await node.publish(result.session, "s1", "hello")
    assert (stream.user_id, stream.user_name, stream.room_id, stream.extra_info) == ("anna", "ANNA", ROOM, "hello")
    assert stream.on_air and stream.version == 1 and stream.node_id == "n1" and stream.session_id == result.session.session_id
    assert bert.events == [StreamAdded(rev=3, stream=stream)] == anna.events[1:]
    assert node.view(APP, ROOM).streams == {"s1": stream}  # type: ignore[union-attr]
    assert await node.stream(APP, "s1") == stream
    assert state(node.view(APP, ROOM)) == await stored(node)


async def test_publishing_again_changes_nothing_but_a_new_extra_info(house: House) -> None:
    node = await house.node()
    result, anna = await house.enter(node, "anna")
    first = await node.publish(result.session, "s1", "one")
    assert await node.publish(result.session, "s1", "one") == first
    second = await node.publish(result.session, "s1", "two")
    assert (second.version, second.extra_info, second.stream_sid) == (2, "two", first.stream_sid)
    third = await node.update_stream(result.session, "s1", "three")
    assert third.version == 3 and await node.update_stream(result.session, "s1", "three") == third
    assert anna.seen() == ["StreamAdded", "StreamUpdated", "StreamUpdated"]
    assert isinstance(anna.events[-1], StreamUpdated) and anna.events[-1].stream == third


async def test_an_unpublished_stream_is_free_for_others(house: House) -> None:
    node = await house.node()
    one, anna = await house.enter(node, "anna")
    two, _ = await house.enter(node, "bert", "elsewhere")
    await node.publish(one.session, "s1")
    removed = await node.unpublish(one.session, "s1", StreamEnd.MEDIA_LOST)
    assert removed is not None and isinstance(anna.events[-1], StreamRemoved) and anna.events[-1].reason == StreamEnd.MEDIA_LOST
    assert await node.unpublish(one.session, "s1") is None
    again = await node.publish(two.session, "s1")
    assert again.stream_sid > removed.stream_sid


@pytest.mark.parametrize("room_id", [ROOM, "elsewhere"])
@pytest.mark.parametrize("on_air", [True, False])
async def test_a_stream_id_is_refused_to_whoever_comes_later(house: House, room_id: str, on_air: bool) -> None:
    node = await house.node()
    one, _ = await house.enter(node, "anna")
    two, _ = await house.enter(node, "bert", room_id)
    held = await (node.publish(one.session, "s1") if on_air else node.reserve(one.session, "s1"))
    for attempt in (node.reserve(two.session, "s1"), node.publish(two.session, "s1", "x")):
        with pytest.raises(StreamTaken):
            await attempt
    for attempt in (node.unpublish(two.session, "s1"), node.update_stream(two.session, "s1", "x")):
        with pytest.raises(NotOwner if on_air or attempt.__name__ == "unpublish" else StreamUnknown):
            await attempt
    assert await node.stream(APP, "s1") == held, "the earlier one is not disturbed"


async def test_a_reservation_is_seen_by_nobody_and_runs_out(house: House) -> None:
    node = await house.node()
    result, anna = await house.enter(node, "anna")
    reserved = await node.reserve(result.session, "s1", "n7")
    assert not reserved.on_air and reserved.node_id == "n7" and reserved.version == 0
    assert anna.events == [] and not result.view.streams
    house.clock.forward(29_999)
    await node.upkeep.reap()
    assert await node.stream(APP, "s1") == reserved
    renewed = await node.reserve(result.session, "s1", "n8")
    assert renewed.node_id == "n8" and renewed.stream_sid == reserved.stream_sid
    house.clock.forward(29_999)
    await node.upkeep.reap()
    assert await node.stream(APP, "s1") == renewed
    house.clock.forward(1)
    await node.upkeep.reap()
    assert await node.stream(APP, "s1") is None
    assert anna.seen() == ["ReservationEnded"] and isinstance(anna.events[0], ReservationEnded)


async def test_a_reserved_stream_goes_on_the_air_where_it_was_reserved(house: House) -> None:
    node = await house.node()
    result, anna = await house.enter(node, "anna")
    reserved = await node.reserve(result.session, "s1", "n7")
    stream = await node.publish(result.session, "s1", "x")
    assert stream.on_air and stream.node_id == "n7" and stream.stream_sid == reserved.stream_sid and stream.version == 1
    house.clock.forward(60_000)
    await node.upkeep.reap()
    assert await node.stream(APP, "s1") == stream and anna.seen() == ["StreamAdded"]
    assert await node.reserve(result.session, "s1") == stream, "on the air already"
    moved = await node.reserve(result.session, "s1", "n8")
    assert moved.on_air and moved.node_id == "n8" and anna.seen() == ["StreamAdded", "StreamUpdated"]


async def test_a_reservation_given_up_is_free_at_once(house: House) -> None:
    node = await house.node()
    one, _ = await house.enter(node, "anna")
    two, _ = await house.enter(node, "bert")
    await node.reserve(one.session, "s1")
    given_up = await node.unpublish(one.session, "s1")
    assert given_up is not None and not given_up.on_air
    await node.publish(two.session, "s1")


async def test_a_session_holds_no_more_streams_than_it_may(house: House) -> None:
    house.limits = RoomLimits(streams_per_session=2, login_rate=0)
    node = await house.node()
    result, _ = await house.enter(node, "anna")
    await node.publish(result.session, "s1")
    await node.reserve(result.session, "s2")
    with pytest.raises(TooManyStreams):
        await node.reserve(result.session, "s3")
    with pytest.raises(TooManyStreams):
        await node.publish(result.session, "s3")
    await node.publish(result.session, "s2")
    await node.unpublish(result.session, "s1")
    await node.publish(result.session, "s3")
    house.clock.forward(60_000)
    await node.reserve(result.session, "s3")


async def test_a_session_that_has_ended_publishes_nothing(house: House) -> None:
    node = await house.node()
    result, _ = await house.enter(node, "anna")
    await node.logout(result.session)
    for attempt in (node.publish(result.session, "s1"), node.reserve(result.session, "s1")):
        with pytest.raises(SessionUnknown):
            await attempt
    with pytest.raises(StreamUnknown):
        await node.update_stream(result.session, "s1", "")
    assert (await node.rooms(APP)).rooms == ()


async def test_a_detached_session_keeps_its_streams_and_its_media_may_go(house: House) -> None:
    node = await house.node()
    result, _ = await house.enter(node, "anna")
    _, bert = await house.enter(node, "bert")
    await node.publish(result.session, "s1")
    await node.detach(result.session, b"")
    assert set(node.view(APP, ROOM).streams) == {"s1"}  # type: ignore[union-attr]
    assert await node.unpublish(result.session, "s1", StreamEnd.MEDIA_LOST) is not None
    assert bert.seen() == ["StreamAdded", "StreamRemoved"]


async def test_the_operator_takes_a_stream_off_the_air(house: House) -> None:
    node = await house.node()
    result, anna = await house.enter(node, "anna")
    await node.publish(result.session, "s1")
    assert (await node.remove_stream(APP, "s1")) is not None and await node.remove_stream(APP, "s1") is None
    assert isinstance(anna.events[-1], StreamRemoved) and anna.events[-1].reason == StreamEnd.REMOVED


@pytest.mark.parametrize("stream_id", ["", "a b", "a.b", "ä", "x" * 257, "a\n", "a/b", "a?b=c"])
async def test_stream_ids_that_break_a_rule_are_refused(house: House, stream_id: str) -> None:
    node = await house.node()
    result, _ = await house.enter(node, "anna")
    with pytest.raises(InvalidStreamId):
        await node.publish(result.session, stream_id)
    with pytest.raises(InvalidStreamId):
        await node.reserve(result.session, stream_id)


async def test_extra_info_has_a_limit_in_bytes(house: House) -> None:
    node = await house.node()
    result, _ = await house.enter(node, "anna")
    await node.publish(result.session, "s1", "ä" * 512)
    with pytest.raises(MessageTooLong):
        await node.update_stream(result.session, "s1", "ä" * 513)


async def test_one_of_many_publishers_at_once_wins(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    entered = [await house.enter(node, f"u{i}-{node.node.node_id}", f"room{i % 3}") for i in range(10) for node in (one, two)]
    nodes = [one, two] * 10
    outcomes = await asyncio.gather(
        *(node.publish(result.session, "s1") for node, (result, _) in zip(nodes, entered, strict=True)), return_exceptions=True
    )
    winners = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(winners) == 1 and all(isinstance(o, StreamTaken) for o in outcomes if isinstance(o, BaseException))
    assert await one.stream(APP, "s1") == winners[0]


async def test_a_watcher_sees_what_happens_without_being_there(house: House) -> None:
    node = await house.node()
    watcher = Phone()
    view = await node.watch(APP, ROOM, watcher)
    assert view.lifetime_id == 0 and view.users == {}
    result, _ = await house.enter(node, "anna")
    await node.publish(result.session, "s1")
    assert watcher.seen() == ["UserJoined", "StreamAdded"] and view is node.view(APP, ROOM) and set(view.streams) == {"s1"}
    node.unwatch(APP, ROOM, watcher)
    node.unwatch(APP, ROOM, watcher)
    await node.unpublish(result.session, "s1")
    assert len(watcher.events) == 2
