"""Every token of the vector file is read as its generator meant it, every negative case is refused for its own reason."""

from __future__ import annotations

import json

import pytest

from auth import (
    Claims,
    Privileges,
    TokenBadSignature,
    TokenCheck,
    TokenExpired,
    TokenKind,
    TokenMalformed,
    TokenNotPermitted,
    TokenWrongUser,
    issue_token,
    verify_token,
)
from tests.unit.auth.token_vectors import NEGATIVE, TOKENS, Vector, app_keys, bytes_from, keys_of

KINDS = {
    ("04", "CBC"): TokenKind.TOKEN04,
    ("04", "GCM"): TokenKind.TOKEN04_GCM,
    ("03", "CBC"): TokenKind.TOKEN03,
    ("01", None): TokenKind.LEGACY,
}


def expiry_of(vector: Vector) -> int:
    return int(vector["expire"]) if "expire" in vector else int(vector["md5_source"][-10:])


def verified(vector: Vector, now: int | None = None) -> Claims:
    return verify_token(vector["token"], keys=keys_of(vector), user_id=vector["user_id"], now=expiry_of(vector) - 1 if now is None else now)


def privileges_of(vector: Vector) -> Privileges | None:
    source = vector if vector["version"] == "03" else json.loads(vector.get("payload") or "{}")
    if not source:
        return None
    bits = source["privilege"]
    return Privileges(source["room_id"], bits["1"] == 1, bits["2"] == 1, tuple(source.get("stream_id_list") or ()) or None)


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_of_a_generator_is_read_as_it_was_made(name: str) -> None:
    vector = TOKENS[name]
    claims = verified(vector)
    assert claims.kind is KINDS[vector["version"], vector.get("mode")]
    assert claims.app_id == vector["app_id"]
    assert claims.user_id == vector["user_id"]
    assert claims.expires_at == expiry_of(vector)
    assert claims.issued_at == vector.get("ctime", 0)
    assert claims.privileges == privileges_of(vector)
    if "plaintext" in vector:
        assert claims.nonce == json.loads(vector["plaintext"])["nonce"]


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_lives_through_its_last_second_and_no_longer(name: str) -> None:
    vector = TOKENS[name]
    assert verified(vector, now=expiry_of(vector)).user_id == vector["user_id"]
    with pytest.raises(TokenExpired):
        verified(vector, now=expiry_of(vector) + 1)


# Not among them: the generators whose JSON has spaces or another key order (no IV in the file), and [] for "any stream".
REPRODUCIBLE = [name for name, vector in TOKENS.items() if "iv_hex" in vector and name != "t04-cbc-priv-login-only"]


@pytest.mark.parametrize("name", REPRODUCIBLE)
def test_issuing_gives_what_the_official_generator_gave_byte_for_byte(name: str) -> None:
    vector = TOKENS[name]
    kind = KINDS[vector["version"], vector["mode"]]
    nonce = json.loads(vector["plaintext"])["nonce"]
    token = issue_token(
        kind,
        keys=keys_of(vector),
        user_id=vector["user_id"],
        now=vector["ctime"],
        ttl=vector["effective_time"],
        privileges=privileges_of(vector),
        random_bytes=bytes_from(bytes.fromhex(vector["iv_hex"]), nonce.to_bytes(8 if kind is TokenKind.TOKEN03 else 4, signed=True)),
    )
    assert token == vector["token"]


def base_of(name: str) -> tuple[Vector, Vector]:
    return NEGATIVE[name], TOKENS[NEGATIVE[name]["base"]]


@pytest.mark.parametrize("name", ["neg-wrong-secret-cbc", "neg-wrong-secret-gcm"])
def test_a_token_made_with_another_secret_is_a_bad_signature(name: str) -> None:
    case, vector = base_of(name)
    with pytest.raises(TokenBadSignature):
        verify_token(vector["token"], keys=keys_of(vector, case["secret"]), user_id=vector["user_id"], now=vector["ctime"])


def test_an_expired_token_says_so() -> None:
    _, vector = base_of("neg-expired")
    with pytest.raises(TokenExpired):
        verified(vector, now=1700003601)


def test_another_users_token_is_refused() -> None:
    case, vector = base_of("neg-user-mismatch")
    with pytest.raises(TokenWrongUser):
        verify_token(vector["token"], keys=keys_of(vector), user_id=case["login_user_id"], now=vector["ctime"])


def test_a_token_of_another_room_is_refused_when_privileges_are_checked() -> None:
    case, vector = base_of("neg-room-mismatch")
    claims = verified(vector)
    claims.check_login(case["login_room_id"], TokenCheck.IDENTITY)
    for mode in (TokenCheck.LOGIN, TokenCheck.LOGIN_PUBLISH):
        claims.check_login("room1", mode)
        with pytest.raises(TokenNotPermitted):
            claims.check_login(case["login_room_id"], mode)


def test_a_listeners_token_logs_in_but_does_not_publish() -> None:
    _, vector = base_of("neg-publish-denied")
    claims = verified(vector)
    claims.check_login("room1", TokenCheck.LOGIN_PUBLISH)
    claims.check_publish("any", TokenCheck.LOGIN)
    with pytest.raises(TokenNotPermitted):
        claims.check_publish("any", TokenCheck.LOGIN_PUBLISH)


def test_only_the_listed_streams_may_be_published() -> None:
    _, vector = base_of("neg-stream-not-listed")
    claims = verified(vector)
    claims.check_publish("s123", TokenCheck.LOGIN_PUBLISH)
    claims.check_publish("other", TokenCheck.LOGIN)
    with pytest.raises(TokenNotPermitted):
        claims.check_publish("other", TokenCheck.LOGIN_PUBLISH)


def test_an_unknown_version_is_malformed() -> None:
    with pytest.raises(TokenMalformed):
        verify_token(NEGATIVE["neg-version"]["token"], keys=app_keys(), user_id="user1", now=1_700_000_000)


def test_every_negative_vector_has_a_test() -> None:
    assert set(NEGATIVE) == {
        "neg-wrong-secret-cbc",
        "neg-wrong-secret-gcm",
        "neg-expired",
        "neg-user-mismatch",
        "neg-room-mismatch",
        "neg-publish-denied",
        "neg-stream-not-listed",
        "neg-version",
    }
