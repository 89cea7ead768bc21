"""Messages, commands and room attributes. On both stores."""

from __future__ import annotations

import asyncio

import pytest

from rooms.errors import (
    ExtraInfoRefused,
    InvalidRequest,
    MessageEmpty,
    MessageTooLong,
    RateLimited,
    RoomUnknown,
    SessionUnknown,
)
from rooms.events import Barrage, Broadcast, ChannelMessage, CustomCommand, ExtraInfoSet, TransparentMessage
from rooms.limits import RoomLimits
from rooms.model import ExtraInfo
from tests.integration.rooms.house import APP, NOW, ROOM, House, deaf, state, stored
from tests.waiting import until

AWKWARD = 'quotes " \\ slash / 名 😀 \u2028 \x00\x1f {} []'


async def test_a_broadcast_reaches_everybody_in_order_with_rising_ids(house: House) -> None:
    node = await house.node()
    one, anna = await house.enter(node, "anna")
    _, bert = await house.enter(node, "bert")
    anna.forget()
    sent = [await node.messages.send_broadcast(one.session, text, category=2, type=3, priority=4) for text in ("one", AWKWARD, "three")]
    assert bert.events == sent == anna.events
    assert [message.content for message in sent] == ["one", AWKWARD, "three"]
    assert sent[0].message_id < sent[1].message_id < sent[2].message_id < 2**53
    assert (sent[0].user_id, sent[0].user_name, sent[0].sent_at, sent[0].category) == ("anna", "ANNA", NOW, 2)


async def test_a_barrage_reaches_everybody_and_takes_no_place_in_the_history(house: House) -> None:
    node = await house.node()
    one, _ = await house.enter(node, "anna")
    _, bert = await house.enter(node, "bert")
    rev = one.view.rev
    sent = [await node.messages.send_barrage(one.session, f"{AWKWARD} {i}") for i in range(5)]
    await until(lambda: len(bert.events) == 5)
    assert bert.events == sent and len({barrage.message_id for barrage in sent}) == 5
    assert all(isinstance(event, Barrage) and event.rev == 0 for event in bert.events) and one.view.rev == rev


async def test_a_command_reaches_only_those_named_and_byte_for_byte(house: House) -> None:
    node = await house.node()
    one, anna = await house.enter(node, "anna")
    phones = {name: (await house.enter(node, name))[1] for name in ("bert", "cleo", "dora")}
    for phone in (anna, *phones.values()):
        phone.forget()
    await node.messages.send_command(one.session, ["bert", "dora", "nobody"], AWKWARD)
    assert phones["bert"].events == phones["dora"].events
    (event,) = phones["bert"].events
    assert isinstance(event, CustomCommand) and event.content == AWKWARD and event.user_id == "anna" and not event.from_server
    assert anna.events == phones["cleo"].events == []
    await node.messages.send_command(one.session, [], "all")
    assert all(phone.seen()[-1:] == ["CustomCommand"] for phone in phones.values())


async def test_bytes_and_channel_messages_reach_only_those_named_on_every_node(house: House) -> None:
    here, there = await house.node(), await house.node()
    one, anna = await house.enter(here, "anna")
    _, bert = await house.enter(there, "bert")
    _, cleo = await house.enter(there, "cleo")
    await until(lambda: "UserJoined" in anna.seen()[-1:])
    for phone in (anna, bert, cleo):
        phone.forget()
    every_byte = bytes(range(256))
    await here.messages.send_transparent(one.session, ["bert"], every_byte, order=2**53 - 1)
    await here.messages.send_channel_message(one.session, ["bert"], AWKWARD, type=9)
    await here.messages.send_channel_message(one.session, [], "all")
    await until(lambda: len(bert.events) == 3 and len(cleo.events) == 1)
    first, second, _ = bert.events
    assert isinstance(first, TransparentMessage) and (first.content, first.order, first.user_id) == (every_byte, 2**53 - 1, "anna")
    assert isinstance(second, ChannelMessage) and (second.content, second.type) == (AWKWARD, 9)
    assert cleo.seen() == ["ChannelMessage"]
    for too_long in (
        here.messages.send_transparent(one.session, [], b"x" * 4097),
        here.messages.send_channel_message(one.session, [], "x" * 10_241),
    ):
        with pytest.raises(MessageTooLong):
            await too_long


async def test_room_attributes_have_versions_and_late_comers_see_the_last(house: House) -> None:
    node = await house.node()
    one, anna = await house.enter(node, "anna")
    anna.forget()
    first = await node.set_extra_info(one.session, "mode", AWKWARD)
    second = await node.set_extra_info(one.session, "mode", "")
    assert (first.seq, second.seq) == (1, 2) and second == ExtraInfo("mode", "", 2, "anna", "ANNA", NOW)
    assert anna.events == [ExtraInfoSet(rev=2, info=first), ExtraInfoSet(rev=3, info=second)]
    late, _ = await house.enter(node, "late")
    assert late.view.extra == {"mode": second} and await node.extra_info(APP, ROOM) == [second]
    assert state(node.view(APP, ROOM)) == await stored(node)


async def test_a_room_has_as_many_attributes_as_the_setting_says(house: House) -> None:
    node = await house.node()
    one, _ = await house.enter(node, "anna")
    two, _ = await house.enter(node, "bert")
    await node.set_extra_info(one.session, "k1", "v")
    with pytest.raises(ExtraInfoRefused):
        await node.set_extra_info(two.session, "k2", "v")
    assert (await node.set_extra_info(two.session, "k1", "w")).seq == 2
    for key, value in (("", "v"), ("k" * 11, "v"), ("k1", "v" * 129)):
        with pytest.raises(ExtraInfoRefused):
            await node.set_extra_info(one.session, key, value)
    await node.set_extra_info(one.session, "k1", "ä" * 64)


async def test_sizes_are_limited_in_bytes(house: House) -> None:
    node = await house.node()
    one, anna = await house.enter(node, "anna")
    anna.forget()
    await node.messages.send_broadcast(one.session, "ä" * 512)
    for too_long in (node.messages.send_broadcast(one.session, "ä" * 512 + "x"), node.messages.send_barrage(one.session, "x" * 1025)):
        with pytest.raises(MessageTooLong):
            await too_long
    with pytest.raises(MessageTooLong):
        await node.messages.send_command(one.session, [], "x" * (RoomLimits().command_frame_bytes + 1))
    for empty in (
        node.messages.send_broadcast(one.session, ""),
        node.messages.send_barrage(one.session, ""),
        node.messages.send_command(one.session, [], ""),
    ):
        with pytest.raises(MessageEmpty):
            await empty
    with pytest.raises(InvalidRequest):
        await node.messages.send_command(one.session, [f"u{i}" for i in range(501)], "x")
    assert anna.seen() == ["Broadcast"]


async def test_rates_per_session(house: House) -> None:
    house.limits = RoomLimits(login_rate=0)
    node = await house.node()
    one, _ = await house.enter(node, "anna")
    two, _ = await house.enter(node, "bert")
    limits = {"broadcast": 2, "barrage": 20, "command to one": 200, "command to many": 10, "extra info": 10}

    async def send(kind: str) -> None:
        match kind:
            case "broadcast":
                await node.messages.send_broadcast(one.session, "x")
            case "barrage":
                await node.messages.send_barrage(one.session, "x")
            case "command to one":
                await node.messages.send_command(one.session, ["bert"], "x")
            case "command to many":
                await node.messages.send_command(one.session, [], "x")
            case _:
                await node.set_extra_info(one.session, "k", "x")

    for kind, limit in limits.items():
        for _ in range(limit):
            await send(kind)
        with pytest.raises(RateLimited):
            await send(kind)
        house.clock.forward(1000 // limit)
        await send(kind)
    await node.messages.send_broadcast(two.session, "others have their own")


async def test_the_broadcasts_of_a_room_share_a_rate(house: House) -> None:
    house.limits = RoomLimits(login_rate=0)
    node = await house.node()
    entered = [(await house.enter(node, f"u{i}"))[0] for i in range(6)]
    for result in entered[:5]:
        await node.messages.send_broadcast(result.session, "1")
        await node.messages.send_broadcast(result.session, "2")
    with pytest.raises(RateLimited):
        await node.messages.send_broadcast(entered[5].session, "1")
    elsewhere, _ = await house.enter(node, "other", "elsewhere")
    await node.messages.send_broadcast(elsewhere.session, "1")


async def test_who_has_left_says_nothing(house: House) -> None:
    node = await house.node()
    one, _ = await house.enter(node, "anna")
    _, bert = await house.enter(node, "bert")
    await node.logout(one.session)
    bert.forget()
    attempts = (
        node.messages.send_broadcast(one.session, "x"),
        node.messages.send_barrage(one.session, "x"),
        node.messages.send_command(one.session, [], "x"),
        node.set_extra_info(one.session, "k", "v"),
    )
    for attempt in attempts:
        with pytest.raises(SessionUnknown):
            await attempt
    assert bert.events == []


async def test_who_was_kicked_says_nothing_even_before_this_node_has_heard_of_it(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    _, bert = await house.enter(two, "bert")
    with deaf(one):
        await two.kick(APP, ROOM, "anna")
        for attempt in (one.messages.send_broadcast(first.session, "x"), one.messages.send_barrage(first.session, "x")):
            with pytest.raises(SessionUnknown):
                await attempt
    assert bert.seen() == ["UserLeft"]


async def test_the_operators_server_speaks_in_a_room_and_learns_who_is_not_there(house: House) -> None:
    node, away = await house.node("n1"), await house.node("n2")
    _, anna = await house.enter(node, "anna")
    sent = await away.messages.broadcast_from_server(APP, ROOM, "server", "The Server", "hello", category=1)
    await away.messages.barrage_from_server(APP, ROOM, "server", "The Server", "lossy")
    absent = await away.messages.command_from_server(APP, ROOM, "server", "The Server", "do it", ["anna", "bert"])
    await away.messages.command_from_server(APP, ROOM, "server", "The Server", "all")
    assert absent == ("bert",)
    await until(lambda: len(anna.events) == 4)
    broadcasts = [event for event in anna.events if isinstance(event, Broadcast)]
    assert broadcasts == [sent] and "Barrage" in anna.seen()
    commands = [event for event in anna.events if isinstance(event, CustomCommand)]
    assert [c.content for c in commands] == ["do it", "all"] and all(c.from_server and c.user_name == "The Server" for c in commands)


async def test_the_operators_server_cannot_make_a_room(house: House) -> None:
    node = await house.node()
    for attempt in (
        node.messages.broadcast_from_server(APP, "nowhere", "s", "S", "x"),
        node.messages.barrage_from_server(APP, "nowhere", "s", "S", "x"),
        node.messages.command_from_server(APP, "nowhere", "s", "S", "x"),
    ):
        with pytest.raises(RoomUnknown):
            await attempt
    assert (await node.rooms(APP)).rooms == ()


async def test_messages_sent_at_once_arrive_in_the_same_order_everywhere(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    speakers = [(node, *(await house.enter(node, f"u{i}-{node.node.node_id}"))) for i in range(5) for node in (one, two)]
    for _, _, phone in speakers:
        phone.forget()
    await asyncio.gather(*(node.messages.send_broadcast(result.session, f"{n}") for n in range(10) for node, result, _ in speakers))

    def contents(index: int) -> list[str]:
        return [event.content for event in speakers[index][2].events if isinstance(event, Broadcast)]

    await until(lambda: all(len(contents(index)) == 100 for index in range(len(speakers))))
    assert all(contents(index) == contents(0) for index in range(len(speakers)))
