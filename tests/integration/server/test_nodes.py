"""Several ``hearth serve`` on one Redis: how one of them goes away, and what happens without the Redis."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from server import app as server_app
from server.app import create_app
from server.configuration import load_configuration
from server.listening import CannotStart
from tests.hearth_process import HearthProcess, default_app, write_config
from tests.integration.server.room_client import RoomClient
from tests.integration.server.test_serve import metric
from tests.redis_server import RedisServer
from tests.waiting import until


async def test_drained_node_sends_its_clients_to_another_and_they_keep_their_sessions(tmp_path: Path, redis_server: RedisServer) -> None:
    sections = {"server": {"drain_seconds": 3600}}
    first, second = await asyncio.gather(
        *(HearthProcess.astart(tmp_path / name, store_url=redis_server.tcp_url, sections=sections) for name in ("first", "second"))
    )
    with first, second:
        async with RoomClient(second, "bob") as bob:
            await bob.login("room-1")
            await bob.request("user_list", {"user_index": 0, "sort_type": 0})
            async with RoomClient(first, "alice") as alice:
                await alice.login("room-1")
                await bob.push("push_userlist_update")
                first.terminate()
                assert await alice.closed() == 1012
                session = alice.session
            async with RoomClient(second, "alice") as returned:
                returned.session = session
                answer = await returned.login("room-1")
                assert (answer["err_code"], answer["session_id"]) == (0, session["session_id"])
                assert await first.await_exit() == 0
                assert (await bob.heartbeat())["online_count"] == 2
            nodes = json.loads((await asyncio.to_thread(second.hearth, "nodes", "--json")).stdout)
            assert [node["ws_url"] for node in nodes] == [second.ws_url.removesuffix("/ws")]
            # Nobody in the room saw anything of it.
            assert [frame["header"]["cmd"] for frame in bob.pushes] == []


async def test_node_without_its_store_says_so_keeps_its_users_and_recovers(tmp_path: Path, own_redis: RedisServer) -> None:
    with await HearthProcess.astart(tmp_path, store_url=own_redis.tcp_url) as hearth:
        async with RoomClient(hearth, "alice") as alice, RoomClient(hearth, "bob") as bob:
            assert (await alice.login("room-1"))["err_code"] == 0
            own_redis.kill()
            await until(lambda: hearth.get("/readyz")[0] == 503)
            said = json.loads(hearth.get("/readyz")[1])
            assert said.pop("ports").keys() == {"media", "turn", "rtmp"}
            assert said == {"ready": False, "store": False, "accepting": True}
            assert hearth.get("/healthz")[0] == 200
            assert metric(hearth, "hearth_store_up") == 0
            assert (await alice.heartbeat())["err_code"] == 0
            assert (await bob.login("room-1"))["err_code"] != 0
            listed = await asyncio.to_thread(hearth.hearth, "rooms")
            assert listed.returncode == 1 and "store" in listed.stderr
            own_redis.start()
            await until(lambda: hearth.get("/readyz")[0] == 200)
        async with RoomClient(hearth, "bob") as bob:
            assert (await bob.login("room-1"))["err_code"] == 0


async def test_store_that_does_not_come_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_app, "STORE_WAIT_MS", 0)
    path = tmp_path / "hearth.toml"
    write_config(path, {"store": {"url": "redis://:sekrit@127.0.0.1:9"}, "media": {"udp_port": 0}}, [default_app()])
    app = create_app(load_configuration(path, environment={}).settings)
    with pytest.raises(CannotStart) as told:
        async with app.router.lifespan_context(app):
            pass
    assert "store.url" in str(told.value) and "sekrit" not in str(told.value)


async def test_application_runs_in_any_asgi_server(tmp_path: Path) -> None:
    path = tmp_path / "hearth.toml"
    write_config(path, {"media": {"udp_port": 0}}, [default_app()])
    app = create_app(load_configuration(path, environment={}).settings)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hearth") as client:
        ports = app.state.hearth.ports()
        assert (await client.get("/readyz")).json() == {"ready": True, "store": True, "accepting": True, "ports": ports}
        assert ports.keys() == {"media", "turn", "rtmp"} and all(ports.values())
        assert "hearth_sessions 0.0" in (await client.get("/metrics")).text
