"""Two ``hearth serve`` on one Redis are one system; what happens when one of them, or the Redis, goes away."""

from __future__ import annotations

import asyncio
import ssl
from asyncio import gather
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.e2e.browser import WebUser
from tests.e2e.link import Link
from tests.e2e.miniprogram import PLAY_STARTED, PUSH_STARTED
from tests.e2e.on_the_air import LONGEST_GAP, on_the_air
from tests.e2e.redis_process import RedisProcess
from tests.e2e.remote import SdkError
from tests.e2e.users import PageMaker, PhoneMaker
from tests.ffmpeg import Pusher, tone_played
from tests.hearth_process import HearthProcess
from tests.ports import free_port
from tests.waiting import until

LEASE_SECONDS = 6
"""Renewed every two: a busy machine may keep a node waiting for four."""
GRACE_SECONDS = 20
"""Longer than the lease and an SDK's way to its backup server together; short enough to be waited for."""


@dataclass
class System:
    """Two nodes on one Redis."""

    redis: RedisProcess
    first: HearthProcess
    second: HearthProcess


async def start_node(directory: Path, redis_url: str, *, tls: bool = False, media: Mapping[str, object] | None = None) -> HearthProcess:
    """A node with an address of its own, which the others hand to players of its streams. ``media``: settings of that section."""
    port = free_port()
    return await HearthProcess.astart(
        directory,
        store_url=redis_url,
        sections={
            "server": {"port": port, "public_url": f"http{'s' if tls else ''}://127.0.0.1:{port}", "drain_seconds": 15},
            "store": {"node_lease_seconds": LEASE_SECONDS, "grace_seconds": GRACE_SECONDS},
            "media": media or {},
        },
        arguments=["--dev-tls"] if tls else [],
    )


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[System]:
    redis = await asyncio.to_thread(RedisProcess.start, tmp_path)
    first, second = await gather(start_node(tmp_path / "first", redis.url), start_node(tmp_path / "second", redis.url))
    yield System(redis, first, second)
    await gather(*(asyncio.to_thread(node.__exit__, None, None, None) for node in (first, second)))
    await asyncio.to_thread(redis.stop)


async def test_users_and_streams_are_seen_across_nodes(system: System, phone: PhoneMaker, room: str, stream: str) -> None:
    (alice,) = await phone(system.first, "alice")
    (bob,) = await phone(system.second, "bob")
    await gather(alice.login(room), bob.login(room))
    await gather(alice.sees_user(room, bob.user_id), bob.sees_user(room, alice.user_id))
    await bob.publish(stream)
    await alice.sees_stream(room, stream)
    with pytest.raises(SdkError):
        await alice.start_pusher(stream)  # unique in the whole system

    await alice.call("sendBroadcastMessage", room, "across")
    _, (message,) = await bob.wait_event("IMRecvBroadcastMessage")
    assert message["message"] == "across"
    await bob.call("setRoomExtraInfo", room, "topic", "nodes")
    await alice.wait_event("roomExtraInfoUpdate")

    await bob.logout(room)
    await gather(alice.sees_stream(room, stream, "DELETE"), alice.sees_user(room, bob.user_id, "DELETE"))

    (twin,) = [await phone.twin(alice, system.second)]
    await twin.login(room)
    await alice.disconnected(room)  # one live login in the whole system


async def test_listener_on_one_node_hears_a_publisher_on_the_other(system: System, page: PageMaker, room: str, stream: str) -> None:
    (alice,) = await page(system.first, "alice")
    (bob,) = await page(system.second, "bob")
    await gather(alice.login(room), bob.login(room))
    await gather(alice.publish_tone(f"{stream}-alice", 660), bob.publish_tone(f"{stream}-bob", 880))
    await gather(alice.sees_stream(room, f"{stream}-bob"), bob.sees_stream(room, f"{stream}-alice"))
    await gather(alice.play(f"{stream}-bob"), bob.play(f"{stream}-alice"))
    await gather(alice.heard_tone(f"{stream}-bob", 880), bob.heard_tone(f"{stream}-alice", 660))

    await bob.mute_microphone(f"{stream}-bob", True)
    await gather(alice.remote_microphone(f"{stream}-bob", "MUTE"), alice.heard_silence(f"{stream}-bob"))


async def test_mini_programs_and_browsers_on_different_nodes_hear_each_other(
    system: System, phone: PhoneMaker, page: PageMaker, room: str, stream: str
) -> None:
    """RTMP players and web SDK 2.14.0 are sent to the node that has the stream; of 3.12.0 its own node hands the offer over. Sound is
    converted on the publisher's node."""
    (alice,) = await phone(system.first, "alice")
    (bob,) = await phone(system.second, "bob")
    carol, dave = await page(system.second, "carol", "dave", version=["2.14.0", "3.12.0"])
    await gather(*(user.login(room) for user in (alice, bob, carol, dave)))
    of_alice, of_carol, of_dave = (f"{stream}-{name}" for name in ("alice", "carol", "dave"))
    pushed = await alice.start_pusher(of_alice)
    async with Pusher(pushed, 450):
        await alice.component_state(of_alice, PUSH_STARTED)
        await gather(alice.publisher_state(of_alice, "PUBLISHING"), *(user.sees_stream(room, of_alice) for user in (bob, carol, dave)))
        await gather(carol.publish_tone(of_carol, 650), dave.publish_tone(of_dave, 850))
        await gather(alice.sees_stream(room, of_carol), alice.sees_stream(room, of_dave))

        played = await bob.play_url(of_alice)
        assert urlsplit(played).netloc == urlsplit(pushed).netloc  # the publisher's node, not bob's own
        from_browsers = {650: await alice.play_url(of_carol), 850: await alice.play_url(of_dave)}
        assert urlsplit(pushed).netloc not in [urlsplit(url).netloc for url in from_browsers.values()]
        await gather(carol.play(of_alice), dave.play(of_alice))

        async def phone_hears(url: str, tone: int) -> bool:
            return await tone_played(url) == tone

        await gather(
            until(lambda: phone_hears(played, 450), limit=60),
            *(until(partial(phone_hears, url, tone), limit=60) for tone, url in from_browsers.items()),
            carol.heard_tone(of_alice, 450),
            dave.heard_tone(of_alice, 450),
        )
        await gather(bob.component_state(of_alice, PLAY_STARTED), *(alice.component_state(of, PLAY_STARTED) for of in (of_carol, of_dave)))
        await gather(bob.player_state(of_alice, "PLAYING"), *(alice.player_state(of, "PLAYING") for of in (of_carol, of_dave)))


async def test_killed_node_loses_its_streams_at_once_and_its_users_unless_they_come_back(
    system: System, phone: PhoneMaker, room: str, stream: str
) -> None:
    (alice,) = await phone(system.first, "alice")
    (lost,) = await phone(system.second, "lost")
    (faithful,) = await phone(system.second, "faithful", server=[system.second.ws_url, system.first.ws_url])
    await gather(alice.login(room), lost.login(room), faithful.login(room))
    await lost.publish(stream)
    await gather(alice.sees_stream(room, stream), faithful.sees_stream(room, stream))

    await asyncio.to_thread(system.second.kill)
    await alice.sees_stream(room, stream, "DELETE")
    assert alice.user_changes(lost.user_id) == ["ADD"]

    await faithful.connected(room)
    await alice.sees_user(room, lost.user_id, "DELETE")
    await gather(faithful.sees_user(room, lost.user_id, "DELETE"), faithful.sees_stream(room, stream, "DELETE"))
    # The others never noticed that the faithful one changed nodes.
    assert alice.user_changes(faithful.user_id) == ["ADD"]
    assert faithful.user_changes(alice.user_id) == ["ADD"]
    await faithful.call("sendBroadcastMessage", room, "still here")
    await alice.wait_event("IMRecvBroadcastMessage")


async def test_terminated_node_hands_its_users_over_and_nobody_sees_an_error(system: System, phone: PhoneMaker, room: str) -> None:
    (alice,) = await phone(system.first, "alice")
    (bob,) = await phone(system.second, "bob", server=[system.second.ws_url, system.first.ws_url])
    await gather(alice.login(room), bob.login(room))
    await gather(alice.sees_user(room, bob.user_id), bob.sees_user(room, alice.user_id))

    system.second.terminate()
    assert await system.second.await_exit() == 0
    await bob.connected(room)
    await bob.call("sendBarrageMessage", room, "moved")
    await alice.wait_event("IMRecvBarrageMessage")
    await alice.call("sendBarrageMessage", room, "welcome")
    await bob.wait_event("IMRecvBarrageMessage")
    for user, other in ((alice, bob), (bob, alice)):
        assert "DISCONNECTED" not in user.states()
        assert user.user_changes(other.user_id) == ["ADD"]


@pytest.mark.parametrize("way", ["by redirect", "behind a balancer"])
async def test_hub_of_a_terminated_node_hands_its_users_over(
    system: System, phone: PhoneMaker, link_tls: ssl.SSLContext, tmp_path: Path, room: str, way: str
) -> None:
    """Mini-program 3.6.0 dials the node that is named, or, where none speaks TLS itself, its own host again."""
    async with Link("127.0.0.1", system.second.port, link_tls) as own:
        third = await start_node(tmp_path / "third", system.redis.url, tls=True) if way == "by redirect" else None
        (alice,) = await phone(system.first, "alice")
        (bob,) = await phone(system.second, "bob", version="3.6.0", link=own)
        await gather(alice.login(room), bob.login(room))
        await gather(alice.sees_user(room, bob.user_id), bob.sees_user(room, alice.user_id))

        if third is None:
            own.lead_to(system.first.port)
        system.second.terminate()
        await bob.connected(room)
        await bob.call("sendBarrageMessage", room, "moved")
        await alice.wait_event("IMRecvBarrageMessage")
        await alice.call("sendBarrageMessage", room, "welcome")
        await bob.wait_event("IMRecvBarrageMessage")
        assert await system.second.await_exit() == 0
        opened = [frame.socket for frame in bob.frames if frame.direction == "opened" and "/accesshub" in frame.socket]
        assert opened[-1] == f"wss://{f'127.0.0.1:{third.port}' if third else own.host}/accesshub"
        for user, neighbour in ((alice, bob), (bob, alice)):
            assert "DISCONNECTED" not in user.states()
            assert user.user_changes(neighbour.user_id) == ["ADD"]
        if third is not None:
            await asyncio.to_thread(third.__exit__, None, None, None)


async def test_call_on_a_terminated_node_moves_to_the_other(system: System, page: PageMaker, room: str, stream: str) -> None:
    (alice,) = await page(system.first, "alice")
    (bob,) = await page(system.second, "bob", server=[system.second.ws_url, system.first.ws_url])
    await on_the_air(room, bob, stream, 660, alice)

    system.second.terminate()
    await bob.connected(room)
    await alice.heard_tone(stream, 660)  # while the old node drains
    assert await system.second.await_exit() == 0
    await bob.publisher_state(stream, "PUBLISHING")  # once more, on the other node
    await alice.heard_tone(stream, 660)
    for user in (alice, bob):
        assert "DISCONNECTED" not in user.states()
        assert "NO_PUBLISH" not in user.publisher_states(stream)


async def test_call_on_a_killed_node_comes_back_on_the_other(system: System, page: PageMaker, room: str, stream: str) -> None:
    (alice,) = await page(system.first, "alice")
    (bob,) = await page(system.second, "bob", server=[system.second.ws_url, system.first.ws_url])
    await on_the_air(room, bob, stream, 660, alice)

    await asyncio.to_thread(system.second.kill)
    await gather(bob.connected(room), bob.publisher_state(stream, "PUBLISHING"))
    await alice.heard_tone(stream, 660)
    assert alice.user_changes(bob.user_id) == ["ADD"]
    for user in (alice, bob):
        assert "DISCONNECTED" not in user.states()
        assert "NO_PUBLISH" not in user.publisher_states(stream)


async def test_call_survives_a_redis_restart_and_rooms_agree_again(
    system: System, page: PageMaker, phone: PhoneMaker, room: str, stream: str
) -> None:
    (alice,) = await page(system.first, "alice")
    (bob,) = await page(system.second, "bob")
    (early,) = await phone(system.second, "early")
    await early.login(room)
    await on_the_air(room, bob, stream, 660, alice)
    before = await alice.concealed()

    await asyncio.to_thread(system.redis.stop)
    await until(lambda: system.first.get("/readyz")[0] == 503, 30, "the node says that it is not ready")
    await alice.heard_tone(stream, 660)
    await asyncio.to_thread(system.redis.run)
    await gather(*(asyncio.to_thread(node.wait_ready) for node in (system.first, system.second)))

    (late,) = await phone(system.first, "late")
    await late.login(room)
    await late.sees_stream(room, stream)
    await gather(*(user.sees_user(room, late.user_id) for user in (alice, bob, early)))
    await late.publish(f"{stream}-late")
    await gather(*(user.sees_stream(room, f"{stream}-late") for user in (alice, bob, early)))
    await alice.heard_tone(stream, 660)
    assert await alice.concealed() - before < LONGEST_GAP
    assert alice.stream_changes(stream) == ["ADD"]
    assert early.stream_changes(stream) == ["ADD"]
    for user in (alice, bob, early):
        assert "DISCONNECTED" not in user.states()


# --- web 3.12.0: its signalling stays in one socket, to one name, behind which the nodes are


async def on_the_air_across(system: System, page: PageMaker, room: str, stream: str) -> tuple[WebUser, WebUser]:
    """bob publishes on the second node; alice, on the first, hears him."""
    (alice,) = await page(system.first, "alice", version="3.12.0")
    (bob,) = await page(system.second, "bob", version="3.12.0")
    await on_the_air(room, bob, stream, 660, alice)
    return alice, bob


async def test_accesshub_client_plays_a_stream_of_another_node_and_keeps_it_when_its_hub_is_lost(
    system: System, page: PageMaker, room: str, stream: str
) -> None:
    alice, bob = await on_the_air_across(system, page, room, stream)
    await alice.remote_microphone(stream, "OPEN")
    await bob.mute_microphone(stream, True)
    await gather(alice.remote_microphone(stream, "MUTE"), alice.heard_silence(stream))
    await bob.mute_microphone(stream, False)
    await gather(alice.remote_microphone(stream, "OPEN"), alice.heard_tone(stream, 660))
    await alice.call("mutePlayStreamAudio", stream, True)
    await alice.heard_silence(stream)
    await alice.call("mutePlayStreamAudio", stream, False)
    await alice.heard_tone(stream, 660)

    before = await alice.concealed()
    alice.link.cut()
    await alice.connected(room)
    await alice.heard_tone(stream, 660)
    assert await alice.concealed() - before < LONGEST_GAP
    await bob.mute_microphone(stream, True)
    await alice.remote_microphone(stream, "MUTE")
    assert alice.stream_changes(stream) == ["ADD"]


async def test_accesshub_call_on_a_terminated_node_moves_to_the_other(system: System, page: PageMaker, room: str, stream: str) -> None:
    alice, bob = await on_the_air_across(system, page, room, stream)
    bob.link.lead_to(system.first.port)
    system.second.terminate()
    await bob.connected(room)
    assert await system.second.await_exit() == 0
    await bob.publisher_state(stream, "PUBLISHING")
    await alice.heard_tone(stream, 660)
    assert alice.user_changes(bob.user_id) == ["ADD"]
    for user in (alice, bob):
        assert "DISCONNECTED" not in user.states()
        assert "NO_PUBLISH" not in user.publisher_states(stream)


async def test_accesshub_call_on_a_killed_node_comes_back_on_the_other(system: System, page: PageMaker, room: str, stream: str) -> None:
    alice, bob = await on_the_air_across(system, page, room, stream)
    bob.link.lead_to(system.first.port)
    await asyncio.to_thread(system.second.kill)
    await gather(bob.connected(room), bob.publisher_state(stream, "PUBLISHING"))
    await alice.heard_tone(stream, 660)
    assert alice.user_changes(bob.user_id) == ["ADD"]
    for user in (alice, bob):
        assert "DISCONNECTED" not in user.states()


async def test_accesshub_client_of_a_draining_node_is_sent_to_the_other(
    redis: RedisProcess, tmp_path: Path, page: PageMaker, room: str, stream: str
) -> None:
    """Without a balancer: each node has a name of its own, and TLS, without which no SDK of this generation could be sent there."""
    first, second = await gather(*(start_node(tmp_path / name, f"{redis.url}/7", tls=True) for name in ("first", "second")))
    try:
        (alice,) = await page(first, "alice", version="3.12.0", own_address=True)
        (bob,) = await page(second, "bob", version="3.12.0", own_address=True)
        await on_the_air(room, bob, stream, 660, alice)
        second.terminate()
        await bob.connected(room)
        assert await second.await_exit() == 0
        await bob.publisher_state(stream, "PUBLISHING")
        await alice.heard_tone(stream, 660)
        assert alice.user_changes(bob.user_id) == ["ADD"]
        assert "DISCONNECTED" not in bob.states() and "NO_PUBLISH" not in bob.publisher_states(stream)
    finally:
        await gather(*(asyncio.to_thread(node.__exit__, None, None, None) for node in (first, second)))
