"""Every web SDK below 3.0 that npm has, in the JSON dialect: people hear each other through the node.

The first generation (1.4.0 … 2.5.0) forces TURN relay: what is heard there has gone through the node's own TURN server.
"""

from __future__ import annotations

from asyncio import gather

import pytest

from tests.e2e.on_the_air import tune_in
from tests.e2e.users import PageMaker
from tests.e2e.versions import CLOUD_SERVICE, FIRST_STYLE, OFFER_AT_ONCE, WHOLE_CALL, session_request
from tests.hearth_process import HearthProcess

pytestmark = pytest.mark.parametrize("store_url", ["memory"], indirect=True)

IN_ONE_ROOM = (*FIRST_STYLE, *OFFER_AT_ONCE, "2.26.2")


@pytest.mark.parametrize("version", [one for one in (*FIRST_STYLE, *OFFER_AT_ONCE, *CLOUD_SERVICE) if one not in WHOLE_CALL])
async def test_two_people_of_one_version_hear_each_other(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    """The versions of ``WHOLE_CALL`` do this in ``test_web_call.py``."""
    alice, bob = await page(hearth, "alice", "bob", version=version)
    await gather(alice.login(room), bob.login(room))
    of_alice, of_bob = f"{stream}-alice", f"{stream}-bob"
    await gather(alice.publish_tone(of_alice, 660), bob.publish_tone(of_bob, 880))
    await gather(tune_in(room, alice, of_bob, 880), tune_in(room, bob, of_alice, 660))
    await gather(alice.remote_microphone(of_bob, "OPEN"), bob.remote_microphone(of_alice, "OPEN"))
    for user in (alice, bob):
        assert len(user.sent(session_request(version))) == 2
        assert {path["type"] for path in await user.paths()} == {"relay" if version in FIRST_STYLE else "host"}
        assert user.page_errors == []


async def test_every_kind_hears_every_other_in_one_room(hearth: HearthProcess, page: PageMaker, room: str, stream: str) -> None:
    users = await page(hearth, *(f"v{version.replace('.', '-')}" for version in IN_ONE_ROOM), version=IN_ONE_ROOM)
    tones = {user: 400 + 150 * number for number, user in enumerate(users)}
    streams = {user: f"{stream}-{number}" for number, user in enumerate(users)}
    for user in users:
        await user.login(room)
        await user.publish_tone(streams[user], tones[user])
    # In rounds: 56 connections at once, each with a decoder and a spectrum, are more than a small machine has time for.
    for distance in range(1, len(users)):
        pairs = [(user, users[(number + distance) % len(users)]) for number, user in enumerate(users)]
        await gather(*(tune_in(room, listener, streams[speaker], tones[speaker]) for listener, speaker in pairs))
        await gather(*(listener.stop_playing(streams[speaker]) for listener, speaker in pairs))


async def test_a_later_sdk_falls_back_to_the_first_style(hearth: HearthProcess, page: PageMaker, room: str, stream: str) -> None:
    """SDKs from 2.9.1 to 2.14.0 do so when their offer gets no answer three times."""
    alice, bob = await page(hearth, "alice", "bob", version="2.14.0")
    await gather(alice.login(room), bob.login(room))
    await bob.lose_requests("CreateSessionWithSdpReq")
    await bob.publish_tone(stream, 660)
    assert len(bob.sent("CreateSessionReq")) == 1
    await tune_in(room, alice, stream, 660)
