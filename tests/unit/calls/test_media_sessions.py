"""Opening, owning and closing media sessions."""

from __future__ import annotations

import asyncio

import pytest

from calls.addresses import MediaCredential
from calls.errors import AppUnknown, MediaEnded, MediaFull, MediaSessionUnknown, SdpRefused, StreamElsewhere, TooManyMediaSessions
from calls.media_owner import MediaClaim
from calls.settings import CallSettings
from media.plane import Loudest
from rooms.errors import SessionUnknown, StoreUnavailable, StreamTaken, StreamUnknown
from rooms.events import EndReason
from tests.unit.calls.fakes import APP_ID, FakePeer, House
from tests.waiting import until


async def test_a_media_socket_needs_the_key_and_the_user_of_a_living_session() -> None:
    house = House()
    amy = house.rooms.enter("amy")
    good = MediaCredential(APP_ID, amy.session_id, amy.media_key)
    bad = [
        (MediaCredential(APP_ID, amy.session_id, "wrong"), "amy"),
        (MediaCredential(APP_ID, amy.session_id, ""), "amy"),
        (MediaCredential(APP_ID, amy.session_id, "ключ"), "amy"),
        (MediaCredential(APP_ID, amy.session_id + 1, amy.media_key), "amy"),
        (good, "bob"),
        (good, ""),
    ]
    for credential, user_id in bad:
        with pytest.raises(SessionUnknown):
            await house.calls.media_login(credential, MediaClaim(user_id), FakePeer())
    with pytest.raises(AppUnknown):
        await house.calls.media_login(MediaCredential(7, amy.session_id, amy.media_key), MediaClaim("amy"), FakePeer())
    assert (await house.calls.media_login(good, MediaClaim("amy"), FakePeer())).owner == amy


async def test_media_sessions_have_ids_and_secrets_of_their_own() -> None:
    house = House()
    login, _ = await house.media(house.rooms.enter("amy"))
    opened = [await house.calls.open_publisher(login, f"s{n}", "offer") for n in range(20)]
    assert len({o.media_session_id for o in opened}) == 20
    assert len({o.token for o in opened}) == 20
    assert all(0 < o.media_session_id < 2**32 and len(o.token) == 32 for o in opened)
    assert house.plane.open[opened[3].media_session_id] == ("publisher", house.name("s3"))
    assert opened[3].token not in repr(opened[3])


@pytest.mark.parametrize("loudest", [0, 3])
async def test_streams_of_a_room_compete_where_the_app_wants_it(loudest: int) -> None:
    house = House(loudest=loudest)
    amy = house.rooms.enter("amy")
    login, _ = await house.media(amy)
    await house.calls.open_publisher(login, "s", "offer")
    assert house.plane.loudest == (Loudest(f"{APP_ID}/{amy.room_id}", 3) if loudest else None)


async def test_publishing_reserves_the_stream_on_this_node_and_a_second_publisher_is_refused() -> None:
    house = House()
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    login, _ = await house.media(amy)
    other, peer = await house.media(bob)
    await house.calls.open_publisher(login, "s", "offer")
    assert house.rooms.held[APP_ID, "s"].node_id == "here"
    with pytest.raises(StreamTaken):
        await house.calls.open_publisher(other, "s", "offer")
    assert len(house.plane.open) == 1
    assert not peer.told


async def test_playing_needs_a_stream_that_is_reserved_or_on_the_air_here() -> None:
    house = House()
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    login, _ = await house.media(bob)
    with pytest.raises(StreamUnknown):
        await house.calls.open_player(login, "s", "offer")
    house.rooms.elsewhere(amy, "far")
    with pytest.raises(StreamElsewhere):
        await house.calls.open_player(login, "far", "offer")
    await house.rooms.reserve(amy, "s")
    opened = await house.calls.open_player(login, "s", "offer")
    assert house.plane.open == {opened.media_session_id: ("player", house.name("s"))}
    assert opened.answer == "answer to offer"


@pytest.mark.parametrize("error", [SdpRefused("no opus"), MediaFull("full"), RuntimeError("broken")])
async def test_an_offer_that_fails_leaves_nothing_behind(error: Exception) -> None:
    house = House()
    amy = house.rooms.enter("amy")
    login, peer = await house.media(amy)
    house.plane.refuse = error
    for attempt in (house.calls.open_publisher(login, "s", "offer"), house.calls.open_player(login, "s", "offer")):
        with pytest.raises(type(error)):
            await attempt
    assert not house.calls._live.all() and not house.calls._live.streams() and not house.rooms.watchers and not peer.told


async def test_a_registry_that_is_down_refuses_and_leaves_nothing_behind() -> None:
    house = House()
    login, _ = await house.media(house.rooms.enter("amy"))
    house.rooms.down = True
    with pytest.raises(StoreUnavailable):
        await house.calls.open_publisher(login, "s", "offer")
    assert not house.calls._live.all() and not house.rooms.watchers
    house.rooms.down = False
    await house.calls.open_publisher(login, "s", "offer")


async def test_a_room_session_has_so_many_media_sessions_and_no_more() -> None:
    house = House(settings=CallSettings(max_media_sessions=3))
    login, _ = await house.media(house.rooms.enter("amy"))
    other, _ = await house.media(house.rooms.enter("bob"))
    opened = [await house.calls.open_publisher(login, f"s{n}", "offer") for n in range(3)]
    with pytest.raises(TooManyMediaSessions):
        await house.calls.open_player(login, "s0", "offer")
    await house.calls.open_player(other, "s0", "offer")
    house.calls.close_media(login, opened[1].media_session_id)
    await house.calls.open_player(login, "s0", "offer")


async def test_sessions_of_others_cannot_be_touched() -> None:
    house = House()
    amy, mallory = house.rooms.enter("amy"), house.rooms.enter("mallory")
    login, _ = await house.media(amy)
    evil, _ = await house.media(mallory)
    publisher = await house.calls.open_publisher(login, "s", "offer")
    player = await house.calls.open_player(login, "s", "offer")
    for forged in (publisher.media_session_id, player.media_session_id, 0, 12345):
        with pytest.raises(MediaSessionUnknown):
            house.calls.close_media(evil, forged)
        with pytest.raises(MediaSessionUnknown):
            house.calls.set_status(evil, forged, 2, 2)
        with pytest.raises(MediaSessionUnknown):
            house.calls.set_audio_active(evil, forged, False)
        assert not house.calls.holds(evil, forged)
    assert len(house.plane.open) == 2 and not house.plane.forwarding
    # Nor claimed on a new socket, not even with a guessed token.
    claimed, _ = await house.media(mallory, (publisher.media_session_id, publisher.token))
    assert claimed.unknown == (publisher.media_session_id,) and not claimed.resumed
    wrong, _ = await house.media(amy, (publisher.media_session_id, "0" * 32))
    assert wrong.unknown == (publisher.media_session_id,)


async def test_status_reaches_each_player_once_it_is_connected_and_on_each_change() -> None:
    house = House()
    login, peer = await house.media(house.rooms.enter("amy"))
    listener, ear = await house.media(house.rooms.enter("bob"))
    publisher = (await house.calls.open_publisher(login, "s", "offer")).media_session_id
    first = (await house.calls.open_player(listener, "s", "offer")).media_session_id
    house.calls.media_connected(publisher)
    house.calls.media_connected(first)
    assert peer.told == [("connected", publisher)]
    assert ear.told == [("connected", first)]
    house.calls.set_status(login, publisher, 0, 2)
    house.calls.set_status(login, publisher, 0, 2)
    house.calls.set_status(login, publisher, 2, 2)
    assert ear.told[1:] == [("status", first, 0, 2), ("status", first, 2, 2)]

    second = (await house.calls.open_player(listener, "s", "offer")).media_session_id
    assert len(ear.told) == 3
    house.calls.media_connected(second)
    assert ear.told[3:] == [("connected", second), ("status", second, 2, 2)]
    house.calls.media_connected(second)
    assert len(ear.told) == 5
    assert peer.told == [("connected", publisher)]


async def test_muting_a_player_stops_its_forwarding_and_nobody_elses() -> None:
    house = House()
    login, _ = await house.media(house.rooms.enter("amy"))
    publisher = (await house.calls.open_publisher(login, "s", "offer")).media_session_id
    player = (await house.calls.open_player(login, "s", "offer")).media_session_id
    house.calls.set_audio_active(login, player, False)
    assert house.plane.forwarding == {player: False}
    house.calls.set_audio_active(login, player, True)
    assert house.plane.forwarding == {player: True}
    with pytest.raises(MediaSessionUnknown):
        house.calls.set_audio_active(login, publisher, False)


async def test_a_kick_while_media_is_being_opened_wins() -> None:
    house = House()
    amy = house.rooms.enter("amy")
    login, peer = await house.media(amy)
    house.plane.gate = asyncio.Event()
    opening = asyncio.create_task(house.calls.open_publisher(login, "s", "offer"))
    await until(lambda: house.rooms.held)
    house.rooms.gone(amy, EndReason.KICKED)
    house.plane.gate.set()
    with pytest.raises(MediaEnded):
        await opening
    assert not house.plane.open and not house.rooms.watchers
    assert [told[0] for told in peer.told] == ["closed"]


async def test_a_user_who_leaves_before_the_watch_stands_opens_nothing() -> None:
    house = House()
    amy = house.rooms.enter("amy")
    login, _ = await house.media(amy)
    house.rooms.watch_gate = asyncio.Event()
    opening = asyncio.create_task(house.calls.open_publisher(login, "s", "offer"))
    await asyncio.sleep(0)
    house.rooms.gone(amy, EndReason.LOGOUT)
    house.rooms.watch_gate.set()
    with pytest.raises(SessionUnknown):
        await opening
    assert not house.plane.open and not house.rooms.watchers


async def test_a_request_that_is_cancelled_leaves_nothing_behind() -> None:
    house = House()
    login, _ = await house.media(house.rooms.enter("amy"))
    house.plane.gate = asyncio.Event()
    opening = asyncio.create_task(house.calls.open_publisher(login, "s", "offer"))
    await until(lambda: house.rooms.held)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not house.calls._live.all() and not house.rooms.watchers


async def test_a_room_is_followed_exactly_while_media_depends_on_it() -> None:
    house = House()
    amy, bob = house.rooms.enter("amy", "r1"), house.rooms.enter("bob", "r2")
    login, _ = await house.media(amy)
    listener, _ = await house.media(bob)
    publisher = await house.calls.open_publisher(login, "s", "offer")
    assert set(house.rooms.watchers) == {(APP_ID, "r1")}
    # A player of a stream in another room depends on both.
    player = await house.calls.open_player(listener, "s", "offer")
    assert set(house.rooms.watchers) == {(APP_ID, "r1"), (APP_ID, "r2")}
    assert all(len(watchers) == 1 for watchers in house.rooms.watchers.values())
    house.calls.close_media(login, publisher.media_session_id)
    assert set(house.rooms.watchers) == {(APP_ID, "r1"), (APP_ID, "r2")}
    house.calls.close_media(listener, player.media_session_id)
    assert not house.rooms.watchers


async def test_two_first_sessions_of_a_room_share_one_watch() -> None:
    house = House()
    login, _ = await house.media(house.rooms.enter("amy"))
    house.rooms.watch_gate = asyncio.Event()
    opening = [asyncio.create_task(house.calls.open_publisher(login, f"s{n}", "offer")) for n in range(3)]
    for _ in range(3):
        await asyncio.sleep(0)
    house.rooms.watch_gate.set()
    await asyncio.gather(*opening)
    assert [len(watchers) for watchers in house.rooms.watchers.values()] == [1]


@pytest.mark.parametrize("act", ["open_publisher", "open_player"])
async def test_a_node_that_stops_while_a_watch_begins_leaves_no_watch_behind(act: str) -> None:
    house = House()
    amy = house.rooms.enter("amy")
    login, _ = await house.media(amy)
    await house.rooms.reserve(amy if act == "open_publisher" else house.rooms.enter("bob", "another room"), "s")
    house.rooms.watch_gate = asyncio.Event()
    opening = asyncio.create_task(getattr(house.calls, act)(login, "s", "offer"))
    await until(house.calls._live.all)
    house.calls.aclose()
    house.rooms.watch_gate.set()
    with pytest.raises(MediaEnded):
        await opening
    assert not house.rooms.watchers and not house.plane.open
