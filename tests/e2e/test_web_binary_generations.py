"""Every web SDK that speaks to the accesshub, from 2.26.0 to the newest: one user of each is heard by a user of 3.12.0 and hears her.

How each version is pointed at the server is in ``web/engines.js``, in the words of ``docs/sdk-versions.md``.
"""

from __future__ import annotations

from asyncio import gather
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.browser import WebUser
from tests.e2e.remote import Remote, SdkError
from tests.e2e.users import PageMaker, unused_number
from tests.hearth_process import HearthProcess

VERSIONS = (
    "2.26.0", "2.26.2", "3.0.0", "3.0.1", "3.1.0", "3.1.3", "3.2.0", "3.3.0", "3.4.0", "3.5.0", "3.6.0", "3.7.1", "3.7.4", "3.7.6", "3.8.0",
    "3.9.0", "3.10.0", "3.11.0", "3.12.0",
)  # fmt: skip
ROOM = "every-version"
HOST_TONE, GUEST_TONE = 880, 660
LOGIN_TIMEOUT = 1002031

pytestmark = pytest.mark.parametrize("store_url", ["memory"], indirect=True)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def host(hearth: HearthProcess, chromium: Remote, link_tls: object) -> AsyncIterator[WebUser]:
    """Publishes a tone to whoever comes."""
    maker = PageMaker(chromium, link_tls)  # type: ignore[arg-type]
    (host,) = await maker(hearth, "host", version="3.12.0")
    await host.login(ROOM)
    await host.publish_tone("host", HOST_TONE)
    yield host
    await maker.aclose()


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_user_of_this_version_is_heard_and_hears(hearth: HearthProcess, page: PageMaker, host: WebUser, version: str) -> None:
    (guest,) = await page(hearth, "guest", version=version, hub=True)
    stream = f"guest-{unused_number()}"
    await guest.login(ROOM)
    await gather(guest.sees_user(ROOM, host.user_id), host.sees_user(ROOM, guest.user_id), guest.sees_stream(ROOM, "host"))
    await guest.publish_tone(stream, GUEST_TONE)
    await host.sees_stream(ROOM, stream)
    await gather(host.play(stream), guest.play("host"))
    await gather(host.heard_tone(stream, GUEST_TONE), guest.heard_tone("host", HOST_TONE))
    await host.stop_playing(stream)
    await guest.logout(ROOM)
    await gather(host.sees_stream(ROOM, stream, "DELETE"), host.sees_user(ROOM, guest.user_id, "DELETE"))


async def test_a_version_whose_rooms_on_the_accesshub_are_older_is_refused_and_does_not_time_out(
    hearth: HearthProcess, page: PageMaker
) -> None:
    (guest,) = await page(hearth, "guest", version="2.22.0", hub=True)
    with pytest.raises(SdkError) as refused:
        await guest.login(ROOM)
    assert refused.value.code not in (None, LOGIN_TIMEOUT)
