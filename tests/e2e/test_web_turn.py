"""Browsers that reach the node through coturn, over UDP and, where that is shut, over TCP; the node's own TURN server is off."""

from __future__ import annotations

import asyncio
from asyncio import gather
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.coturn import SECRET, running_coturn
from tests.e2e.on_the_air import on_the_air
from tests.e2e.users import PageMaker
from tests.hearth_process import HearthProcess


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def hearth_behind_coturn(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HearthProcess]:
    directory = tmp_path_factory.mktemp("coturn")
    async with running_coturn(directory) as coturn:
        external = {"urls": [f"turn:127.0.0.1:{coturn.port}?transport=udp"], "shared_secret": SECRET}
        server = await HearthProcess.astart(directory / "hearth", sections={"media": {"turn_external": external}})
        yield server
        await asyncio.to_thread(server.__exit__, None, None, None)


@pytest.mark.parametrize(("version", "transport"), [("1.4.0", "udp"), ("1.19.0", "tcp"), ("2.5.0", "tcp")])
async def test_sdks_that_force_relay_talk_through_coturn(
    hearth_behind_coturn: HearthProcess, page: PageMaker, room: str, stream: str, version: str, transport: str
) -> None:
    """``setTurnOverTcpOnly`` is there from 1.19.0 on; the SDK makes the TCP address of the UDP one."""
    alice, bob = await page(hearth_behind_coturn, "alice", "bob", version=version)
    if transport == "tcp":
        await gather(alice.turn_over_tcp(), bob.turn_over_tcp())
    await on_the_air(room, bob, stream, 660, alice)
    for user in (alice, bob):
        assert [(path["type"], path["relay"]) for path in await user.paths()] == [("relay", transport)]
