"""A node that has as many streams as it may: what the SDKs of whom it refuses make of it, and how the operator sees it all."""

from __future__ import annotations

import asyncio
import json
from asyncio import gather
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.on_the_air import on_the_air, tune_in
from tests.e2e.redis_process import RedisProcess
from tests.e2e.test_two_nodes import start_node
from tests.e2e.users import PageMaker
from tests.e2e.versions import session_request
from tests.hearth_process import HearthProcess
from tests.waiting import until

ONE_STREAM = {"max_streams": 1}
SAMPLES = {"statistics_seconds": 1, "quality_report_seconds": 1}
MOST_TRIES = 12
"""Attempts to open a session while an SDK gives up, or waits for a place. Without a pause between them they are hundreds."""

pytestmark = pytest.mark.parametrize("version", ["1.4.0", "2.14.0"])


@dataclass
class System:
    """Two nodes on one Redis, the first of which takes one stream."""

    small: HearthProcess
    large: HearthProcess


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[System]:
    redis = await asyncio.to_thread(RedisProcess.start, tmp_path)
    small, large = await gather(
        start_node(tmp_path / "small", redis.url, media={**ONE_STREAM, **SAMPLES}), start_node(tmp_path / "large", redis.url, media=SAMPLES)
    )
    yield System(small, large)
    await gather(*(asyncio.to_thread(node.__exit__, None, None, None) for node in (small, large)))
    await asyncio.to_thread(redis.stop)


async def streams(node: HearthProcess, room: str, *options: str) -> dict[str, dict[str, Any]]:
    """``hearth streams ROOM --json`` by stream."""
    done = await asyncio.to_thread(node.hearth, "streams", room, "--json", *options)
    return {stream["stream_id"]: stream for stream in json.loads(done.stdout)}


async def test_who_is_refused_publishes_on_another_node_and_either_node_tells_how_both_streams_do(
    system: System, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob, late = await page(system.small, "alice", "bob", "late", version=version)
    await on_the_air(room, alice, stream, 660, bob)
    await late.login(room)
    await late.publish_tone(f"{stream}-late", 880)
    await tune_in(room, bob, f"{stream}-late", 880)
    await bob.heard_tone(stream, 660)
    assert len(late.sent(session_request(version))) <= MOST_TRIES

    async def complete() -> dict[str, dict[str, Any]] | None:
        told = await streams(system.small, room, "--history")
        # None: the other node has not answered in time.
        figures = [entry["figures"] for entry in told.values() if entry["figures"]]
        sessions = [one for each in figures for one in (each["publisher"], *each["players"]) if one]
        reports = version != "1.4.0" or all(session["reported"] for session in sessions)
        # A sample of a busy machine may be of a stall, or of what came after it.
        sampled = all(5_000 < session["bitrate"] < 200_000 and session["history"]["at"] for session in sessions)
        return told if len(sessions) == 4 and sampled and reports else None

    told = await until(complete, 60, "figures of both streams")
    nodes = [told[name]["node_id"] for name in (stream, f"{stream}-late")]
    assert len(set(nodes)) == 2
    for name, publisher in ((stream, alice), (f"{stream}-late", late)):
        figures = told[name]["figures"]
        assert (figures["publisher"]["user_id"], figures["publisher"]["version"]) == (publisher.user_id, version)
        assert figures["publisher"]["srtp_profile"] == "SRTP_AEAD_AES_128_GCM" and figures["publisher"]["silent"] is False
        assert [player["user_id"] for player in figures["players"]] == [bob.user_id]
        assert figures["publisher"]["loss"] < 0.5
    table = (await asyncio.to_thread(system.large.hearth, "streams", room)).stdout
    assert f"web {version}" in table and alice.user_id in table and late.user_id in table


async def test_who_finds_no_place_waits_or_gives_up_and_the_call_goes_on(
    tmp_path: Path, page: PageMaker, room: str, stream: str, version: str
) -> None:
    with await HearthProcess.astart(tmp_path, sections={"media": ONE_STREAM}) as full:
        alice, bob, late = await page(full, "alice", "bob", "late", version=version)
        await on_the_air(room, alice, stream, 660, bob)
        await late.login(room)
        await late.start_publishing_tone(f"{stream}-late", 880)
        if version == "1.4.0":
            # Tells its app after a few rounds over its addresses.
            assert (await late.publisher_state(f"{stream}-late", "NO_PUBLISH"))["errorCode"] != 0
        else:
            await until(lambda: len(late.sent(session_request(version))) > 1, 60, "another try")
        assert len(late.sent(session_request(version))) <= MOST_TRIES
        await bob.heard_tone(stream, 660)
        assert alice.publisher_states(stream)[-1] == "PUBLISHING"
        await alice.stop_publishing(stream)
        if version == "1.4.0":
            await late.publish_tone(f"{stream}-again", 880)
            await tune_in(room, bob, f"{stream}-again", 880)
        else:
            await late.publisher_state(f"{stream}-late", "PUBLISHING")
            await tune_in(room, bob, f"{stream}-late", 880)
