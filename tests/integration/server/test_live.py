"""RTMP and FLV of a running server: seen by its operator, refused by its limits."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from auth.claims import AppKeys
from auth.rtmp_credential import RtmpGrant, RtmpRight, sign_rtmp
from tests.ffmpeg import Player, Pusher
from tests.hearth_process import APP_ID, SERVER_SECRET, HearthProcess
from tests.integration.server.room_client import RoomClient
from tests.integration.server.test_serve import metric
from tests.ports import free_port
from tests.waiting import until

ROOM = "room-1"
KEYS = AppKeys(app_id=APP_ID, server_secrets=(SERVER_SECRET,))


@pytest.fixture
async def hearth(tmp_path: Path) -> AsyncIterator[HearthProcess]:
    sections = {"rtmp": {"port": free_port(), "connections_per_address": 3}, "media": {"statistics_seconds": 1}}
    with await HearthProcess.astart(tmp_path / "server", sections=sections) as process:
        yield process


async def run(hearth: HearthProcess, *arguments: str) -> str:
    return (await asyncio.to_thread(hearth.hearth, *arguments)).stdout


def path(stream: str, right: RtmpRight, suffix: str = "") -> str:
    """What RTMPDispatchV2 would answer, behind the host."""
    room = (ROOM, "obs", "OBS") if right == "push" else ()
    return f"/{APP_ID}/{stream}{suffix}?{sign_rtmp(KEYS, stream, RtmpGrant(right, int(time.time()) + 600, *room))}"


async def test_the_operator_sees_who_publishes_and_plays_over_rtmp_and_flv(hearth: HearthProcess) -> None:
    (node,) = json.loads(await run(hearth, "nodes", "--json"))
    rtmp = node["rtmp_url"]
    async with RoomClient(hearth, "alice") as alice, Pusher(rtmp + path("a", "push"), 440, rate=16_000):
        await alice.login(ROOM)

        async def on_the_air() -> bool:
            return json.loads(await run(hearth, "streams", ROOM, "--json")) != []

        await until(on_the_air, 60)
        flv = hearth.url + "/live" + path("a", "pull", ".flv")
        async with Player(rtmp + path("a", "pull")), Player(flv):

            async def sampled() -> bool:
                nonlocal streams
                streams = json.loads(await run(hearth, "streams", ROOM, "--json"))
                figures = streams[0]["figures"]
                sessions = [figures["publisher"], *figures["players"]]
                # A sample of a busy machine may be of a stall, or of what came after it.
                return len(sessions) == 3 and all(session["bitrate"] and 10_000 < session["bitrate"] < 100_000 for session in sessions)

            streams: list[dict[str, dict[str, object]]] = []
            await until(sampled, 60)
            assert metric(hearth, "hearth_rtmp_connections") == 2
            figures = streams[0]["figures"]
            publisher, players = figures["publisher"], figures["players"]
            assert isinstance(publisher, dict) and isinstance(players, list)
            assert (publisher["transport"], publisher["user_id"], publisher["connected"]) == ("rtmp", "obs", True)
            assert sorted(player["transport"] for player in players) == ["flv", "rtmp"]
            for each in (publisher, *players):
                assert each["address"] == "127.0.0.1" and each["packets"] > 0
            assert figures["player_count"] == 2 and figures["bridges"] == []
    (said,) = [line for line in (await run(hearth, "doctor")).splitlines() if "RTMP port" in line]
    assert f"port {rtmp.rpartition(':')[2]}: the server is running" in said


async def test_a_websocket_without_the_right_is_refused_before_it_opens(hearth: HearthProcess) -> None:
    forged = path("a", "pull", ".flv").replace("sign=", "sign=0")
    for address in (path("a", "pull"), forged, path("a", "push", ".flv"), "/5/a.flv"):
        with pytest.raises(InvalidStatus) as refused:
            async with connect("ws" + hearth.url.removeprefix("http") + "/live" + address, proxy=None):
                pass
        assert refused.value.response.status_code == 403


async def test_rtmp_connections_beyond_the_limit_are_closed_and_counted(hearth: HearthProcess) -> None:
    (node,) = json.loads(await run(hearth, "nodes", "--json"))
    port = int(node["rtmp_url"].rpartition(":")[2])
    taken = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    await until(lambda: metric(hearth, "hearth_rtmp_connections") == 3)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await reader.read() == b""
    assert metric(hearth, 'hearth_rtmp_refused_total{reason="address_full"}') == 1
    for _, open_writer in [*taken, (reader, writer)]:
        open_writer.close()
    await until(lambda: metric(hearth, "hearth_rtmp_connections") == 0)
