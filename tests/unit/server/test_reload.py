"""Apps that change while the server runs."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
import structlog

from server import reload
from server.apps import AppDirectory, build_apps
from server.configuration import read_settings
from server.reload import AppReloader
from tests.waiting import until

OLD, NEW = "0123456789abcdef" * 2, "fedcba9876543210" * 2


class File:
    """A configuration file whose every writing is seen as a change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._time = 1_000_000_000

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")
        self._time += 1
        os.utime(self.path, (self._time, self._time))


def app(app_id: int, *secrets: str) -> str:
    return f"[[apps]]\napp_id = {app_id}\nserver_secrets = [{', '.join(map(repr, secrets))}]\n"


@pytest.fixture
def file(tmp_path: Path) -> File:
    made = File(tmp_path / "hearth.toml")
    made.write(app(7, OLD))
    return made


def start(file: File) -> tuple[AppDirectory, AppReloader]:
    settings = read_settings(file.path, environment={})
    directory = AppDirectory(build_apps(settings.apps))
    return directory, AppReloader(file.path, directory, settings, environment={})


def secrets(directory: AppDirectory, app_id: int) -> tuple[str, ...]:
    found = directory.get(app_id)
    return found.keys.server_secrets if found else ()


def test_app_is_added_changed_and_removed(file: File) -> None:
    directory, reloader = start(file)
    file.write(app(7, NEW, OLD) + app(8, OLD))
    reloader.check()
    assert (secrets(directory, 7), secrets(directory, 8)) == ((NEW, OLD), (OLD,))
    file.write(app(8, OLD))
    reloader.check()
    assert directory.get(7) is None
    assert not directory.policy(7).multi_room


@pytest.mark.parametrize(
    "mistake", ["[[apps]", "[[apps]]\napp_id = 7\nserver_secrets = ['short']\n", "[server]\nport = 'x'\n" + app(8, OLD)]
)
def test_mistake_keeps_the_apps_and_is_told_without_secrets(file: File, mistake: str) -> None:
    directory, reloader = start(file)
    file.write(mistake)
    with structlog.testing.capture_logs() as logs:
        reloader.check()
        reloader.check()
    assert [entry["event"] for entry in logs] == ["apps_kept"]
    assert "short" not in str(logs)
    assert secrets(directory, 7) == (OLD,)
    file.write(app(7, NEW))
    reloader.check()
    assert secrets(directory, 7) == (NEW,)


def test_file_that_is_gone_for_a_moment_changes_nothing(file: File) -> None:
    directory, reloader = start(file)
    file.path.unlink()
    reloader.check()
    assert secrets(directory, 7) == (OLD,)
    file.write(app(7, NEW))
    reloader.check()
    assert secrets(directory, 7) == (NEW,)


def test_unchanged_file_is_not_read(file: File) -> None:
    _, reloader = start(file)
    with structlog.testing.capture_logs() as logs:
        reloader.check()
    assert logs == []


def test_request_reads_the_file_in_any_case(file: File) -> None:
    _, reloader = start(file)
    with structlog.testing.capture_logs() as logs:
        reloader.check(force=True)
    assert [entry["event"] for entry in logs] == ["apps_unchanged"]


def test_change_that_needs_a_restart_is_told(file: File) -> None:
    directory, reloader = start(file)
    file.write("[server]\nport = 9\n" + app(7, NEW))
    with structlog.testing.capture_logs() as logs:
        reloader.check()
    assert secrets(directory, 7) == (NEW,)
    assert [(entry["event"], entry.get("sections")) for entry in logs] == [("apps_reloaded", None), ("restart_needed", ["server"])]


@pytest.mark.parametrize(
    "mistake",
    ['[store]\nurl = "redis://:pw@[::1"\n', "jwt.jwks_file = '{jwks}'\n"],
    ids=["address of the store", "keys that are a list"],
)
def test_no_mistake_ends_the_server(file: File, tmp_path: Path, mistake: str) -> None:
    directory, reloader = start(file)
    (tmp_path / "jwks.json").write_text("[]")
    file.write(app(7, NEW) + mistake.format(jwks=tmp_path / "jwks.json"))
    with structlog.testing.capture_logs() as logs:
        reloader.check()
    assert secrets(directory, 7) == (OLD,)
    assert [entry["event"] for entry in logs] == ["apps_kept"]
    assert "pw" not in logs[0]["problem"]


async def test_a_defect_in_one_look_at_the_file_does_not_end_the_looking(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "CHECK_SECONDS", 0)
    _, reloader = start(file)
    looks = 0

    def check(*, force: bool) -> None:
        nonlocal looks
        looks += 1
        raise RuntimeError("a defect")

    monkeypatch.setattr(reloader, "check", check)
    following = asyncio.create_task(reloader.run())
    await until(lambda: looks > 1 or following.done())
    assert not following.done()
    following.cancel()
