"""The socket itself: what ends it, and that nothing of it disturbs others."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signaling.media_json.settings import MediaSocketSettings
from tests.unit.calls.fakes import House
from tests.unit.signaling.media_json.client import OFFER, Client
from tests.waiting import until

PUBLISH = 0


async def test_other_addresses_are_refused_before_the_socket_is_accepted() -> None:
    house = House()
    client = Client(house, house.rooms.enter("amy"), query="app=1&session=x&key=")
    async with client:
        assert (await client.closed())[0] == 1008
        assert not client.socket.accepted


@pytest.mark.parametrize("text", ["", "{", "[]", '{"header":{}}', "\x00", "[" * 60_000])
async def test_what_is_no_frame_closes_the_socket(text: str) -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        amy.send_text(text)
        assert (await amy.closed())[0] == 1007


async def test_binary_frames_close_the_socket() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        amy.socket.to_server.put_nowait({"type": "websocket.receive", "bytes": b"\xb5\x00"})
        assert (await amy.closed())[0] == 1003


@pytest.mark.parametrize("text", ["x" * 70_000, "ä" * 40_000])
async def test_frames_that_are_too_long_close_the_socket(text: str) -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy")) as amy:
        amy.send_text(text)
        assert (await amy.closed())[0] == 1009


async def test_a_flood_closes_the_socket_and_a_quick_client_does_not() -> None:
    house = House()
    limits = MediaSocketSettings(messages_per_second=10, message_burst=20)
    async with Client(house, house.rooms.enter("amy"), limits) as amy, Client(house, house.rooms.enter("bob"), limits) as bob:
        await amy.log_in()
        await bob.log_in()
        for _ in range(19):
            await bob.ask("ClientHBReq", {})
        house.clock.forward(1_000)
        for _ in range(10):
            await bob.ask("ClientHBReq", {})
        assert bob.socket.closed is None
        for _ in range(50):
            amy.send("Whatever", {})
        assert (await amy.closed())[0] == 1008
        assert bob.socket.closed is None


async def test_a_client_that_does_not_read_is_dropped_and_keeps_its_sessions() -> None:
    house = House()
    session = house.rooms.enter("amy")
    async with Client(house, session, MediaSocketSettings(max_queued_frames=8)) as amy:
        await amy.log_in()
        opened = (await amy.open(PUBLISH, "s"))["body"]
        amy.socket.stalled.clear()
        for _ in range(20):
            amy.send("ClientHBReq", {})
        assert (await amy.closed())[0] == 1013
    assert opened["session_id"] in house.plane.open
    async with Client(house, session) as again:
        await again.log_in((opened["session_id"], opened["session_token"]))
        await again.ask("ClientHBReq", {"session_ids": [opened["session_id"]]})
        assert not again.pushes


async def test_a_silent_socket_is_closed_and_its_sessions_wait() -> None:
    house = House()
    async with Client(house, house.rooms.enter("amy"), MediaSocketSettings(idle_timeout=30)) as amy:
        await amy.log_in()
        await amy.open(PUBLISH, "s")
        assert (await amy.closed())[0] == 1001
    assert len(house.plane.open) == 1
    assert all(media.login is None for media in house.calls._live.all())


async def test_a_socket_without_a_login_is_closed_however_much_it_says_and_one_with_a_login_is_not() -> None:
    house = House()
    limits = MediaSocketSettings(login_timeout=30, idle_timeout=60_000)
    async with Client(house, house.rooms.enter("amy"), limits) as amy, Client(house, house.rooms.enter("bob"), limits) as bob:
        await bob.log_in()
        assert (await amy.ask("LoginReq", {}, user_id="somebody else"))["body"]["result"] != 0
        assert await amy.closed() == (1001, "no login")
        assert (await bob.ask("ClientHBReq", {}))["body"]["result"] == 0


async def test_frames_before_a_login_are_few_and_after_it_as_many_as_the_pace_allows() -> None:
    house = House()
    limits = MediaSocketSettings(frames_without_login=5)
    async with Client(house, house.rooms.enter("amy"), limits) as amy, Client(house, house.rooms.enter("bob"), limits) as bob:
        await bob.log_in()
        for _ in range(20):
            await bob.ask("ClientHBReq", {})
        for _ in range(5):
            assert (await amy.ask("LoginReq", {}, user_id="somebody else"))["body"]["result"] != 0
        amy.send("LoginReq", {}, user_id="somebody else")
        assert (await amy.closed())[0] == 1008
        assert bob.socket.closed is None


async def test_what_waits_for_a_client_that_does_not_read_is_bounded_by_its_length_too() -> None:
    house = House()
    limits = MediaSocketSettings(max_queued_characters=2_000)
    async with Client(house, house.rooms.enter("amy"), limits) as amy:
        await amy.log_in()
        amy.socket.stalled.clear()
        for number in range(20):
            amy.send("ClientHBReq", {"n": number})
        assert (await amy.closed())[0] == 1013


async def test_a_stopped_server_leaves_no_login_behind() -> None:
    house = House()
    amy = await Client(house, house.rooms.enter("amy")).__aenter__()
    await amy.log_in()
    await amy.open(PUBLISH, "s")
    amy.server.cancel()
    await until(amy.server.done)
    assert all(media.login is None for media in house.calls._live.all())


_COMMANDS = st.sampled_from(
    [
        "LoginReq",
        "CreateSessionReq",
        "CreateSessionWithSdpReq",
        "CandidateInfoReq",
        "StreamStatusNotify",
        "ActivateAudioPlayStreamReq",
        "ActivateVideoPlayStreamReq",
        "ClientHBReq",
        "CloseSessionReq",
        "QualityReportReq",
        "Peer2PeerNetStatsGetReq",
        "CmdReq",
        "MediaDescUpdateReq",
        "CloseSessionAck",
        "XReq",
        "Req",
    ]
)
_VALUES = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=8) | st.sampled_from([OFFER, "s", [], {}, [1, "x"], 2**40])
_BODIES = st.dictionaries(
    st.sampled_from(
        ["type", "stream_id", "sdp", "sessions", "session_ids", "active", "reason", "mic_status", "camera_status", "peer_id", "token"]
    ),
    _VALUES,
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.lists(st.tuples(_COMMANDS, _BODIES, st.integers(-1, 3)), max_size=25), st.integers())
def test_whatever_one_client_says_the_other_is_not_disturbed(frames: list[tuple[str, dict[str, object], int]], seed: int) -> None:
    async def converse() -> None:
        house = House()
        async with Client(house, house.rooms.enter("mallory")) as mallory, Client(house, house.rooms.enter("amy")) as amy:
            await amy.log_in()
            number = (await amy.open(PUBLISH, "amys"))["body"]["session_id"]
            if random.Random(seed).random() < 0.8:
                await mallory.log_in()
            for cmd, body, session_id in frames:
                mallory.send(cmd, body, session_id=number if session_id == 3 else session_id)
            answer = await amy.ask("ClientHBReq", {"session_ids": [number]})
            assert answer["body"] == {"result": 0, "hb_interval": 10_000}
            mallory.hang_up()
            await asyncio.wait_for(mallory.server, 20)
            assert house.plane.open[number] == ("publisher", house.name("amys"))
            assert not amy.pushes

    asyncio.run(converse())


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=40) | st.binary(max_size=40), max_size=10))
def test_any_bytes_on_the_socket_end_it_or_are_answered(messages: list[str | bytes]) -> None:
    async def converse() -> None:
        house = House()
        async with Client(house, house.rooms.enter("mallory")) as mallory:
            for message in messages:
                kind = "text" if isinstance(message, str) else "bytes"
                mallory.socket.to_server.put_nowait({"type": "websocket.receive", kind: message})
            mallory.hang_up()
            await asyncio.wait_for(mallory.server, 20)
            while not mallory.socket.to_client.empty():
                json.loads(mallory.socket.to_client.get_nowait())

    asyncio.run(converse())
