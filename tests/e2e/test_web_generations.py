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
