"""Mini-program SDKs 2.11.0 and 3.6.0: streams from the publisher's start to everybody's DELETE, on both stores."""

from __future__ import annotations

from asyncio import gather
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.miniprogram import PLAY_STARTED, PUSH_DISCONNECTED, PUSH_STARTED, REFERENCE, MiniProgramUser
from tests.e2e.remote import SdkError
from tests.e2e.users import PhoneMaker
from tests.hearth_process import HearthProcess
from tests.waiting import until

both_generations = pytest.mark.parametrize("phone_version", [REFERENCE, "3.6.0"])

NO_ADDRESS = 1102017
"""What the SDK makes of a refused ``stream_publish``."""


async def in_room(room: str, *users: MiniProgramUser) -> None:
    await gather(*(user.login(room) for user in users))


@both_generations
async def test_published_stream_is_added_updated_and_deleted_at_the_others(
    hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str
) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await in_room(room, alice, bob)

    url = await bob.start_pusher(stream)
    assert urlsplit(url).scheme == "rtmp"
    assert stream in urlsplit(url).path
    await bob.publisher_state(stream, "PUBLISH_REQUESTING")
    assert alice.stream_changes(stream) == []  # only reserved so far

    await bob.component_state(stream, PUSH_STARTED)
    await bob.publisher_state(stream, "PUBLISHING")
    seen = await alice.sees_stream(room, stream)
    assert seen["user"] == {"userID": bob.user_id, "userName": bob.user_name}

    await bob.call("setStreamExtraInfo", stream, "seat 3 椅")
    _, updated = await alice.wait_event("streamExtraInfoUpdate", lambda room_id, _: room_id == room)
    assert (updated[0]["streamID"], updated[0]["extraInfo"]) == (stream, "seat 3 椅")

    await bob.stop_publishing()
    await bob.publisher_state(stream, "NO_PUBLISH")
    await alice.sees_stream(room, stream, "DELETE")
    assert alice.stream_changes(stream) == ["ADD", "DELETE"]
    assert bob.stream_changes(stream) == []  # never told of his own

    await bob.publish(stream)  # the name can be used again
    await alice.sees_stream(room, stream)


@both_generations
async def test_late_joiner_is_given_the_streams_on_the_air_with_their_extra_info(
    hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str
) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await bob.login(room)
    await bob.publish(stream)
    await bob.call("setStreamExtraInfo", stream, "host")
    await alice.login(room)
    seen = await alice.sees_stream(room, stream)
    assert seen["extraInfo"] == "host"

    await bob.stop_publishing()
    await alice.sees_stream(room, stream, "DELETE")


@both_generations
async def test_player_is_given_an_address_and_plays(
    hearth: HearthProcess, phone: PhoneMaker, phone_version: str, room: str, stream: str
) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await in_room(room, alice, bob)
    await bob.publish(stream)
    await alice.sees_stream(room, stream)

    url = await alice.play_url(stream)
    assert urlsplit(url).scheme == "rtmp"
    assert stream in urlsplit(url).path
    (session_id,) = parse_qs(urlsplit(url).query)["zgdid"]
    if phone_version == REFERENCE:
        assert session_id == alice.sent("stream_url")[0]["header"]["session_id"]
    await alice.component_state(stream, PLAY_STARTED)
    await alice.player_state(stream, "PLAYING")
    await alice.stop_player(stream)
    await alice.player_state(stream, "NO_PLAY")


async def test_stream_id_in_use_is_refused_to_the_second_and_undisturbed_at_the_first(
    hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str
) -> None:
    alice, bob, carol, dave = await phone(hearth, "alice", "bob", "carol", "dave")
    await gather(in_room(room, alice, bob, carol), dave.login(f"{room}-elsewhere"))
    await alice.publish(stream)
    await carol.sees_stream(room, stream)

    for rival in (bob, dave):  # the id is unique in the App, not only in the room
        with pytest.raises(SdkError) as error:
            await rival.start_pusher(stream)
        assert error.value.code == NO_ADDRESS
        state = await rival.publisher_state(stream, "NO_PUBLISH")
        assert state["errorCode"] == NO_ADDRESS

    await alice.call("setStreamExtraInfo", stream, "still mine")
    await carol.wait_event("streamExtraInfoUpdate", lambda _, streams: streams[0]["extraInfo"] == "still mine")
    assert carol.stream_changes(stream) == ["ADD"]
    assert alice.publisher_states(stream) == ["PUBLISH_REQUESTING", "PUBLISHING"]

    await alice.stop_publishing()
    await carol.sees_stream(room, stream, "DELETE")
    await bob.publish(stream)  # now it is free
    await carol.sees_stream(room, stream)


@both_generations
async def test_log_out_takes_a_publishers_stream_with_it(hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await in_room(room, alice, bob)
    await bob.publish(stream)
    await alice.sees_stream(room, stream)
    await bob.logout(room)
    await gather(alice.sees_stream(room, stream, "DELETE"), alice.sees_user(room, bob.user_id, "DELETE"))


@both_generations
async def test_pusher_that_loses_its_server_ends_the_stream(hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await in_room(room, alice, bob)
    await bob.publish(stream)
    await alice.sees_stream(room, stream)
    await bob.component_state(stream, PUSH_DISCONNECTED)
    state = await bob.publisher_state(stream, "NO_PUBLISH")
    assert state["errorCode"] == PUSH_DISCONNECTED
    await alice.sees_stream(room, stream, "DELETE")


async def test_reservation_that_is_never_used_runs_out(impatient_hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str) -> None:
    alice, bob = await phone(impatient_hearth, "alice", "bob")
    await in_room(room, alice, bob)
    await alice.start_pusher(stream)  # the live-pusher never starts
    with pytest.raises(SdkError):
        await bob.start_pusher(stream)

    async def accepted() -> bool:
        try:
            await bob.start_pusher(stream)
        except SdkError:
            return False
        return True

    await until(accepted, 30, "the stream id is free again")  # type: ignore[arg-type]
    await bob.component_state(stream, PUSH_STARTED)
    await alice.sees_stream(room, stream)
