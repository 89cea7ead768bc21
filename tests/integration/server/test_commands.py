"""The commands that look at a running server and act on it, from outside."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auth.claims import AppKeys
from auth.errors import TokenExpired
from auth.tokens import verify_token
from server import doctor as server_doctor
from server.cli import app as cli
from server.configuration import load_configuration
from server.doctor import Finding, Verdict, examine
from server.settings import RtmpSettings, TurnSettings
from tests.hearth_process import APP_ID, CALLBACK_SECRET, SERVER_SECRET, HearthProcess, Sections, default_app, write_config
from tests.integration.server.room_client import RoomClient
from tests.integration.server.test_serve import hearth_command, metric
from tests.ports import free_port
from tests.waiting import until

KEYS = AppKeys(app_id=APP_ID, server_secrets=(SERVER_SECRET,))


@pytest.fixture
async def hearth(tmp_path: Path) -> AsyncIterator[HearthProcess]:
    with await HearthProcess.astart(tmp_path / "server") as process:
        yield process


async def run(hearth: HearthProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(hearth.hearth, *arguments)


async def test_rooms_users_and_nodes_are_listed(hearth: HearthProcess) -> None:
    async with RoomClient(hearth, "alice") as alice, RoomClient(hearth, "bob") as bob:
        await alice.login("room-1")
        await bob.login("room-1")
        rooms = json.loads((await run(hearth, "rooms", "--json")).stdout)
        assert [(room["room_id"], room["user_count"]) for room in rooms] == [("room-1", 2)]
        users = await run(hearth, "users", "room-1", "--json")
        assert [user["user_id"] for user in json.loads(users.stdout)] == ["alice", "bob"]
        assert alice.session["session_id"] not in users.stdout
        assert "alice" in (await run(hearth, "users", "room-1")).stdout
        assert json.loads((await run(hearth, "streams", "room-1", "--json")).stdout) == []
        (node,) = json.loads((await run(hearth, "nodes", "--json")).stdout)
        assert node["draining"] is False and node["media_addresses"] == ["127.0.0.1"]


async def test_user_is_kicked_and_told(hearth: HearthProcess) -> None:
    async with RoomClient(hearth, "alice") as alice:
        await alice.login("room-1")
        done = await run(hearth, "kick", "--app-id", str(hearth.app_id), "--room-id", "room-1", "--user-id", "alice", "--reason", "rude")
        assert done.returncode == 0, done.stderr
        assert "rude" in json.dumps(await alice.push("push_kickout"))


async def test_room_is_closed(hearth: HearthProcess) -> None:
    async with RoomClient(hearth, "alice") as alice:
        await alice.login("room-1")
        assert (await run(hearth, "close-room", "--room-id", "room-1")).returncode == 0
        await alice.push("push_kickout")
        await until(lambda: metric(hearth, "hearth_sessions") == 0)


@pytest.mark.parametrize(("kind", "push"), [("broadcast", "push_im_chat"), ("command", "push_custommsg")])
async def test_message_arrives(hearth: HearthProcess, kind: str, push: str) -> None:
    async with RoomClient(hearth, "alice") as alice:
        await alice.login("room-1")
        done = await run(hearth, "send", "closing soon", "--room-id", "room-1", "--kind", kind, "--from", "host")
        assert done.returncode == 0, done.stderr
        await until(lambda: any("closing soon" in json.dumps(frame) for frame in alice.pushes), what=f"{push}: {alice.pushes}")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["users", "nowhere"], "no such room"),
        (["kick", "--room-id", "nowhere", "--user-id", "x"], "no such room"),
        (["rooms", "--url", "http://127.0.0.1:9"], "Is `hearth serve` running?"),
        (["rooms", "--url", "localhost"], "http://"),
    ],
)
async def test_failure_is_told_with_exit_code_1(hearth: HearthProcess, arguments: list[str], told: str) -> None:
    done = await run(hearth, *arguments)
    assert done.returncode == 1
    assert told in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


async def test_unknown_user_and_wrong_secret_are_told(hearth: HearthProcess, tmp_path: Path) -> None:
    async with RoomClient(hearth, "alice") as alice:
        await alice.login("room-1")
        unknown = await run(hearth, "kick", "--room-id", "room-1", "--user-id", "bob")
        assert unknown.returncode == 1 and "no such user" in unknown.stderr
        write_config(tmp_path / "hearth.toml", {}, [{"app_id": APP_ID, "server_secrets": ["x" * 32]}])
        wrong = await asyncio.to_thread(hearth_command, tmp_path, "rooms", "--url", hearth.url)
        assert wrong.returncode == 1 and "ServerSecret" in wrong.stderr
        assert (await alice.heartbeat())["err_code"] == 0


async def test_sdk_logs_are_kept_without_tokens(hearth: HearthProcess) -> None:
    token = hearth.token("alice")
    line = json.dumps({"appid": hearth.app_id, "event": "/sdk/login", "message": f"token={token}", "third_token": token})
    for path in ("/httplog", "/log", "/zglog/anything"):
        assert await post(hearth, path, line) == 200
    logs = (await run(hearth, "logs")).stdout
    assert len(logs.splitlines()) == 3 and "/sdk/login" in logs and token not in logs
    assert await post(hearth, "/httplog", "x" * 300_000) == 413


@pytest.mark.parametrize("path", ["/log", "/zglog/ws", "/ws/report/stream"])
async def test_sdk_logs_come_over_websockets_too(hearth: HearthProcess, path: str) -> None:
    from websockets.asyncio.client import connect

    async with connect("ws" + hearth.url.removeprefix("http") + path, proxy=None) as socket:
        await socket.send(json.dumps({"appid": hearth.app_id, "event": path}))
        await until(lambda: metric(hearth, 'hearth_sdk_log_records_total{result="kept"}') == 1)
    assert path in (await run(hearth, "logs")).stdout


async def post(hearth: HearthProcess, path: str, body: str) -> int:
    import httpx

    async with httpx.AsyncClient() as client:
        return (await client.post(hearth.url + path, content=body)).status_code


# --- commands that need no server


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    write_config(tmp_path / "hearth.toml", {"server": {"port": 0}, "media": {"udp_port": 0}}, [{**default_app(), "app_sign": "a" * 64}])
    return tmp_path


@pytest.mark.parametrize("form", ["token04", "token04-gcm", "token03", "legacy", "jwt"])
def test_token_of_every_form_is_printed_alone(configured: Path, form: str) -> None:
    done = hearth_command(configured, "token", "--user-id", "alice", "--format", form, "--app-id", str(APP_ID))
    assert done.returncode == 0, done.stderr
    keys = AppKeys(app_id=APP_ID, server_secrets=(SERVER_SECRET,), app_sign="a" * 64)
    claims = verify_token(done.stdout.strip(), keys=keys, user_id="alice", now=int(time.time()))
    assert claims.kind == form
    assert done.stdout.count("\n") == 1


def test_token_carries_what_is_asked_for(configured: Path) -> None:
    arguments = ["token", "--user-id", "alice", "--room-id", "r", "--allow", "login", "--stream-id", "a", "--stream-id", "b", "--ttl", "60"]
    token = hearth_command(configured, *arguments).stdout.strip()
    claims = verify_token(token, keys=KEYS, user_id="alice", now=int(time.time()))
    assert claims.privileges is not None
    granted = claims.privileges
    assert (granted.room_id, granted.login, granted.publish, granted.stream_ids) == ("r", True, False, ("a", "b"))
    assert 50 < claims.expires_at - time.time() <= 60


def test_negative_ttl_makes_an_expired_token(configured: Path) -> None:
    token = hearth_command(configured, "token", "--user-id", "alice", "--ttl", "-60").stdout.strip()
    with pytest.raises(TokenExpired):
        verify_token(token, keys=KEYS, user_id="alice", now=int(time.time()))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--user-id", "alice", "--allow", "everything"], "login, publish"),
        (["--user-id", "a" * 65], "64"),
        (["--user-id", "alice", "--app-id", "5"], "not configured"),
        (["--user-id", "alice", "--format", "legacy", "--room-id", "r"], "legacy"),
        ([], "--user-id"),
    ],
)
def test_mistake_in_the_command_line_has_exit_code_2(configured: Path, arguments: list[str], told: str) -> None:
    done = hearth_command(configured, "token", *arguments)
    assert done.returncode == 2
    assert told in done.stderr and done.stdout == ""


def test_configuration_is_shown_without_secrets(configured: Path) -> None:
    done = hearth_command(configured, "config", environment={"HEARTH_SERVER__DRAIN_SECONDS": "7"})
    assert done.returncode == 0
    assert "drain_seconds = 7" in done.stdout and str(APP_ID) in done.stdout
    assert SERVER_SECRET not in done.stdout and CALLBACK_SECRET not in done.stdout


def test_doctor_finds_nothing_wrong_here(configured: Path) -> None:
    done = hearth_command(configured, "doctor")
    assert done.returncode == 0, done.stdout
    for subject in ("Store", "Clock", "HTTP port", "Media port", "Media address", "Certificate", "RTMP port", "File rights"):
        assert subject in done.stdout


def test_doctor_says_how_to_cure_a_store_that_is_away(configured: Path) -> None:
    done = hearth_command(configured, "doctor", environment={"HEARTH_STORE__URL": "redis://:pass@127.0.0.1:9"})
    assert done.returncode == 1
    assert "FAIL  Store" in done.stdout and "start Redis" in done.stdout and "pass@" not in done.stdout


def test_doctor_notices_a_taken_port(configured: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        done = hearth_command(configured, "doctor", environment={"HEARTH_MEDIA__UDP_PORT": port})
    assert done.returncode == 1
    assert "FAIL  Media port" in done.stdout and "media.udp_port" in done.stdout


def findings(configured: Path, sections: Sections) -> dict[str, Finding]:
    write_config(configured / "hearth.toml", {"server": {"port": 0}} | dict(sections), [default_app()])
    return {finding.subject: finding for finding in examine(load_configuration(configured / "hearth.toml", environment={}))}


@pytest.mark.parametrize(
    ("rtmp", "verdict", "said"),
    [
        ({"enabled": False}, Verdict.OK, "off"),
        ({"port": 0}, Verdict.NOTE, "any free one"),
        ({"port": "taken"}, Verdict.FAILED, "cannot be listened on"),
        ({"port": "free"}, Verdict.OK, "is free"),
    ],
    ids=["off", "any", "taken", "free"],
)
def test_doctor_looks_at_the_rtmp_port(configured: Path, rtmp: dict[str, object], verdict: Verdict, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ports = {"taken": listening.getsockname()[1], "free": free_port()}
        if isinstance(wanted := rtmp.get("port"), str):
            rtmp = {"port": ports[wanted]}
        found = findings(configured, {"media": {"udp_port": 0}, "rtmp": rtmp})["RTMP port"]
    assert found.verdict is verdict and said in found.text
    assert bool(found.cure) == (verdict is not Verdict.OK)


def test_doctor_knows_that_another_port_does_where_none_was_asked_for(configured: Path) -> None:
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # taken already: as good
            stack.enter_context(socket.create_server(("127.0.0.1", RtmpSettings().port)))
        turn = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        with contextlib.suppress(OSError):
            turn.bind(("127.0.0.1", TurnSettings().port))
        found = findings(configured, {"media": {"udp_port": 0}})
    for subject in ("RTMP port", "TURN"):
        assert found[subject].verdict is Verdict.NOTE and "any free one is used" in found[subject].text


@pytest.mark.parametrize(
    ("rtmp", "reported", "verdict", "said"),
    [
        ({"port": 19350}, {"rtmp": 19350}, Verdict.OK, "the server is running"),
        ({"port": 19350}, {"rtmp": 19351}, Verdict.FAILED, "the running server listens on 19351"),
        ({"port": 19350}, {}, Verdict.FAILED, "does not listen there"),
        ({}, {"rtmp": 19351}, Verdict.NOTE, "was taken: the running server has 19351"),
        ({"port": 0}, {"rtmp": 19351}, Verdict.NOTE, "the running server has 19351"),
    ],
    ids=["there", "elsewhere", "nowhere", "instead", "any"],
)
def test_doctor_says_of_a_running_server_where_it_really_listens(
    configured: Path, monkeypatch: pytest.MonkeyPatch, rtmp: dict[str, object], reported: dict[str, int], verdict: Verdict, said: str
) -> None:
    monkeypatch.setattr(server_doctor, "_reported_ports", lambda _: {"media": 7000, "turn": 3478} | reported)
    found = findings(configured, {"rtmp": rtmp})
    assert found["RTMP port"].verdict is verdict and said in found["RTMP port"].text
    assert bool(found["RTMP port"].cure) == (verdict is not Verdict.OK)
    for subject in ("HTTP port", "Media port", "TURN"):
        assert found[subject].verdict is Verdict.OK and "the server is running" in found[subject].text


COMMANDS = ("serve", "token", "rooms", "users", "streams", "nodes", "kick", "close-room", "send", "config", "doctor", "logs")


def test_help_describes_every_command() -> None:
    runner = CliRunner()
    listed = runner.invoke(cli, ["--help"]).stdout
    for command in COMMANDS:
        assert command in listed
        described = runner.invoke(cli, [command, "--help"])
        assert described.exit_code == 0 and "Usage" in described.stdout


def test_version_is_printed(tmp_path: Path) -> None:
    done = hearth_command(tmp_path, "--version")
    assert done.returncode == 0 and done.stdout.strip()
