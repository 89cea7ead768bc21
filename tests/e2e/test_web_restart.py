"""The server is killed during calls and started again: each kind of web SDK finds back by itself."""

from __future__ import annotations

import asyncio
import socket
from asyncio import gather
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.e2e.on_the_air import on_the_air
from tests.e2e.redis_process import database
from tests.e2e.users import PageMaker
from tests.e2e.versions import WHOLE_CALL
from tests.hearth_process import HearthProcess

RECOVERY = 90.0
"""Limit for a call to be whole again, in seconds: SDKs try again with growing pauses."""


class Machine:
    """A server on a fixed port that can be killed and started again, with its store in itself or in a Redis beside it."""

    def __init__(self, directory: Path, store_url: str) -> None:
        self._directory = directory
        self._store_url = store_url
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port: int = probe.getsockname()[1]
        self.hearth: HearthProcess

    async def start(self) -> None:
        sections = {"server": {"port": self._port}}
        self.hearth = await HearthProcess.astart(self._directory, store_url=self._store_url, sections=sections)

    async def kill(self) -> None:
        await asyncio.to_thread(self.hearth.kill)


@pytest_asyncio.fixture(loop_scope="session")
async def machine(store_url: str, tmp_path: Path) -> AsyncIterator[Machine]:
    machine = Machine(tmp_path, database(store_url, 2))
    await machine.start()
    yield machine
    await asyncio.to_thread(machine.hearth.__exit__, None, None, None)


async def test_calls_come_back_after_their_server(machine: Machine, page: PageMaker, room: str) -> None:
    """All kinds at once, each in a room of its own, so that they wait for their timers together."""
    calls = {version: await page(machine.hearth, "alice", "bob", version=version) for version in WHOLE_CALL}

    async def begin(version: str) -> None:
        alice, bob = calls[version]
        await on_the_air(f"{room}-{version}", bob, f"{room}-{bob.user_id}", 660, alice)

    async def comes_back(version: str) -> None:
        alice, bob = calls[version]
        await gather(*(user.connected(f"{room}-{version}") for user in (alice, bob)))
        await alice.heard_tone(f"{room}-{bob.user_id}", 660, RECOVERY)
        for user in (alice, bob):
            assert "DISCONNECTED" not in user.states(), version
        assert "NO_PUBLISH" not in bob.publisher_states(f"{room}-{bob.user_id}"), version

    await gather(*(begin(version) for version in WHOLE_CALL))
    await machine.kill()
    await gather(*(alice.heard_silence(f"{room}-{bob.user_id}") for alice, bob in calls.values()))
    await machine.start()
    await gather(*(comes_back(version) for version in WHOLE_CALL))
