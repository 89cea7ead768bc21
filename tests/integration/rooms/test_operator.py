"""What an operator does: kick, close, list. On both stores."""

from __future__ import annotations

import pytest

from rooms.errors import RoomUnknown, UserUnknown
from rooms.events import EndReason, UserLeft
from rooms.model import Timings
from tests.integration.rooms.house import APP, ROOM, House, Phone


async def test_a_kicked_user_is_gone_with_the_streams_and_learns_why(house: House) -> None:
    node = await house.node()
    result, anna = await house.enter(node, "anna")
    _, bert = await house.enter(node, "bert")
    await node.publish(result.session, "s1")
    bert.forget()
    await node.kick(APP, ROOM, "anna", message='be "nice" 名')
    assert bert.seen() == ["StreamRemoved", "UserLeft"] == anna.seen()[-2:]
    last = anna.events[-1]
    assert isinstance(last, UserLeft) and (last.reason, last.message) == (EndReason.KICKED, 'be "nice" 名')
    with pytest.raises(UserUnknown):
        await node.kick(APP, ROOM, "anna")
    with pytest.raises(RoomUnknown):
        await node.kick(APP, "nowhere", "anna")


async def test_a_user_is_kicked_from_one_room_only(house: House) -> None:
    node = await house.node()
    main, phone1 = await house.enter(node, "anna", multi_room=True)
    _, phone2 = await house.enter(node, "anna", "second", multi_room=True, login_id=main.session.login_id)
    await node.kick(APP, "second", "anna", reason=EndReason.TOKEN_EXPIRED)
    assert phone1.end() is None and phone2.end() == EndReason.TOKEN_EXPIRED


@pytest.mark.parametrize("users", [1, 450])
async def test_closing_a_room_ends_everybody_and_the_room(house: House, users: int) -> None:
    house.timings = Timings(empty_room=60_000)
    node, away = await house.node("n1"), await house.node("n2")
    phones = [(await house.enter(node, f"u{i}"))[1] for i in range(users)]
    watcher = Phone()
    await node.watch(APP, ROOM, watcher)
    await away.close_room(APP, ROOM, message="closing time")
    await _until_closed(watcher)
    assert {phone.end() for phone in phones} == {EndReason.ROOM_CLOSED}
    assert watcher.seen() == ["UserLeft"] * users + ["RoomClosed"]
    assert isinstance(watcher.events[0], UserLeft) and watcher.events[0].message == "closing time"
    assert (await node.rooms(APP)).rooms == () and node.counts().sessions == 0
    with pytest.raises(RoomUnknown):
        await node.close_room(APP, ROOM)


async def _until_closed(watcher: Phone) -> None:
    from tests.waiting import until

    await until(lambda: watcher.seen()[-1:] == ["RoomClosed"])


async def test_rooms_are_listed_page_by_page(house: House) -> None:
    node = await house.node()
    for number in range(7):
        result, _ = await house.enter(node, f"u{number}", f"room{number}")
        if number % 2:
            await node.publish(result.session, f"s{number}")
    await house.enter(node, "another", "room3")
    pages, cursor = [], ""
    while True:
        page = await node.rooms(APP, limit=3, cursor=cursor)
        pages.append(page.rooms)
        cursor = page.cursor
        if not cursor:
            break
    assert [len(page) for page in pages] == [3, 3, 1]
    rooms = [room for page in pages for room in page]
    assert [room.room_id for room in rooms] == [f"room{number}" for number in range(7)]
    assert (rooms[3].user_count, rooms[3].stream_count) == (2, 1) and rooms[3].created_at == house.clock()
    assert (await node.rooms(APP + 1)).rooms == ()
    assert await node.users(APP, "nowhere") == [] and await node.streams(APP, "nowhere") == []


async def test_counts_tell_what_this_node_holds(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    second, _ = await house.enter(two, "bert")
    await one.publish(first.session, "s1")
    await two.publish(second.session, "s2")
    counts = one.counts()
    assert (counts.sessions, counts.rooms, counts.streams) == (1, 1, 1)
