"""The server is killed during calls and started again: each kind of web SDK finds back by itself."""

from __future__ import annotations

import asyncio
import itertools
from asyncio import gather
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest_asyncio

from tests.e2e.browser import WebUser
from tests.e2e.link import Link
from tests.e2e.on_the_air import on_the_air
from tests.e2e.redis_process import database
from tests.e2e.users import PageMaker
from tests.e2e.versions import NEWEST, WHOLE_CALL, session_request
from tests.hearth_process import HearthProcess

RECOVERY = 90.0
"""Limit for a call to be whole again, in seconds: SDKs try again with growing pauses."""


class Machine:
    """A server behind links, that can be killed and have another in its place, with its store in itself or in a Redis beside it."""

    def __init__(self, directory: Path, store_url: str, address: Link) -> None:
        """``address``: what the server is known by, in every life: players are sent there for its streams."""
        self._directory = directory
        self._store_url = store_url
        self._address = address
        self._lives = itertools.count(1)
        self.hearth: HearthProcess

    async def start(self) -> None:
        directory = self._directory / f"life-{next(self._lives)}"
        sections = {"server": {"public_url": f"http://{self._address.host}"}}
        self.hearth = await HearthProcess.astart(directory, store_url=self._store_url, sections=sections)
        self._address.lead_to(self.hearth.port)

    async def restart(self, users: Iterable[WebUser]) -> None:
        """The server is killed, and another one is there, which knows nothing of it but what is in the store.

        How long a start takes is the machine's affair, and 1.4.0 tries for ten seconds only. So the other one is ready before, and
        the links lead to it.
        """
        old = self.hearth
        await self.start()
        for user in users:
            user.link.lead_to(self.hearth.port)
        await asyncio.to_thread(old.kill)


@pytest_asyncio.fixture(loop_scope="session")
async def machine(store_url: str, tmp_path: Path) -> AsyncIterator[Machine]:
    async with Link("127.0.0.1", 0) as address:
        machine = Machine(tmp_path, database(store_url, 2), address)
        await machine.start()
        yield machine
        await asyncio.to_thread(machine.hearth.__exit__, None, None, None)


async def test_calls_come_back_after_their_server(machine: Machine, page: PageMaker, room: str) -> None:
    """All kinds at once, each in a room of its own, so that they wait for their timers together."""
    calls = {version: await page(machine.hearth, "alice", "bob", version=version) for version in (*WHOLE_CALL, NEWEST)}
    everybody = [user for pair in calls.values() for user in pair]

    async def begin(version: str) -> None:
        alice, bob = calls[version]
        await on_the_air(f"{room}-{version}", bob, f"{room}-{bob.user_id}", 660, alice)

    async def comes_back(version: str) -> None:
        alice, bob = calls[version]
        await gather(*(user.connected(f"{room}-{version}") for user in (alice, bob)))
        # The media sessions are new ones, so the tone is not what was left of the old. 3.12.0 says so in an event, its frames are binary.
        if version == NEWEST:
            await bob.publisher_state(f"{room}-{bob.user_id}", "PUBLISHING")
        else:
            opens = session_request(version)
            await gather(*(user.wait_frame("sent", opens, limit=RECOVERY, after=before[user.name]) for user in (alice, bob)))
        await alice.heard_tone(f"{room}-{bob.user_id}", 660, RECOVERY)
        for user in (alice, bob):
            assert "DISCONNECTED" not in user.states(), version
        assert "NO_PUBLISH" not in bob.publisher_states(f"{room}-{bob.user_id}"), version

    await gather(*(begin(version) for version in calls))
    before = {user.name: len(user.frames) for user in everybody}
    await machine.restart(everybody)
    await gather(*(comes_back(version) for version in calls))
