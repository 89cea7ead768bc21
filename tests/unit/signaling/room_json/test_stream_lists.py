"""Addresses in lists of streams: each client gets its own, in whatever tells it of a stream."""

from __future__ import annotations

import json

from calls.addresses import MediaCredential, flv_url, rtmp_url
from calls.stream_addresses import ListedAddresses
from rooms.model import Session, Stream
from signaling.room_json.pushes import stream_entry
from tests.unit.signaling.room_json.test_commands import CREATE, two
from tests.unit.signaling.room_json.wire import Frame, Peer, World

BASE = "ws://here:1"


def own(world: World, user: str, stream_id: str = "s") -> tuple[list[str], list[str]]:
    session = world.house.session_of("r", user)
    assert isinstance(session, Session)
    credential = MediaCredential(session.app_id, session.session_id, session.media_key)
    return [rtmp_url("rtmp://here", credential, stream_id)], [flv_url(BASE, credential, stream_id)]


def listed(body: Frame) -> tuple[list[str], list[str]]:
    (entry,) = body["stream_info"]
    return entry["urls_rtmp"], entry["urls_flv"]


async def told(peer: Peer) -> Frame:
    return await peer.push("push_stream_update")


async def test_pushes_lists_and_login_answers_hold_the_receivers_own_right() -> None:
    async with World() as world:
        world.house.lists_addresses = True
        a, b = await two(world)
        c = world.peer()
        await c.enter("c", "r")
        await b.reply("stream", CREATE)
        pushes = [await told(a), await told(c)]
        assert [listed(body) for body in pushes] == [own(world, "a"), own(world, "c")]
        assert listed(pushes[0]) != listed(pushes[1])
        await b.reply("stream", CREATE | {"sub_cmd": 2003, "stream_msg": '{"stream_id":"s","extra_info":"new"}'})
        assert listed(await told(a)) == own(world, "a")
        assert listed(await a.reply("stream_info", {})) == own(world, "a")
        d = world.peer()
        assert listed(await d.login("d")) == own(world, "d")


def test_addresses_over_tls_are_named_as_such_too() -> None:
    stream = Stream("s", 1, "a", "A", "r", 1, "here", extra_info="", on_air=True, created_at=1, version=1)
    entry = stream_entry(stream, ListedAddresses("rtmp://here/1/k.1/s", "https://here/live/1/k.1/s.flv"))
    assert entry.urls_https_flv == entry.urls_flv == ("https://here/live/1/k.1/s.flv",)


async def test_a_stream_that_is_gone_has_no_addresses() -> None:
    async with World() as world:
        world.house.lists_addresses = True
        a, b = await two(world)
        await b.reply("stream", CREATE)
        await told(a)
        await b.reply("stream", CREATE | {"sub_cmd": 2002})
        assert listed(await told(a)) == ([], [])


async def test_nobody_is_told_anothers_right() -> None:
    async with World() as world:
        world.house.lists_addresses = True
        a, b = await two(world)
        await b.reply("stream", CREATE)
        seen = json.dumps(await told(a))
        for user, known in (("a", True), ("b", False)):
            session = world.house.session_of("r", user)
            assert isinstance(session, Session)
            assert (f"{session.media_key}.{session.session_id}" in seen) is known


async def test_without_rtmp_the_lists_are_empty() -> None:
    async with World() as world:
        a, b = await two(world)
        await b.reply("stream", CREATE)
        assert listed(await told(a)) == ([], [])
