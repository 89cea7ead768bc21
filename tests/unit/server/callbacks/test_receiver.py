"""Which addresses are inside, and what a callback says."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.signatures import sign_callback
from rooms.events import EndReason, StreamEnd
from server.apps import build_app
from server.callbacks import events
from server.callbacks.body import form_body, json_body
from server.callbacks.receiver import is_public
from server.configuration import ConfigurationError
from server.settings import AppSettings
from tests.callback_receiver import is_genuine


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
        "224.0.0.1", "240.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::1", "64:ff9b::7f00:1",
    ],
)  # fmt: skip
def test_addresses_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet(address: str) -> None:
    assert is_public(address)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))))
def test_json_survives_being_decoded_like_a_url(fields: dict[str, str]) -> None:
    body = json_body(dict(fields)).decode()
    assert json.loads(body) == fields == json.loads(unquote_plus(body))


def test_form_writes_lists_as_php_reads_them() -> None:
    body = form_body({"event": "é &=+%", "appid": 7, "rtmp_url": ("a", "b"), "hls_url": ()}).decode()
    assert dict(parse_qsl(body, True)) == {"event": "é &=+%", "appid": "7", "rtmp_url[0]": "a", "rtmp_url[1]": "b"}


def test_every_reason_has_its_number() -> None:
    assert set(events.LOGOUT_REASONS) == set(events.CLOSE_REASONS) == set(events.OWNER_LEFT_TYPES) == set(EndReason)
    assert set(events.STREAM_TYPES) | {StreamEnd.OWNER_LEFT} == set(StreamEnd)


def test_documented_signature() -> None:
    signature = "5bd59fd62953a8059fb7eaba95720f66d19e4517"
    assert sign_callback("secret", 1470820198, "123412") == signature
    assert is_genuine({"timestamp": 1470820198, "nonce": "123412", "signature": signature}, "secret")


def app_settings(**fields: object) -> AppSettings:
    return AppSettings.model_validate({"app_id": 1, "server_secrets": ["0" * 32], **fields})


def test_one_address_for_all_events_or_one_for_each() -> None:
    secret = {"callback_secret": "1" * 32}
    assert build_app(app_settings(**secret)).callbacks is None
    target = build_app(
        app_settings(**secret, callback_url="https://a.example/x", callback_urls={"room_login": "http://b.example", "room_close": ""})
    ).callbacks
    assert target is not None and "1111" not in repr(target) and "a.example" not in repr(target)
    assert target.urls == {
        "room_create": "https://a.example/x", "room_login": "http://b.example", "room_logout": "https://a.example/x",
        "stream_create": "https://a.example/x", "stream_close": "https://a.example/x",
    }  # fmt: skip


def test_callbacks_without_a_secret_are_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="callback_secret"):
        build_app(app_settings(callback_url="https://a.example"))


@pytest.mark.parametrize("url", ["ftp://x/y", "backend.example.org", "http://", "https://user:word@backend.example.org/"])
def test_addresses_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ValueError, match="callback_url"):
        app_settings(callback_url=url)


def test_there_is_no_such_event() -> None:
    with pytest.raises(ValueError, match="callback_urls"):
        app_settings(callback_urls={"room_destroy": "https://a.example"})
