"""Settings as the parts of the house get them."""

from __future__ import annotations

import dataclasses

import ifaddr
import msgspec
import pytest
from pydantic import SecretStr, ValidationError

from media.bridge.config import BridgeConfig
from media.turn.config import TurnConfig
from rooms.limits import RoomLimits
from server import wiring
from server.settings import (
    BridgeSettings,
    ExternalTurnSettings,
    LimitSettings,
    MediaSettings,
    RtmpSettings,
    ServerSettings,
    Settings,
    StoreSettings,
    TurnSettings,
)


def test_defaults_are_those_of_the_parts() -> None:
    assert wiring.room_limits(LimitSettings()) == RoomLimits()


def test_limit_reaches_the_rooms() -> None:
    limits = wiring.room_limits(LimitSettings(broadcast_bytes=5, login_rate=0))
    assert (limits.broadcast_bytes, limits.login_rate) == (5, 0)


def test_every_rule_of_messages_has_a_setting() -> None:
    names = {field.name for field in msgspec.structs.fields(RoomLimits)}
    rules = {name for name in names if name.startswith(("broadcast_", "barrage_", "command_", "extra_info_"))} - {"command_frame_bytes"}
    assert rules <= set(LimitSettings.model_fields)


def test_seconds_become_milliseconds() -> None:
    timings = wiring.timings(Settings(store=StoreSettings(grace_seconds=1.5, node_lease_seconds=4)))
    assert (timings.grace, timings.node_lease, timings.session_timeout) == (1500, 4000, 100_000)


@pytest.mark.parametrize(
    ("host", "announced"),
    [
        ("0.0.0.0", ("192.0.2.7", "127.0.0.1")),
        ("::", ("2001:db8::7", "192.0.2.7", "127.0.0.1")),
        ("192.0.2.7", ("192.0.2.7",)),
    ],
)
def test_only_addresses_that_the_socket_takes_are_announced(monkeypatch: pytest.MonkeyPatch, host: str, announced: tuple[str, ...]) -> None:
    ips = [ifaddr.IP(("2001:db8::7", 0, 0), 64, "eth0"), ifaddr.IP(("fe80::7", 0, 2), 64, "eth0"), ifaddr.IP("192.0.2.7", 24, "eth0")]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [ifaddr.Adapter("eth0", "eth0", ips)])
    assert wiring.media_config(Settings(media=MediaSettings(host=host))).public_ips == announced


def test_turn_is_the_nodes_own_or_another_or_none() -> None:
    own = wiring.media_config(Settings())
    assert own.turn is not None and own.turn_external is None
    assert (own.turn.port, own.turn.any_port_if_taken) == (3478, True)
    assert own.turn == dataclasses.replace(TurnConfig(), any_port_if_taken=True)
    asked = wiring.media_config(Settings(media=MediaSettings(turn=TurnSettings(port=3478, lifetime_seconds=30)))).turn
    assert asked is not None and not asked.any_port_if_taken and asked.lifetime_ms == 30_000
    assert wiring.media_config(Settings(media=MediaSettings(turn=TurnSettings(enabled=False)))).turn is None
    external = ExternalTurnSettings(urls=["turn:t:3478?transport=udp"], shared_secret=SecretStr("s"))
    other = wiring.media_config(Settings(media=MediaSettings(turn_external=external)))
    assert other.turn is None and other.turn_external is not None
    assert (other.turn_external.urls, other.turn_external.shared_secret) == (("turn:t:3478?transport=udp",), "s")


def test_the_bridge_is_as_its_part_has_it_unless_set() -> None:
    assert wiring.bridge_config(Settings()) == BridgeConfig()
    bridge = BridgeSettings(max_bridges=3, threads=1, opus_bitrate=32_000, aac_bitrate=48_000, linger_seconds=1.5, max_delay_ms=100)
    assert wiring.bridge_config(Settings(media=MediaSettings(bridge=bridge))) == BridgeConfig(
        max_bridges=3, threads=1, opus_bitrate=32_000, aac_bitrate=48_000, linger_ms=1_500, max_delay_ms=100
    )


@pytest.mark.parametrize(
    "values", [{"urls": ["turn:t"]}, {"shared_secret": "s"}, {"urls": ["http://t"], "shared_secret": "s"}, {"urls": ["turn:a;turn:b"]}]
)
def test_an_external_turn_server_is_whole_or_not_there(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ExternalTurnSettings.model_validate(values)


@pytest.mark.parametrize(("timeout", "interval"), [(100, 30_000), (30, 10_000), (9, 3_000), (3, 3_000)])
def test_three_heartbeats_fit_into_the_session_timeout(timeout: float, interval: int) -> None:
    assert wiring.heartbeat_interval(Settings(store=StoreSettings(session_timeout_seconds=timeout))) == interval


def test_media_listens_and_announces_where_http_does_unless_told_otherwise() -> None:
    assert wiring.media_config(Settings()).host == "127.0.0.1"
    assert wiring.media_config(Settings()).public_ips == ("127.0.0.1",)
    lan = wiring.media_config(Settings(server=ServerSettings(host="192.0.2.7")))
    assert (lan.host, lan.public_ips) == ("192.0.2.7", ("192.0.2.7",))
    behind_nat = Settings(media=MediaSettings(host="0.0.0.0", public_ips=["203.0.113.7"]))
    assert wiring.media_config(behind_nat).public_ips == ("203.0.113.7",)


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (Settings(), ""),
        (Settings(server=ServerSettings(public_url="https://rtc1.example.org/")), "wss://rtc1.example.org"),
        (Settings(store=StoreSettings(url="redis://localhost")), "ws://127.0.0.1:8081"),
        (Settings(store=StoreSettings(url="redis://localhost"), server=ServerSettings(host="::1", dev_tls=True)), "wss://[::1]:8081"),
        (Settings(store=StoreSettings(url="redis://localhost"), server=ServerSettings(host="0.0.0.0")), ""),
    ],
)
def test_address_that_other_nodes_are_told(settings: Settings, url: str) -> None:
    assert wiring.node_info(settings, 8081, 0).ws_url == url


def test_configured_rtmp_host_is_given_out() -> None:
    settings = Settings(rtmp=RtmpSettings(public_host="rtmp.example.org:1936"))
    assert wiring.rtmp_address(settings, 1935) == "rtmp://rtmp.example.org:1936"
    public = Settings(server=ServerSettings(host="0.0.0.0", public_url="https://rtc1.example.org"))
    assert wiring.rtmp_address(public, 1935) == "rtmp://rtc1.example.org:1935"
    assert wiring.rtmp_address(Settings(server=ServerSettings(host="::1")), 7) == "rtmp://[::1]:7"
    anywhere = Settings(server=ServerSettings(host="0.0.0.0"), media=MediaSettings(public_ips=["203.0.113.7"]))
    assert wiring.rtmp_address(anywhere, 7) == "rtmp://203.0.113.7:7"
    assert [wiring.rtmp_host_is_clients(each) for each in (settings, public, Settings(), anywhere)] == [False, False, False, True]


def test_nodes_have_different_names_unless_told() -> None:
    assert wiring.node_info(Settings(), 1, 0).node_id != wiring.node_info(Settings(), 1, 0).node_id
    assert wiring.node_info(Settings(server=ServerSettings(node_id="rtc1")), 1, 0).node_id == "rtc1"
