"""The deployment files fit together, and fit the program: variables, settings, files, ports."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.configuration import ConfigurationError, read_settings
from server.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
TLS_TEXT = (ROOT / "docker-compose.turn-tls.yml").read_text("utf-8")
"""What TURN over TLS adds."""
ENV_EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::?([-?])([^}]*))?\}")
"""``${NAME}``, ``${NAME:-default}``, ``${NAME:?message}``, as Compose reads them."""

FILLED_IN = {
    "HEARTH_DOMAIN": "rtc.example.org",
    "HEARTH_PUBLIC_IP": "203.0.113.7",
    "HEARTH_APPS": '[{"app_id": 1234567890, "server_secrets": ["0123456789abcdef0123456789abcdef"]}]',
    "REDIS_PASSWORD": "0a1b2c3d",
    "TURN_SECRET": "4e5f6a7b",
}


def example_values() -> dict[str, str]:
    assignments = re.findall(r"^(\w+)=(.*)$", ENV_EXAMPLE, re.MULTILINE)
    return {name: value.strip("'") for name, value in assignments}


def interpolated(values: dict[str, str], text: str = COMPOSE_TEXT) -> dict[str, Any]:
    """A compose file as Compose understands it; KeyError for a required variable without a value."""

    def value_of(match: re.Match[str]) -> str:
        name, operator, rest = match.groups()
        if values.get(name):
            return values[name]
        if operator == "-":
            return str(rest)
        raise KeyError(name)

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(value) for value in node]
        return VARIABLE.sub(value_of, node) if isinstance(node, str) else node

    composed: dict[str, Any] = walk(yaml.safe_load(text))
    return composed


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = interpolated(example_values() | FILLED_IN)["services"]
    return found


def settings_of(service: dict[str, Any], **changes: str) -> Settings:
    return read_settings(None, environment=service["environment"] | changes)


# --- variables ----------------------------------------------------------------------------------------------------------------------------


def test_every_variable_of_the_compose_file_is_in_the_example_and_the_other_way_round() -> None:
    assert set(example_values()) == {match[1] for match in VARIABLE.finditer(COMPOSE_TEXT + TLS_TEXT)}


def test_every_variable_of_the_example_is_explained() -> None:
    lines = ENV_EXAMPLE.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"\w+=", line):
            above = next(text for text in reversed(lines[:number]) if not re.match(r"\w+=", text))
            assert above.startswith("# ") and "---" not in above, line


def test_the_defaults_are_those_of_the_example() -> None:
    example = example_values()
    for match in VARIABLE.finditer(COMPOSE_TEXT + TLS_TEXT):
        if match[2] == "-":
            assert match[3] == example[match[1]], match[1]


def test_the_example_has_no_secret_that_would_work() -> None:
    example = example_values()
    assert example["REDIS_PASSWORD"] == example["TURN_SECRET"] == ""
    hearth = interpolated(FILLED_IN | {"HEARTH_APPS": example["HEARTH_APPS"]})["services"]["hearth"]
    with pytest.raises(ConfigurationError, match="exactly 32 characters"):
        settings_of(hearth)


@pytest.mark.parametrize("name", FILLED_IN)
def test_what_has_to_be_filled_in_is_asked_for(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        interpolated({key: value for key, value in FILLED_IN.items() if key != name})


# --- Hearth's settings --------------------------------------------------------------------------------------------------------------------


def test_hearth_understands_the_environment_it_is_given(services: dict[str, Any]) -> None:
    settings = settings_of(services["hearth"])
    assert settings.store.url == "redis://:0a1b2c3d@redis:6379/0"
    assert settings.media.public_ips == ["203.0.113.7"]
    assert settings.media.turn.enabled is False
    assert settings.media.turn_external.urls == [f"turn:203.0.113.7:3478?transport={transport}" for transport in ("udp", "tcp")]
    assert f"--static-auth-secret={settings.media.turn_external.shared_secret.get_secret_value()}" in services["coturn"]["command"]
    assert [app.app_id for app in settings.apps] == [1234567890]


def test_only_the_proxys_network_is_trusted(services: dict[str, Any]) -> None:
    edge = interpolated(FILLED_IN)["networks"]["edge"]["ipam"]["config"][0]["subnet"]
    assert settings_of(services["hearth"]).server.trusted_proxies == [edge]
    assert {name for name, service in services.items() if "edge" in service["networks"]} == {"hearth", "caddy"}


def test_the_ports_of_media_are_published_under_their_own_numbers() -> None:
    hearth = interpolated(FILLED_IN | {"HEARTH_MEDIA_PORT": "7123", "HEARTH_RTMP_PORT": "1936"})["services"]["hearth"]
    assert settings_of(hearth).media.udp_port == 7123
    assert hearth["ports"] == ["0.0.0.0:7123:7123/udp", "0.0.0.0:1936:1936"]
    assert settings_of(hearth).rtmp.port == 1936


def test_docker_waits_longer_than_the_draining_takes(services: dict[str, Any]) -> None:
    assert int(services["hearth"]["stop_grace_period"].removesuffix("s")) > settings_of(services["hearth"]).server.drain_seconds


def test_caddy_finds_hearth(services: dict[str, Any]) -> None:
    caddyfile = (ROOT / "deploy/Caddyfile").read_text("utf-8")
    settings = settings_of(services["hearth"])
    assert f"reverse_proxy hearth:{settings.server.port}\n" in caddyfile
    assert set(re.findall(r"\{\$(\w+)\}", caddyfile)) <= set(services["caddy"]["environment"])


# --- what can be reached from where -------------------------------------------------------------------------------------------------------


def test_redis_is_reached_by_hearth_alone_and_keeps_what_it_has(services: dict[str, Any]) -> None:
    redis = services["redis"]
    assert "ports" not in redis and "network_mode" not in redis
    assert redis["networks"] == ["store"]
    assert interpolated(FILLED_IN)["networks"]["store"]["internal"] is True
    assert {name for name, service in services.items() if "store" in service["networks"]} == {"hearth", "redis"}
    command = " ".join(redis["command"])
    assert "--requirepass 0a1b2c3d" in command and "--appendonly yes" in command
    assert "redis-data:/data" in redis["volumes"]


def test_every_published_port_is_on_the_chosen_address() -> None:
    services = interpolated(FILLED_IN | {"HEARTH_LISTEN_IP": "127.0.0.1"})["services"]
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in published)
    ours = {"7000/udp", "1935", "80/tcp", "443/tcp", "3478/udp", "3478/tcp", "49160-49259/udp"}
    assert {port.rpartition(":")[2] for port in published} == ours


def test_coturn_relays_to_hearth_and_nowhere_else(services: dict[str, Any]) -> None:
    lines = (ROOT / "deploy/turnserver.conf").read_text("utf-8").splitlines()
    assert {"use-auth-secret", "denied-peer-ip=0.0.0.0-255.255.255.255", "no-multicast-peers", "no-cli"} <= set(lines)
    assert [option for option in services["coturn"]["command"] if "peer" in option] == ["--allowed-peer-ip=203.0.113.7"]
    assert "--static-auth-secret=4e5f6a7b" in services["coturn"]["command"]


def test_turn_over_tls_only_adds_tls(services: dict[str, Any]) -> None:
    added = interpolated(example_values() | FILLED_IN, TLS_TEXT)["services"]
    plain, tls = set(services["coturn"]["command"]), set(added["coturn"]["command"])
    assert plain - tls == {"--no-tls"}
    assert tls - plain == {"--tls-listening-port=5349", "--cert=/etc/coturn/tls/fullchain.pem", "--pkey=/etc/coturn/tls/privkey.pem"}
    assert added["coturn"]["ports"] == ["0.0.0.0:5349:5349/tcp"]
    assert added["coturn"]["volumes"] == ["./deploy/turn-tls:/etc/coturn/tls:ro"]
    urls = settings_of(services["hearth"], **added["hearth"]["environment"]).media.turn_external.urls
    assert urls == [*settings_of(services["hearth"]).media.turn_external.urls, "turns:rtc.example.org:5349?transport=tcp"]
    assert "deploy/turn-tls/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_mounted_files_are_in_the_repository(services: dict[str, Any]) -> None:
    mounted = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", []) if volume.startswith(".")]
    assert mounted
    for path in mounted:
        assert (ROOT / path).is_file(), path


# --- the image ----------------------------------------------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def copied() -> set[str]:
    copies = [arguments.split() for name, arguments in instructions() if name == "COPY" and "--from" not in arguments]
    return {source for arguments in copies for source in arguments[:-1]}


def test_what_the_image_copies_exists_and_is_let_into_the_build() -> None:
    ignore = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for source in copied():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignore, source


def test_only_what_the_image_copies_is_let_into_the_build() -> None:
    ignore = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert ignore[1] == "*"
    assert {line[1:] for line in ignore if line.startswith("!")} == copied()


def test_the_image_has_every_package_of_the_program() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = {pattern.removesuffix("*") for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages <= copied()
    assert project["project"]["readme"] in copied()


def test_the_image_installs_what_is_locked_and_runs_as_an_ordinary_user() -> None:
    steps = instructions()
    installs = [arguments for name, arguments in steps if name == "RUN" and "pip install" in arguments]
    assert len(installs) == 2
    assert "--require-hashes -r requirements.lock" in installs[0]
    assert "--no-deps" in installs[1]
    names = [name for name, _ in steps]
    last_stage = steps[len(names) - names[::-1].index("FROM") - 1 :]
    assert dict(last_stage)["USER"] == "hearth"
    assert "/healthz" in dict(last_stage)["HEALTHCHECK"]
    assert {arguments.split()[0] for name, arguments in steps if name == "FROM"} == {"python:3.11-slim-bookworm"}
