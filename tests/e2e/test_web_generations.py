"""Every web SDK of the JSON dialect, from the first on npm to the last: people hear each other through the node.

The first generation (1.4.0 … 2.5.0) forces TURN relay: what is heard there has gone through the node's own TURN server.
"""

from __future__ import annotations

from asyncio import gather

import pytest

from tests.e2e.browser import WebUser
from tests.e2e.users import PageMaker, unused_number
from tests.hearth_process import HearthProcess

FIRST_STYLE = ("1.4.0", "1.12.0", "1.19.0", "2.5.0")
OFFER_AT_ONCE = ("2.9.1", "2.13.0", "2.14.0", "2.26.2")

pytestmark = pytest.mark.parametrize("store_url", ["memory"], indirect=True)


@pytest.fixture
def stream() -> str:
    return f"stream-{unused_number()}"


async def talk(room: str, one: WebUser, other: WebUser, stream: str) -> None:
    """Both publish a tone of their own, each hears the other's."""
    await gather(one.login(room), other.login(room))
    of_one, of_other = f"{stream}-one", f"{stream}-other"
    await gather(one.publish_tone(of_one, 660), other.publish_tone(of_other, 880))
    await gather(one.sees_stream(room, of_other), other.sees_stream(room, of_one))
    await gather(one.play(of_other), other.play(of_one))
    await gather(one.heard_tone(of_other, 880), other.heard_tone(of_one, 660))


@pytest.mark.parametrize("version", [*FIRST_STYLE, "2.9.1", "2.13.0", "2.26.2"])
async def test_two_people_of_one_version_hear_each_other(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob = await page(hearth, "alice", "bob", version=version)
    await talk(room, alice, bob, stream)
    for user in (alice, bob):
        style = "CreateSessionReq" if version in FIRST_STYLE else "CreateSessionWithSdpReq"
        assert len(user.sent(style)) == 2
        if version in FIRST_STYLE:
            assert all("typ relay" in info["candidate"] for frame in user.sent("CandidateInfoReq") for info in frame["body"]["infos"])


async def test_every_version_hears_every_other_in_one_room(hearth: HearthProcess, page: PageMaker, room: str, stream: str) -> None:
    versions = (*FIRST_STYLE, *OFFER_AT_ONCE)
    users = await page(hearth, *(f"v{version.replace('.', '-')}" for version in versions), version=versions)
    tones = {user: 400 + 150 * number for number, user in enumerate(users)}
    streams = {user: f"{stream}-{number}" for number, user in enumerate(users)}
    for user in users:
        await user.login(room)
        await user.publish_tone(streams[user], tones[user])
    # In rounds: 56 connections at once, each with a decoder and a spectrum, are more than a small machine has time for.
    for distance in range(1, len(users)):
        pairs = [(user, users[(number + distance) % len(users)]) for number, user in enumerate(users)]
        for listener, speaker in pairs:
            await listener.sees_stream(room, streams[speaker])
            await listener.play(streams[speaker])
        await gather(*(listener.heard_tone(streams[speaker], tones[speaker]) for listener, speaker in pairs))
        await gather(*(listener.stop_playing(streams[speaker]) for listener, speaker in pairs))


async def test_a_later_sdk_falls_back_to_the_first_style(hearth: HearthProcess, page: PageMaker, room: str, stream: str) -> None:
    """SDKs from 2.9.1 to 2.14.0 do so when their offer gets no answer three times."""
    alice, bob = await page(hearth, "alice", "bob", version="2.14.0")
    await gather(alice.login(room), bob.login(room))
    await bob.lose_requests("CreateSessionWithSdpReq")
    await bob.publish_tone(stream, 660)
    assert len(bob.sent("CreateSessionReq")) == 1
    await alice.sees_stream(room, stream)
    await alice.play(stream)
    await alice.heard_tone(stream, 660)
