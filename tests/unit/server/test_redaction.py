"""Credentials in what others wrote."""

from __future__ import annotations

import json
import random
import string
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.claims import AppKeys, Privileges, TokenKind
from auth.tokens import issue_token
from server.redaction import JSON, REDACTED, redact, redact_text

KEYS = AppKeys(app_id=1234567890, server_secrets=("0123456789abcdef" * 2,), app_sign="0123456789abcdef" * 4)
WORDS = ["mute", "/sdk/login", "2.11.0", "room-1", "alice", "https://example.org/path", "04", "0 4", "03 monitors"]


def token(kind: TokenKind) -> str:
    rng = random.Random(1)
    privileges = None if kind is TokenKind.LEGACY else Privileges(room_id="r")
    return issue_token(kind, keys=KEYS, user_id="alice", now=1_700_000_000, ttl=60, privileges=privileges, random_bytes=rng.randbytes)


@pytest.mark.parametrize("kind", list(TokenKind))
def test_token_of_every_kind_is_found_wherever_it_stands(kind: TokenKind) -> None:
    text = token(kind)
    places: list[str] = [
        text,
        f"login with {text} failed",
        f'{{"a":"{text}"}}',
        json.dumps(json.dumps({"x": [text]})),
        f"wss://host/zglog/ws?appid=1&token={quote(text, safe='')}&x=1",
        f"wss://host/zglog/ws?token={text}",
    ]
    for place in places:
        assert text[:40] not in redact_text(place), place
        assert quote(text, safe="")[:60] not in redact_text(place), place


@pytest.mark.parametrize("name", ["token", "third_token", "Token", "session_token", "media_key", "session_id"])
def test_value_under_a_telling_name_is_removed_whatever_it_looks_like(name: str) -> None:
    assert redact({"outer": [{name: "short"}]}) == {"outer": [{name: REDACTED}]}
    assert "short" not in redact_text(json.dumps(json.dumps({name: "short"})))


def test_media_addresses_lose_their_credentials() -> None:
    assert "sekrit" not in redact_text("ws://host:8080/media?app=1&session=123&key=sekrit")
    assert "123" not in redact_text("ws://host:8080/media?app=1&session=123&key=sekrit")
    assert redact_text("/live/1/sekrit.123/stream-1.flv") == "/live/1/(removed)/stream-1.flv"
    assert "sekrit" not in redact_text("rtmp://host:1935/1/sekrit.123/stream-1?zgseq=1&zgdid=123")


def test_the_rest_stays_readable() -> None:
    record: dict[str, JSON] = {
        "event": "/sdk/login",
        "appid": 1,
        "room_id": "room-1",
        "error": 0,
        "message": "ok",
        "events": ["a", None, 1.5],
        "token": "",
    }
    assert redact(record) == record


def test_deep_nesting_is_cut_off() -> None:
    value: JSON = "x"
    for _ in range(100):
        value = [value]
    assert REDACTED in json.dumps(redact(value))


@given(st.lists(st.sampled_from(WORDS) | st.text(string.ascii_letters + string.digits + ' {}":,=&?/+', max_size=30), max_size=8))
def test_token_is_found_among_anything(words: list[str]) -> None:
    text = token(TokenKind.TOKEN04)
    assert text[:60] not in redact_text(" ".join([*words, text, *words]))


def test_escaped_slash_does_not_end_a_token() -> None:
    assert "tail" not in redact_text('{"token":"head\\/tail"}')
    assert "tail" not in redact_text('{\\"token\\":\\"head\\\\\\/tail\\"}')


def test_beginnings_of_tokens_without_end_cost_no_more_than_other_text() -> None:
    text = "eyJ-" * 60_000  # as long as limits.sdk_log_bytes allows; with a step for each pair of them it takes a minute
    began = time.process_time()
    assert redact_text(text) == text
    assert time.process_time() - began < 5
