"""Whose word counts about where a request comes from."""

from __future__ import annotations

import pytest
from starlette.types import Scope

from server.proxies import TrustedProxies


def scope(peer: str, scheme: str = "ws", **headers: str) -> Scope:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "websocket", "scheme": scheme, "client": (peer, 4711), "headers": raw}


def test_headers_of_strangers_are_ignored() -> None:
    origin = TrustedProxies(["10.0.0.0/8"]).origin(
        scope("198.51.100.1", host="rtc.example.org", x_forwarded_for="192.0.2.1", x_forwarded_proto="https")
    )
    assert (origin.client_address, origin.ws_base) == ("198.51.100.1", "ws://rtc.example.org")


def test_headers_of_a_trusted_proxy_count() -> None:
    origin = TrustedProxies(["10.0.0.0/8"]).origin(
        scope("10.1.2.3", host="rtc.example.org", x_forwarded_for="192.0.2.1", x_forwarded_proto="https")
    )
    assert (origin.client_address, origin.ws_base) == ("192.0.2.1", "wss://rtc.example.org")


def test_client_cannot_put_an_address_in_front_of_its_own() -> None:
    proxies = TrustedProxies(["10.0.0.0/8"])
    assert proxies.origin(scope("10.0.0.1", x_forwarded_for="192.0.2.66, 198.51.100.1, 10.0.0.2")).client_address == "198.51.100.1"


@pytest.mark.parametrize(
    ("chain", "address"),
    [
        ("192.0.2.1:5555", "192.0.2.1"),
        ("[2001:db8::1]:5555", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("nonsense", "10.0.0.1"),
        ("10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("", "10.0.0.1"),
    ],
)
def test_forms_of_forwarded_addresses(chain: str, address: str) -> None:
    assert TrustedProxies(["10.0.0.0/8"]).origin(scope("10.0.0.1", x_forwarded_for=chain)).client_address == address


def test_rule_for_ipv4_holds_on_a_dual_stack_socket() -> None:
    origin = TrustedProxies(["127.0.0.1"]).origin(scope("::ffff:127.0.0.1", x_forwarded_for="192.0.2.1"))
    assert origin.client_address == "192.0.2.1"


@pytest.mark.parametrize("host", ["", 'evil" onload=', "a b", "host/path", "user@host", "host:123456"])
def test_malformed_host_is_no_base_address(host: str) -> None:
    assert TrustedProxies([]).origin(scope("192.0.2.1", host=host)).ws_base == ""


@pytest.mark.parametrize("host", ["localhost:8080", "rtc.example.org", "192.0.2.1:1", "[2001:db8::1]:8080"])
def test_well_formed_host_is_the_base_address(host: str) -> None:
    assert TrustedProxies([]).origin(scope("192.0.2.1", "wss", host=host)).ws_base == f"wss://{host}"
