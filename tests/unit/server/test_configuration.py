"""Where settings come from, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.app import create_app
from server.configuration import MASK, ConfigurationError, describe, load_configuration, without_password
from server.settings import ServerSettings, Settings, StoreSettings

SECRET = "0123456789abcdef0123456789abcdef"
APPS = f'[[apps]]\napp_id = 7\nserver_secrets = ["{SECRET}"]\n'


def load(directory: Path, text: str = "", environment: dict[str, str] | None = None) -> Settings:
    path = directory / "hearth.toml"
    path.write_text(text, encoding="utf-8")
    return load_configuration(path, environment=environment or {}).settings


def refusal(directory: Path, text: str = "", environment: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(directory, text, environment)
    return str(caught.value)


def test_named_file_then_environment_then_folder_then_data_folder(tmp_path: Path) -> None:
    named, by_environment = tmp_path / "named.toml", tmp_path / "environment.toml"
    here, hidden = tmp_path / "hearth.toml", tmp_path / ".hearth" / "hearth.toml"
    hidden.parent.mkdir()
    for path in (named, by_environment, here, hidden):
        path.write_text(APPS)
    environment = {"HEARTH_CONFIG": str(by_environment)}
    found = [load_configuration(named, environment=environment, directory=tmp_path).path]
    found.append(load_configuration(None, environment=environment, directory=tmp_path).path)
    found.append(load_configuration(None, environment={}, directory=tmp_path).path)
    here.unlink()
    found.append(load_configuration(None, environment={}, directory=tmp_path).path)
    hidden.unlink()
    found.append(load_configuration(None, environment={}, directory=tmp_path).path)
    assert found == [named, by_environment, here, hidden, None]


def test_file_that_was_asked_for_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--config: there is no file"):
        load_configuration(tmp_path / "absent.toml", environment={})
    with pytest.raises(ConfigurationError, match="HEARTH_CONFIG: there is no file"):
        load_configuration(None, environment={"HEARTH_CONFIG": str(tmp_path / "absent.toml")})


def test_environment_goes_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    path = tmp_path / "hearth.toml"
    path.write_text('[server]\nport = 1\nhost = "192.0.2.1"\ndrain_seconds = 3\n')
    environment = {"HEARTH_SERVER__PORT": "2", "HEARTH_SERVER__HOST": "192.0.2.2"}
    settings = load_configuration(path, environment=environment, arguments={"server": {"port": 3}}).settings
    assert (settings.server.port, settings.server.host, settings.server.drain_seconds) == (3, "192.0.2.2", 3)


def test_empty_variable_is_none(tmp_path: Path) -> None:
    settings = load(tmp_path, "[server]\nport = 5\n" + APPS, {"HEARTH_SERVER__PORT": "", "HEARTH_APPS": ""})
    assert settings.server.port == 5 and len(settings.apps) == 1


def test_every_kind_of_value_can_come_from_the_environment(tmp_path: Path) -> None:
    environment = {
        "HEARTH_SERVER__DEV_TLS": "true",
        "HEARTH_MEDIA__PUBLIC_IPS": "203.0.113.7, 2001:db8::7",
        "HEARTH_SERVER__TRUSTED_PROXIES": '["10.0.0.0/8"]',
        "HEARTH_MEDIA__TURN__ENABLED": "false",
        "HEARTH_STORE__GRACE_SECONDS": "2.5",
        "HEARTH_APPS": f'[{{"app_id": 9, "server_secrets": ["{SECRET}"], "token_check": "login+publish"}}]',
    }
    settings = load(tmp_path, APPS, environment)
    assert settings.server.dev_tls
    assert settings.media.public_ips == ["203.0.113.7", "2001:db8::7"]
    assert settings.server.trusted_proxies == ["10.0.0.0/8"]
    assert settings.store.grace_seconds == 2.5
    assert [app.app_id for app in settings.apps] == [9]
    assert settings.apps[0].token_check == "login+publish"


@pytest.mark.parametrize(
    ("text", "environment", "told"),
    [
        ("[server]\nport = 99999\n", {}, ["server.port = 99999", "hearth.toml", "65535"]),
        ("[server]\nprot = 1\n", {}, ["server.prot", "unknown key", "did you mean port"]),
        ("[sever]\nport = 1\n", {}, ["sever", "unknown key", "did you mean server"]),
        ("[server]\nzzz = 1\n", {}, ["server.zzz", "allowed:", "public_url"]),
        ('[server]\npublic_url = "rtc.example.org"\n', {}, ["server.public_url", "https://rtc1.example.org"]),
        ('[media]\npublic_ips = ["nearby"]\n', {}, ["media.public_ips[0]", "nearby", "203.0.113.7"]),
        ('[store]\nurl = "mysql://localhost"\n', {}, ["store.url", "mysql://localhost", "redis+sentinel://"]),
        ("[server\n", {}, ["not TOML", "line 1"]),
        ("[[apps]]\napp_id = 1\n", {}, ["apps[0].server_secrets", "missing"]),
        (APPS + APPS, {}, ["app_id 7 is there twice"]),
        ("", {"HEARTH_SERVER__PORT": "many"}, ["server.port", '"many"', "environment"]),
        ("", {"HEARTH_SERVER__PRT": "1"}, ["server.prt", "unknown key", "environment", "did you mean port"]),
        ("", {"HEARTH_SERVR__PORT": "1"}, ["HEARTH_SERVR__PORT", "HEARTH_SERVER__"]),
        ("", {"HEARTH_APPS": "everything"}, ["HEARTH_APPS", "JSON"]),
    ],
)
def test_mistake_names_the_key_the_value_and_what_is_allowed(
    tmp_path: Path, text: str, environment: dict[str, str], told: list[str]
) -> None:
    message = refusal(tmp_path, text, environment)
    for part in told:
        assert part in message


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    message = refusal(tmp_path, "[server]\nport = -1\ndrain_seconds = -1\n")
    assert "server.port" in message and "server.drain_seconds" in message


def test_secrets_are_masked_in_mistakes(tmp_path: Path) -> None:
    short = "too-short-but-still-secret"
    assert short not in refusal(tmp_path, f'[[apps]]\napp_id = 1\nserver_secrets = ["{short}"]\n')
    assert short not in refusal(tmp_path, f'[[apps]]\napp_id = 1\nserver_secrets = "{short}"\nserver_secret = "{short}"\n')
    assert short not in refusal(tmp_path, f'[apps]\napp_id = 1\nserver_secrets = ["{short}"]\n')
    assert short not in refusal(tmp_path, "", {"HEARTH_APPS": f'{{"app_id": 1, "server_secrets": ["{short}"]}}'})
    assert short not in refusal(tmp_path, f'[store]\nurl = "mysql://user:{short}@host"\n')


def test_secrets_are_masked_when_shown(tmp_path: Path) -> None:
    text = (
        f'[server]\nmetrics_token = "{SECRET}"\n[store]\nurl = "redis://user:{SECRET}@host:6379/1"\n'
        f'[[apps]]\napp_id = 7\nserver_secrets = ["{SECRET}"]\ncallback_secret = "{SECRET}"\napp_sign = "{SECRET * 2}"\n'
    )
    shown = describe(load(tmp_path, text), explain=True)
    assert SECRET not in shown
    assert f"redis://user:{MASK}@host:6379/1" in shown
    assert "app_id = 7" in shown


def test_what_is_shown_can_be_read_again(tmp_path: Path) -> None:
    shown = describe(load(tmp_path, APPS)).replace(MASK, SECRET)
    assert describe(load(tmp_path, shown)) == describe(load(tmp_path, APPS))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:1/0", "redis://host:1/0"),
        ("redis://:pw@host:1/0", f"redis://:{MASK}@host:1/0"),
        ("redis+sentinel://u:p@a:1,b:2/name", f"redis+sentinel://u:{MASK}@a:1,b:2/name"),
        ("memory://", "memory://"),
        ("redis://host:1/0?password=p@w&db=1", f"redis://host:1/0?password={MASK}&db=1"),
        ("unix:///run/redis.sock?db=1&password=pw", f"unix:///run/redis.sock?db=1&password={MASK}"),
        ("redis://:p/w@host:1/0", f"redis://:{MASK}@host:1/0"),
        ("redis://:pw@[::1", f"redis://:{MASK}@[::1"),
        ("postgres", "postgres"),
    ],
)
def test_password_of_a_store_url_is_never_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


async def test_store_url_that_cannot_be_used_is_told_as_a_mistake_in_the_configuration() -> None:
    with pytest.raises(ConfigurationError, match=r"store\.url = redis://:\*+@host: not of the form redis://"):
        create_app(Settings(store=StoreSettings(url="redis://:sec/ret@host")))


async def test_log_file_that_cannot_be_written_is_told_as_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "sdk.log"
    with pytest.raises(ConfigurationError, match=rf"server\.sdk_log_file = {path}: No such file or directory"):
        create_app(Settings(server=ServerSettings(sdk_log_file=path)))


@pytest.mark.parametrize("apps", ['"[{app_id: 7, server_secrets: [hidden]}]"', '["hidden"]'])
def test_apps_that_are_no_tables_are_not_shown(tmp_path: Path, apps: str) -> None:
    with pytest.raises(ConfigurationError, match="apps") as caught:
        load_configuration(environment={"HEARTH_APPS": apps}, directory=tmp_path)
    assert "hidden" not in str(caught.value)
