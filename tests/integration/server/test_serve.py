"""``hearth serve`` as a process: start, what it says, who gets in, how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests.hearth_process import CALLBACK_SECRET, SERVER_SECRET, HearthProcess, Sections, default_app, write_config
from tests.integration.server.room_client import RoomClient
from tests.waiting import until, until_sync

NEW_SECRET = "abcdefghijklmnopqrstuvwxyz012345"


def metric(hearth: HearthProcess, name: str) -> float:
    """The value now; 0 if there is none yet. Raises ``AssertionError`` if the server does not say."""
    status, text = hearth.get("/metrics")
    assert status == 200
    for line in text.splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


def hearth_command(directory: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")} | (environment or {})
    return subprocess.run(
        [sys.executable, "-m", "server.cli", *arguments], cwd=directory, env=env, capture_output=True, text=True, timeout=60, check=False
    )


# --- connections that take their time


async def test_a_connection_that_sends_no_whole_request_is_closed(tmp_path: Path) -> None:
    beginnings = {
        "nothing": b"",
        "half a head": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        "half a body": b"POST /httplog HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        "one request and a half": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\n",
    }

    async def end(beginning: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", hearth.port)
        writer.write(beginning)
        async with asyncio.timeout(20):
            said = await reader.read()
        writer.close()
        return said

    with await HearthProcess.astart(tmp_path, sections={"limits": {"request_timeout_seconds": 3}}) as hearth:
        async with RoomClient(hearth, "alice") as alice:
            assert (await alice.login("room"))["err_code"] == 0
            said = await asyncio.gather(*map(end, beginnings.values()))
            assert [text[:12] for text in said] == [b"", b"", b"", b"HTTP/1.1 200"]
            # WebSockets are not meant.
            assert (await alice.heartbeat())["err_code"] == 0
    assert "Traceback" not in hearth.output


# --- the start


def test_card_says_how_to_connect_and_keeps_secrets(tmp_path: Path) -> None:
    with HearthProcess.start(tmp_path) as hearth:
        pass
    output = hearth.output
    assert hearth.ws_url in output
    assert str(hearth.app_id) in output
    assert str(hearth.config) in output
    assert SERVER_SECRET not in output and CALLBACK_SECRET not in output
    assert "new ZegoExpressEngine" in output
    assert "rtmp://127.0.0.1:" in output


def test_guides_name_every_metric_and_no_other(tmp_path: Path) -> None:
    with HearthProcess.start(tmp_path) as hearth:
        shown = set(re.findall(r"^# TYPE (hearth_\w+)", hearth.get("/metrics")[1], re.MULTILINE))
    docs = Path(__file__).parents[3] / "docs"
    guides = "".join(
        (docs / name).read_text(encoding="utf-8") for name in ("configure.md", "callbacks.md", "troubleshooting.md", "deploy.md")
    )
    assert set(re.findall(r"`(hearth_\w+)", guides)) == {name for name in shown if not name.endswith("_created")}


def test_card_of_a_production_server_has_no_token(tmp_path: Path) -> None:
    with HearthProcess.start(tmp_path, sections={"server": {"development": False}}) as hearth:
        assert hearth.get("/demo")[0] == 404
    assert "04A" not in hearth.output


async def test_token_of_the_card_logs_in(tmp_path: Path) -> None:
    with await HearthProcess.astart(tmp_path) as hearth:
        await until(lambda: "Try it" in hearth.output)
        token = next(word for word in hearth.output.split() if word.startswith("04"))
        async with RoomClient(hearth, "alice") as alice:
            assert (await alice.login("room-1", token=token))["err_code"] == 0


def test_first_start_makes_a_development_app_and_the_next_keeps_it(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")} | {"PYTHONUNBUFFERED": "1"}
    seen: list[str] = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "serve", "--port", "0"],
            cwd=tmp_path,
            env=env | {"HEARTH_MEDIA__UDP_PORT": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if "Try it" in line:
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        seen.append(next(line.split()[-1] for line in lines if "AppID" in line))
    path = tmp_path / ".hearth" / "hearth.toml"
    assert seen[0] == seen[1] and seen[0] in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_taken_port_names_the_setting(tmp_path: Path) -> None:
    write_config(tmp_path / "hearth.toml", {"media": {"udp_port": 0}}, [default_app()])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = hearth_command(tmp_path, "serve", "--port", port)
    assert done.returncode == 2
    assert f"server.port = {port}" in done.stderr and "already in use" in done.stderr and "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_taken_media_port_names_the_setting(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        write_config(tmp_path / "hearth.toml", {"media": {"udp_port": port}, "server": {"port": 0}}, [default_app()])
        done = hearth_command(tmp_path, "serve")
    assert done.returncode == 2
    assert f"media.udp_port = {port}" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [("[server]\nprot = 1\n", "did you mean port"), ("[[apps]]\napp_id = 1\nserver_secrets = ['x']\n", "exactly 32 characters")],
)
def test_mistake_in_the_configuration_stops_the_start(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "hearth.toml").write_text(text)
    done = hearth_command(tmp_path, "serve")
    assert done.returncode == 2
    assert told in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("HEARTH_RTMP__HOST", "203.0.113.1", "Set rtmp.host to an address of this machine"),
        ("HEARTH_MEDIA__HOST", "203.0.113.1", "Set media.host to an address of this machine"),
        ("HEARTH_SERVER__DATA_DIR", "/proc/nothing", "server.data_dir = /proc/nothing"),
    ],
)
def test_address_or_folder_that_is_not_there_is_named(tmp_path: Path, setting: str, value: str, told: str) -> None:
    ports = {"server": {"port": 0}, "media": {"udp_port": 0, "turn": {"port": 0}}, "rtmp": {"port": 0}}
    write_config(tmp_path / "hearth.toml", ports, [default_app()])
    done = hearth_command(tmp_path, "serve", "--dev-tls", environment={setting: value})
    assert done.returncode == 2
    assert told in done.stderr and "Traceback" not in done.stderr


def test_folder_in_which_no_development_app_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / ".hearth").write_text("not a folder")
    done = hearth_command(tmp_path, "serve")
    assert done.returncode == 2
    assert "no development App can be made in .hearth" in done.stderr and "Traceback" not in done.stderr


def test_server_listens_on_loopback_only_by_default(tmp_path: Path) -> None:
    with HearthProcess.start(tmp_path) as hearth:
        own = {line.split()[1] for line in Path(f"/proc/{hearth.pid}/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"}
        assert f"0100007F:{hearth.port:04X}" in own
        assert f"00000000:{hearth.port:04X}" not in own


# --- https


async def test_dev_tls_serves_https_and_wss_on_the_same_port(tmp_path: Path) -> None:
    with await HearthProcess.astart(tmp_path, arguments=["--dev-tls"]) as hearth:
        assert hearth.url.startswith("https://")
        authority = tmp_path / ".hearth" / "ca.pem"
        await until(lambda: str(Path(".hearth/ca.pem")) in hearth.output)
        trusting = ssl.create_default_context(cafile=str(authority))
        reader, writer = await asyncio.open_connection("127.0.0.1", hearth.port, ssl=trusting, server_hostname="localhost")
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"ok\n")
        writer.close()
        async with RoomClient(hearth, "alice") as alice:
            assert (await alice.login("room-1"))["err_code"] == 0
            listed = await asyncio.to_thread(hearth.hearth, "rooms")
            assert "room-1" in listed.stdout, listed.stderr


# --- who gets in


async def test_connections_of_one_address_are_limited(tmp_path: Path) -> None:
    with await HearthProcess.astart(tmp_path, sections={"limits": {"connections_per_address": 2}}) as hearth:
        async with RoomClient(hearth, "a"), RoomClient(hearth, "b"):
            with pytest.raises(InvalidStatus) as refused:
                await RoomClient(hearth, "c").__aenter__()
            assert refused.value.response.status_code == 429
        await until(lambda: metric(hearth, 'hearth_connections{dialect="room_json"}') == 0)
        async with RoomClient(hearth, "c") as carol:
            assert (await carol.login("room-1"))["err_code"] == 0


async def test_forwarded_addresses_of_a_trusted_proxy_are_told_apart(tmp_path: Path) -> None:
    sections: Sections = {"limits": {"connections_per_address": 1}, "server": {"trusted_proxies": ["127.0.0.1"]}}
    with await HearthProcess.astart(tmp_path, sections=sections) as hearth:
        headers = [{"X-Forwarded-For": f"192.0.2.{n}"} for n in (1, 2)]
        async with RoomClient(hearth, "a", headers=headers[0]), RoomClient(hearth, "b", headers=headers[1]):
            with pytest.raises(InvalidStatus):
                await RoomClient(hearth, "c", headers=headers[0]).__aenter__()


async def test_too_long_frame_closes_the_connection(tmp_path: Path) -> None:
    with await HearthProcess.astart(tmp_path, sections={"limits": {"frame_bytes": 4096}}) as hearth:
        async with RoomClient(hearth, "alice") as alice:
            await alice.login("room-1")
            assert alice._socket is not None
            await alice._socket.send("x" * 5000)
            assert await alice.closed() == 1009
        assert hearth.get("/healthz")[0] == 200


# --- what can be seen


async def test_metrics_follow_what_users_do(tmp_path: Path) -> None:
    with await HearthProcess.astart(tmp_path) as hearth:
        async with RoomClient(hearth, "alice") as alice, RoomClient(hearth, "bob") as bob:
            assert (await alice.login("room-1"))["err_code"] == 0
            assert (await bob.login("room-1", token="04nonsense"))["err_code"] != 0
            await alice.heartbeat()
            assert metric(hearth, 'hearth_connections{dialect="room_json"}') == 2
            assert metric(hearth, "hearth_sessions") == 1
            assert metric(hearth, "hearth_rooms") == 1
            assert metric(hearth, 'hearth_logins_total{dialect="room_json",result="ok"}') == 1
            assert metric(hearth, 'hearth_requests_total{command="hb",dialect="room_json",result="ok"}') == 1
            assert metric(hearth, 'hearth_request_seconds_count{command="login",dialect="room_json"}') == 2
            await alice.request("user_list", {"user_index": 0, "sort_type": 0})
            before = metric(hearth, "hearth_pushes_total")
            async with RoomClient(hearth, "carol") as carol:
                await carol.login("room-1")
                await until(lambda: metric(hearth, "hearth_pushes_total") > before, what=f"alice is told of carol: {alice.pushes}")
            refused = [line for line in hearth.get("/metrics")[1].splitlines() if line.startswith("hearth_logins_total{")]
            assert len(refused) == 2
        await until(lambda: metric(hearth, "hearth_sessions") == 0)


def test_metrics_can_be_guarded(tmp_path: Path) -> None:
    with HearthProcess.start(tmp_path, sections={"server": {"metrics_token": "sesame"}}) as hearth:
        assert hearth.get("/metrics")[0] == 401
        assert hearth.get("/metrics", {"Authorization": "Bearer sesam"})[0] == 401
        assert hearth.get("/metrics", {"Authorization": "Bearer sesame"})[0] == 200


async def test_logs_hold_no_credentials(tmp_path: Path) -> None:
    sections = {"server": {"log_level": "debug", "access_log": True}}
    with await HearthProcess.astart(tmp_path, sections=sections) as hearth:
        await until(lambda: "Try it" in hearth.output)
        token = hearth.token("alice")
        async with RoomClient(hearth, "alice") as alice:
            await alice.login("room-1", token=token)
            session_id = alice.session["session_id"]
        hearth.get(f"/media?app=1&session=2&key=sekrit&token={token}")
        await until(lambda: '"path": "/media"' in hearth.output or '"path":"/media"' in hearth.output)
        await until(lambda: "session_detached" in hearth.output)
    output = hearth.output
    assert token not in output and session_id not in output and "sekrit" not in output
    assert SERVER_SECRET not in output


# --- Apps that change


async def test_secret_is_rotated_without_a_restart(tmp_path: Path) -> None:
    with await HearthProcess.astart(tmp_path) as hearth:
        async with RoomClient(hearth, "alice") as alice, RoomClient(hearth, "bob") as bob:
            assert (await alice.login("room-1"))["err_code"] == 0
            assert (await bob.login("room-1", token=hearth.token("bob", secret=NEW_SECRET)))["err_code"] != 0
        text = hearth.config.read_text()
        hearth.config.write_text(text.replace(f'["{SERVER_SECRET}"]', f'["{NEW_SECRET}", "{SERVER_SECRET}"]'))
        await until(lambda: "apps_reloaded" in hearth.output)
        for secret in (NEW_SECRET, SERVER_SECRET):
            async with RoomClient(hearth, "bob") as bob:
                assert (await bob.login("room-1", token=hearth.token("bob", secret=secret)))["err_code"] == 0


async def test_bad_edit_keeps_the_apps(tmp_path: Path) -> None:
    with await HearthProcess.astart(tmp_path) as hearth:
        hearth.config.write_text("[[apps]]\napp_id = 1\n")
        hearth.send_signal(signal.SIGHUP)
        await until(lambda: "apps_kept" in hearth.output)
        async with RoomClient(hearth, "alice") as alice:
            assert (await alice.login("room-1"))["err_code"] == 0


# --- the end


def test_sigterm_without_anybody_ends_at_once(tmp_path: Path) -> None:
    with HearthProcess.start(tmp_path, sections={"server": {"drain_seconds": 3600}}) as hearth:
        hearth.terminate()
        assert hearth.wait() == 0


async def test_drain_keeps_those_who_are_there_and_refuses_new_ones(tmp_path: Path) -> None:
    with await HearthProcess.astart(tmp_path, sections={"server": {"drain_seconds": 3600}}) as hearth:
        async with RoomClient(hearth, "alice") as alice, RoomClient(hearth, "bob") as bob:
            await alice.login("room-1")
            hearth.terminate()
            await until(lambda: hearth.get("/readyz")[0] == 503)
            assert (await bob.login("room-1"))["err_code"] != 0
            assert (await alice.heartbeat())["err_code"] == 0
            assert hearth.running
            await alice.request("logout", {"reserve": 0})
        assert await hearth.await_exit() == 0


async def test_drain_ends_when_its_time_is_over(tmp_path: Path) -> None:
    with await HearthProcess.astart(tmp_path, sections={"server": {"drain_seconds": 0.5}}) as hearth:
        async with RoomClient(hearth, "alice") as alice:
            await alice.login("room-1")
            hearth.terminate()
            assert await alice.closed() == 1012
        assert await hearth.await_exit() == 0


async def test_second_sigterm_ends_the_drain(tmp_path: Path) -> None:
    with await HearthProcess.astart(tmp_path, sections={"server": {"drain_seconds": 3600}}) as hearth:
        async with RoomClient(hearth, "alice") as alice:
            await alice.login("room-1")
            hearth.terminate()
            await until(lambda: "drain_started" in hearth.output)
            hearth.terminate()
            await hearth.await_exit()


async def test_interrupt_ends_without_a_drain(tmp_path: Path) -> None:
    with await HearthProcess.astart(tmp_path, sections={"server": {"drain_seconds": 3600}}) as hearth:
        async with RoomClient(hearth, "alice") as alice:
            await alice.login("room-1")
            hearth.send_signal(signal.SIGINT)
            assert await hearth.await_exit() == 0


def test_free_port_is_printed(tmp_path: Path) -> None:
    with HearthProcess.start(tmp_path) as hearth:
        assert hearth.port > 0
        until_sync(lambda: hearth.get("/healthz")[1] == "ok\n")
