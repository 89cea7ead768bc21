"""The server API with web SDK 2.14.0 in Chromium at the other end: media stops."""

from __future__ import annotations

from asyncio import gather

import pytest

from tests.e2e.browser import WebUser
from tests.e2e.server_api import act, sequence
from tests.e2e.users import PageMaker
from tests.hearth_process import HearthProcess

pytestmark = pytest.mark.parametrize("store_url", ["memory"], indirect=True)
"""Media is the same on either store."""

KICKED_BY_SERVER = 1002055
FORBIDDEN = 1003025


async def on_the_air(room: str, publisher: WebUser, stream: str, listener: WebUser) -> None:
    await gather(publisher.login(room), listener.login(room))
    await publisher.publish_tone(stream, 660)
    await listener.sees_stream(room, stream)
    await listener.play(stream)
    await listener.heard_tone(stream, 660)


async def test_kicked_publisher_is_told_why_and_silent(hearth: HearthProcess, page: PageMaker, room: str, stream: str) -> None:
    alice, bob = await page(hearth, "alice", "bob")
    await on_the_air(room, bob, stream, alice)
    await act(hearth, "KickoutUser", RoomId=room, UserId=[bob.user_id], CustomReason="zu laut & 😾")
    _, _, code, extended = await bob.disconnected(room)
    assert code == KICKED_BY_SERVER and "zu laut & 😾" in str(extended)
    await gather(alice.sees_stream(room, stream, "DELETE"), alice.sees_user(room, bob.user_id, "DELETE"), alice.heard_silence(stream))


async def test_forbidden_stream_is_silent_and_its_publisher_is_told(hearth: HearthProcess, page: PageMaker, room: str, stream: str) -> None:
    alice, bob = await page(hearth, "alice", "bob")
    await on_the_air(room, bob, stream, alice)
    await act(hearth, "ForbidRTCStream", StreamId=stream, Sequence=sequence())
    refused, _, _ = await gather(
        bob.publisher_state(stream, "NO_PUBLISH"), alice.sees_stream(room, stream, "DELETE"), alice.heard_silence(stream)
    )
    assert refused["errorCode"] == FORBIDDEN
    await gather(bob.stop_publishing(stream), alice.stop_playing(stream))

    await bob.start_publishing_tone(stream, 880)
    again = await bob.publisher_state(stream, "NO_PUBLISH")
    assert again["errorCode"] != 0
    await act(hearth, "ResumeRTCStream", StreamId=stream, Sequence=sequence())
    await bob.stop_publishing(stream)
    await bob.publish_tone(stream, 880)
    await alice.sees_stream(room, stream)
    await alice.play(stream)
    await alice.heard_tone(stream, 880)


async def test_muted_stream_is_silent_until_the_rule_is_taken_back(hearth: HearthProcess, page: PageMaker, room: str, stream: str) -> None:
    alice, bob = await page(hearth, "alice", "bob")
    await on_the_air(room, bob, stream, alice)
    await act(hearth, "SetForbidStreamRule", RoomId=room, StreamId=stream, DisableAudio=1)
    await alice.heard_silence(stream)
    await act(hearth, "DelForbidStreamRule", RoomId=room, StreamId=stream)
    await alice.heard_tone(stream, 660)
