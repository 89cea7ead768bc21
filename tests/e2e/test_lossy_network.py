"""Calls through a network that loses a sixth of all datagrams, delays the others and puts some in another order, or changes addresses."""

from __future__ import annotations

import asyncio
import json
import socket
from asyncio import gather
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.on_the_air import on_the_air, tune_in
from tests.e2e.users import PageMaker
from tests.hearth_process import HearthProcess
from tests.lossy_network import LossyNetwork, Weather
from tests.ports import free_port
from tests.waiting import until

STORM = Weather(loss=0.15, delay_ms=40, reordered=0.05)
NOTICED = 0.03
"""Share of lost packets that must be seen of them: reports are about a few seconds, in which it may be less than the mean."""


async def figures(hearth: HearthProcess, room: str, stream: str) -> dict[str, Any]:
    listed = json.loads((await asyncio.to_thread(hearth.hearth, "streams", room, "--json")).stdout)
    return next(entry["figures"] for entry in listed if entry["stream_id"] == stream)  # type: ignore[no-any-return]


@pytest.mark.parametrize("version", ["2.26.2"])
async def test_talk_goes_on_through_loss_and_the_publisher_hears_of_its_players_loss(
    tmp_path: Path, page: PageMaker, room: str, stream: str, version: str
) -> None:
    port = free_port(socket.SOCK_DGRAM)
    sections = {"media": {"udp_port": port, "statistics_seconds": 1}}
    with await HearthProcess.astart(tmp_path, sections=sections) as hearth:
        async with LossyNetwork(("127.0.0.1", port), STORM, seed=1) as network:
            alice, bob = await page(hearth, "alice", "bob", version=version)
            await bob.media_through(port, network.port)
            await on_the_air(room, alice, stream, 660, bob)
            await bob.publish_tone(f"{stream}-bob", 880)
            await tune_in(room, alice, f"{stream}-bob", 880)

            # Nothing is lost on alice's own way: what she hears of loss is bob's.
            await until(lambda: reports(alice, NOTICED), 90, "the publisher's sender is told of its player's loss")

            async def seen() -> bool:
                down, up = await gather(figures(hearth, room, stream), figures(hearth, room, f"{stream}-bob"))
                (player,) = down["players"]
                uplink = up["publisher"]["lost"] / max(1, up["publisher"]["packets"])
                return player["lost"] > 10 and down["publisher"]["players_loss"] > NOTICED and uplink > NOTICED

            await until(seen, 60, "the operator sees the loss of both ways")
            await gather(bob.heard_tone(stream, 660), alice.heard_tone(f"{stream}-bob", 880))
            assert await bob.concealed() > 0
            for user, own in ((alice, stream), (bob, f"{stream}-bob")):
                assert user.publisher_states(own) == ["PUBLISH_REQUESTING", "PUBLISHING"]
            assert alice.stream_changes(f"{stream}-bob") == bob.stream_changes(stream) == ["ADD"]
            assert network.down.lost > 0 and network.up.lost > 0


async def test_clients_whose_addresses_change_keep_their_media_sessions(tmp_path: Path, page: PageMaker, room: str, stream: str) -> None:
    """Publisher and player of either dialect. Only the node sees the change; the SDKs do nothing and are told of nothing."""
    port = free_port(socket.SOCK_DGRAM)
    with await HearthProcess.astart(tmp_path, sections={"media": {"udp_port": port, "statistics_seconds": 1}}) as hearth:
        async with LossyNetwork(("127.0.0.1", port), Weather(), seed=1) as network:
            alice, bob = await page(hearth, "alice", "bob", version=("2.26.2", "3.12.0"))
            await gather(*(user.media_through(port, network.port) for user in (alice, bob)))
            await on_the_air(room, alice, stream, 660, bob)
            await bob.publish_tone(f"{stream}-bob", 880)
            await tune_in(room, alice, f"{stream}-bob", 880)

            async def packets() -> dict[int, int]:
                """Of the two publishers and the two players, by the ids of their media sessions."""
                found = await gather(figures(hearth, room, stream), figures(hearth, room, f"{stream}-bob"))
                sessions = [one for each in found for one in (each["publisher"], *each["players"])]
                assert all(one["connected"] for one in sessions)
                return {one["media_session_id"]: one["packets"] for one in sessions}

            network.rebind()  # nothing comes through the old ports from now on
            before = await packets()
            assert len(before) == 4

            async def all_go_on() -> bool:
                now = await packets()
                assert now.keys() == before.keys()
                return all(now[session] > before[session] + 100 for session in before)

            await until(all_go_on, 60, "the same four sessions have packets from and for other addresses")
            await gather(bob.heard_tone(stream, 660), alice.heard_tone(f"{stream}-bob", 880))
            for user, own in ((alice, stream), (bob, f"{stream}-bob")):
                assert user.publisher_states(own) == ["PUBLISH_REQUESTING", "PUBLISHING"]
                assert [state["state"] for (state,) in user.history("playerStateUpdate")] == ["PLAY_REQUESTING", "PLAYING"]


async def reports(user: Any, share: float) -> bool:
    """Whether the page's senders are told of at least so much loss."""
    return bool(await user.reported_loss() >= share)
