"""Whatever arrives as a token: a verified one comes out, or a ``TokenError``."""

from __future__ import annotations

import base64
import json

import jwt
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auth import AppKeys, Claims, Privileges, TokenCheck, TokenError, TokenKind, issue_token, verify_token
from auth.envelope import Envelope, seal
from tests.unit.auth.token_vectors import APP_ID, APP_SIGN, NOW, SECRET, TOKENS, app_keys

KEYS = AppKeys(APP_ID, (SECRET, "f" * 32), app_sign=APP_SIGN)
GENUINE = [vector["token"] for vector in TOKENS.values()] + [
    issue_token(TokenKind.JWT, keys=KEYS, user_id="user1", now=NOW, ttl=60, room_id="r", random_bytes=bytes)
]

fuzz = settings(deadline=None, max_examples=200)
"""No deadline: how long an example takes says more about the machine's other work than about the code."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = [
    *("app_id", "user_id", "nonce", "ctime", "expire", "payload", "room_id", "privilege", "stream_id_list", "create_time", "expire_time"),
    *("ver", "hash", "expired", "exp", "iat", "nbf", "aud", "sub", "jti", "alg", "kid", "typ", "b64"),
]
likely_values = (
    st.sampled_from([APP_ID, NOW, NOW + 60, "user1", "HS256", "RS256", {"1": 1, "2": 1}, ["s"], "", 2**63, -1, 1, "\ud800"]) | json_values
)
objects = st.dictionaries(st.sampled_from(NAMES), likely_values, max_size=len(NAMES))
users = st.sampled_from(["user1", ""]) | st.text(st.characters(), max_size=8)  # lone surrogates included


def outcome(token: str, user_id: str = "user1", now: int = NOW) -> Claims | None:
    """The only two things that may happen; anything else raised fails the test."""
    try:
        claims = verify_token(token, keys=KEYS, user_id=user_id, now=now)
    except TokenError:
        return None
    for mode in TokenCheck:
        try:
            claims.check_login("room1", mode)
            claims.check_publish("s", mode)
        except TokenError:
            pass
    assert (claims.app_id, claims.user_id) == (APP_ID, user_id)
    assert now <= claims.expires_at
    return claims


@fuzz
@given(st.text(st.characters(), max_size=300), users, st.integers(-(2**63), 2**63))
def test_any_text(token: str, user_id: str, now: int) -> None:
    assert outcome(token, user_id, now) is None


@fuzz
@given(st.sampled_from(["03", "04", ""]), st.binary(max_size=300))
@example("04", b"\xff" * 300)
def test_any_bytes_in_base64(version: str, data: bytes) -> None:
    assert outcome(version + base64.b64encode(data).decode()) is None


@fuzz
@given(
    st.sampled_from(["03", "04"]),
    st.builds(Envelope, st.integers(-(2**63), 2**63 - 1), st.binary(max_size=20), st.binary(max_size=64), st.booleans()),
)
def test_any_envelope(version: str, envelope: Envelope) -> None:
    assert outcome(envelope.text(version)) is None


@fuzz
@given(st.sampled_from(GENUINE), st.data())
def test_a_genuine_token_with_a_piece_cut_out_or_exchanged(token: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(start, len(token)))
    outcome(token[:start] + data.draw(st.text(max_size=8)) + token[end:])


@fuzz
@given(st.sampled_from(["03", "04"]), st.booleans(), st.binary(max_size=200), st.integers(-(2**63), 2**63 - 1))
def test_any_plaintext_in_a_genuine_envelope(version: str, gcm: bool, plaintext: bytes, expire: int) -> None:
    assert outcome(seal(expire, plaintext, secret=SECRET, iv=bytes(12 if gcm else 16), gcm=gcm).text(version)) is None


@fuzz
@given(st.sampled_from(["03", "04"]), st.booleans(), objects, users)
def test_any_fields_in_a_genuine_envelope(version: str, gcm: bool, fields: dict[str, object], user_id: str) -> None:
    expire = fields.get("expire", 0)
    header = expire if type(expire) is int and abs(expire) < 2**63 else 0
    outcome(seal(header, json.dumps(fields).encode(), secret=SECRET, iv=bytes(12 if gcm else 16), gcm=gcm).text(version), user_id)


@fuzz
@given(objects, users)
def test_any_fields_in_a_legacy_token(fields: dict[str, object], user_id: str) -> None:
    assert outcome(base64.b64encode(json.dumps(fields).encode()).decode(), user_id) is None


@fuzz
@given(objects, users)
def test_any_claims_in_a_genuinely_signed_jwt(claims: dict[str, object], user_id: str) -> None:
    outcome(jwt.api_jws.encode(json.dumps(claims).encode(), SECRET, "HS256"), user_id)


@fuzz
@given(objects | json_values, st.binary(max_size=64), st.binary(max_size=64))
def test_any_header_of_a_jwt(header: object, payload: bytes, signature: bytes) -> None:
    parts = (json.dumps(header).encode(), payload, signature)
    assert outcome(".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)) is None


@fuzz
@given(st.sampled_from(["[", '{"a":', "{", '"']), st.integers(1, 4000))
def test_json_of_any_depth(opening: str, depth: int) -> None:
    text = (opening * depth)[:4000].encode()
    for token in (
        base64.b64encode(text).decode(),
        seal(NOW, text, secret=SECRET, iv=bytes(12), gcm=True).text("04"),
        jwt.api_jws.encode(text, SECRET, "HS256"),
        base64.urlsafe_b64encode(text).decode() + ".e30.e30",
    ):
        assert outcome(token) is None


stream_lists = st.none() | st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), min_size=1, max_size=4).map(tuple)


@fuzz
@given(
    st.sampled_from(list(TokenKind)),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=64),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.booleans(),
    st.booleans(),
    stream_lists,
    st.binary(min_size=16, max_size=16),
)
def test_every_token_issued_comes_back_as_it_was_meant(
    kind: TokenKind, user_id: str, room_id: str, login: bool, publish: bool, stream_ids: tuple[str, ...] | None, entropy: bytes
) -> None:
    privileges: Privileges | None = Privileges(room_id or None, login, publish, None if kind is TokenKind.TOKEN03 else stream_ids)
    if kind is TokenKind.LEGACY:
        privileges = None
    token = issue_token(
        kind, keys=app_keys(), user_id=user_id, now=NOW, ttl=60, privileges=privileges, random_bytes=lambda length: entropy[:length]
    )
    claims = outcome(token, user_id)
    assert claims is not None and claims.kind is kind and claims.privileges == privileges
