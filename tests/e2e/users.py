"""Makes users for a test, with ids that no other test uses, and takes them away afterwards."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Sequence

from tests.e2e.browser import REFERENCE, WebUser
from tests.e2e.link import Link
from tests.e2e.miniprogram import REFERENCE as PHONE_REFERENCE
from tests.e2e.miniprogram import MiniProgramUser
from tests.e2e.remote import Remote
from tests.hearth_process import HearthProcess

_numbers = itertools.count(1)


def unused_number() -> int:
    """Makes names of rooms, users and streams unique within the run."""
    return next(_numbers)


class PhoneMaker:
    """``alice, bob = await phone(hearth, "alice", "bob")``: mini-program users, with a number in their ids that no other test uses."""

    def __init__(self, remote: Remote, tls: ssl.SSLContext, version: str = PHONE_REFERENCE) -> None:
        """``tls``: of the links to the accesshub, which 3.x speaks over TLS only. ``version``: that phones have if none is named."""
        self._remote = remote
        self._tls = tls
        self._version = version
        self._links: dict[HearthProcess, Link] = {}
        self.users: list[MiniProgramUser] = []

    async def __call__(
        self,
        hearth: HearthProcess,
        *names: str,
        server: str | list[str] | None = None,
        multi_room: bool = False,
        busy: bool = False,
        version: str | None = None,
        link: Link | None = None,
    ) -> list[MiniProgramUser]:
        """``link``: to the accesshub, instead of the maker's own."""
        number = unused_number()
        users = [MiniProgramUser(self._remote, f"{name}-{number}", hearth.token) for name in names]
        await asyncio.gather(*(self._create(user, hearth, server, multi_room, busy, version or self._version, link) for user in users))
        self.users += users
        return users

    async def twin(self, user: MiniProgramUser, hearth: HearthProcess) -> MiniProgramUser:
        """A second device of the same user."""
        twin = MiniProgramUser(self._remote, user.user_id, hearth.token)
        twin.name = f"{user.name}-twin"
        await self._create(twin, hearth, None, False, False, self._version, None)
        self.users.append(twin)
        return twin

    async def _create(
        self,
        user: MiniProgramUser,
        hearth: HearthProcess,
        server: str | list[str] | None,
        multi_room: bool,
        busy: bool,
        version: str,
        link: Link | None,
    ) -> None:
        hub = (link or await self._link(hearth)).host if version.startswith("3.") else None
        await user.create(hearth.app_id, server or hearth.ws_url, multi_room=multi_room, busy=busy, version=version, hub=hub)

    async def _link(self, hearth: HearthProcess) -> Link:
        if hearth not in self._links:
            self._links[hearth] = await Link("127.0.0.1", hearth.port, self._tls).__aenter__()
        return self._links[hearth]

    async def aclose(self) -> None:
        await asyncio.gather(*(user.dispose() for user in self.users))
        await asyncio.gather(*(link.aclose() for link in self._links.values()))


class PageMaker:
    """``alice, bob = await page(hearth, "alice", "bob")``: web users, each in a page and on a link of its own."""

    def __init__(self, remote: Remote, tls: ssl.SSLContext) -> None:
        """``tls``: of the links of users on the accesshub, which 3.x speaks over TLS only."""
        self._remote = remote
        self._tls = tls
        self._users: list[WebUser] = []

    async def __call__(
        self,
        hearth: HearthProcess,
        *names: str,
        server: list[str] | None = None,
        version: str | Sequence[str] = REFERENCE,
        hub: bool | None = None,
        own_address: bool = False,
        local_proxy: bool = False,
    ) -> list[WebUser]:
        """``server``: addresses instead of the user's own link. ``version``: of the SDK, one for all or one for each. ``hub``: over the
        accesshub; None = where the version speaks nothing else. ``own_address``: not through a link, but at the server's own, with TLS.
        ``local_proxy``: the SDK takes the hub for a proxy in its own network, and opens its media in TURN mode (``sdk-3x.md`` §1.2).
        """
        versions = [version] * len(names) if isinstance(version, str) else version
        number = unused_number()
        users: list[WebUser] = []
        for name, used in zip(names, versions, strict=True):
            on_hub = used.startswith(("3.", "webrtm")) if hub is None else hub
            link = await Link("127.0.0.1", hearth.port, self._tls if on_hub else None).__aenter__()
            users.append(WebUser(self._remote, f"{name}-{number}", link, hearth.token, used, on_hub))
        self._users += users
        hub_host = f"127.0.0.1:{hearth.port}" if own_address else None
        await asyncio.gather(*(user.open(hearth.app_id, server, hub_host, local_proxy) for user in users))
        return users

    async def close(self, user: WebUser) -> None:
        """The user closes the tab."""
        self._users.remove(user)
        await user.close()
        await user.link.aclose()

    async def aclose(self) -> None:
        await asyncio.gather(*(self.close(user) for user in list(self._users)))
