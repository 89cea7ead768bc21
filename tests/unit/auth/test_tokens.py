"""Issuing and verifying, secrets in rotation, and what each refusal is called."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from auth import (
    MAX_TOKEN_LENGTH,
    AppKeys,
    Privileges,
    TokenBadSignature,
    TokenCheck,
    TokenError,
    TokenExpired,
    TokenKind,
    TokenMalformed,
    TokenNotPermitted,
    TokenWrongApp,
    TokenWrongUser,
    issue_token,
    verify_token,
)
from auth.envelope import Envelope, parse_envelope, seal
from tests.unit.auth.token_vectors import APP_ID, APP_SIGN, NOW, OTHER_SECRET, SECRET, TOKENS, app_keys, keys_of

ENCRYPTED = [TokenKind.TOKEN04, TokenKind.TOKEN04_GCM, TokenKind.TOKEN03]
WITH_SECRET = [*ENCRYPTED, TokenKind.JWT]
EVERY_KIND = list(TokenKind)


def issued(kind: TokenKind, *, ttl: int = 60, keys: AppKeys | None = None, user_id: str = "amy", room_id: str | None = None) -> str:
    return issue_token(kind, keys=keys or app_keys(), user_id=user_id, now=NOW, ttl=ttl, room_id=room_id)


def sealed(fields: object, *, gcm: bool = False, expire: int = NOW + 60, version: str = "04") -> str:
    """A Token04 around any JSON, encrypted as a genuine one is."""
    iv = b"0123456789ab" if gcm else b"0123456789abcdef"
    return seal(expire, json.dumps(fields).encode(), secret=SECRET, iv=iv, gcm=gcm).text(version)


FIELDS = {"app_id": APP_ID, "user_id": "amy", "nonce": 1, "ctime": NOW, "expire": NOW + 60, "payload": ""}


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("user_id", ["amy", "用户一", "x" * 64, "a.b@c"])
def test_what_is_issued_is_verified(kind: TokenKind, user_id: str) -> None:
    claims = verify_token(issued(kind, user_id=user_id), keys=app_keys(), user_id=user_id, now=NOW + 59)
    assert (claims.kind, claims.app_id, claims.user_id, claims.expires_at) == (kind, APP_ID, user_id, NOW + 60)
    assert claims.issued_at == (0 if kind is TokenKind.LEGACY else NOW)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_two_tokens_for_the_same_user_differ(kind: TokenKind) -> None:
    assert issued(kind) != issued(kind)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_an_expired_token_is_called_expired(kind: TokenKind) -> None:
    with pytest.raises(TokenExpired):
        verify_token(issued(kind, ttl=-1), keys=app_keys(), user_id="amy", now=NOW)


@pytest.mark.parametrize("kind", WITH_SECRET)
def test_another_users_token_is_called_wrong_user(kind: TokenKind) -> None:
    with pytest.raises(TokenWrongUser):
        verify_token(issued(kind), keys=app_keys(), user_id="bob", now=NOW)


@pytest.mark.parametrize("kind", WITH_SECRET)
def test_another_apps_token_is_called_wrong_app_where_both_share_a_secret(kind: TokenKind) -> None:
    with pytest.raises(TokenWrongApp):
        verify_token(issued(kind, keys=app_keys(5)), keys=app_keys(), user_id="amy", now=NOW)


@pytest.mark.parametrize("kind", WITH_SECRET)
def test_another_secret_is_called_bad_signature(kind: TokenKind) -> None:
    with pytest.raises(TokenBadSignature):
        verify_token(issued(kind), keys=AppKeys(APP_ID, (OTHER_SECRET,)), user_id="amy", now=NOW)


@pytest.mark.parametrize("kind", WITH_SECRET)
def test_both_secrets_are_valid_while_one_is_replaced(kind: TokenKind) -> None:
    both = AppKeys(APP_ID, (OTHER_SECRET, SECRET))
    old, new = issued(kind, keys=app_keys()), issued(kind, keys=both)
    assert verify_token(old, keys=both, user_id="amy", now=NOW).user_id == "amy"
    assert verify_token(new, keys=both, user_id="amy", now=NOW).user_id == "amy"
    only_new = AppKeys(APP_ID, (OTHER_SECRET,))
    assert verify_token(new, keys=only_new, user_id="amy", now=NOW).user_id == "amy"
    with pytest.raises(TokenBadSignature):
        verify_token(old, keys=only_new, user_id="amy", now=NOW)


@pytest.mark.parametrize("kind", WITH_SECRET)
def test_an_app_without_a_secret_accepts_no_token_made_with_one(kind: TokenKind) -> None:
    with pytest.raises(TokenBadSignature):
        verify_token(issued(kind), keys=AppKeys(APP_ID, ()), user_id="amy", now=NOW)
    with pytest.raises(ValueError, match="no ServerSecret"):
        issued(kind, keys=AppKeys(APP_ID, ()))


# --- privileges ---------------------------------------------------------------------------------------------------------------------------

PRIVILEGES = [
    Privileges(),
    Privileges("room1"),
    Privileges("room1", login=True, publish=False),
    Privileges("room1", login=False, publish=True),
    Privileges("房间", stream_ids=("s1", "流")),
]


@pytest.mark.parametrize(
    "kind, privileges",
    [(kind, privileges) for kind in WITH_SECRET for privileges in PRIVILEGES if kind is not TokenKind.TOKEN03 or not privileges.stream_ids],
)
def test_privileges_survive_the_way_into_a_token_and_back(kind: TokenKind, privileges: Privileges) -> None:
    token = issue_token(kind, keys=app_keys(), user_id="amy", now=NOW, ttl=60, privileges=privileges)
    assert verify_token(token, keys=app_keys(), user_id="amy", now=NOW).privileges == privileges


@pytest.mark.parametrize("kind", WITH_SECRET)
def test_a_room_alone_grants_login_and_publishing_there(kind: TokenKind) -> None:
    claims = verify_token(issued(kind, room_id="room1"), keys=app_keys(), user_id="amy", now=NOW)
    assert claims.privileges == Privileges("room1", login=True, publish=True)


def test_a_room_fills_in_privileges_that_name_none() -> None:
    token = issue_token(
        TokenKind.TOKEN04, keys=app_keys(), user_id="amy", now=NOW, ttl=60, privileges=Privileges(publish=False), room_id="room1"
    )
    assert verify_token(token, keys=app_keys(), user_id="amy", now=NOW).privileges == Privileges("room1", publish=False)


@pytest.mark.parametrize("kind", [TokenKind.TOKEN04, TokenKind.TOKEN04_GCM, TokenKind.JWT, TokenKind.LEGACY])
def test_a_token_without_privileges_passes_only_where_none_are_checked(kind: TokenKind) -> None:
    claims = verify_token(issued(kind), keys=app_keys(), user_id="amy", now=NOW)
    assert claims.privileges is None
    claims.check_login("any", TokenCheck.IDENTITY)
    claims.check_publish("any", TokenCheck.IDENTITY)
    claims.check_publish("any", TokenCheck.LOGIN)
    for mode in (TokenCheck.LOGIN, TokenCheck.LOGIN_PUBLISH):
        with pytest.raises(TokenNotPermitted):
            claims.check_login("any", mode)
    with pytest.raises(TokenNotPermitted):
        claims.check_publish("any", TokenCheck.LOGIN_PUBLISH)


def test_an_empty_room_is_any_room_and_an_empty_stream_list_any_stream() -> None:
    payload = json.dumps({"room_id": "", "privilege": {"1": 1, "2": 1}, "stream_id_list": []})
    claims = verify_token(sealed(FIELDS | {"payload": payload}), keys=app_keys(), user_id="amy", now=NOW)
    claims.check_login("whichever", TokenCheck.LOGIN_PUBLISH)
    claims.check_publish("whichever", TokenCheck.LOGIN_PUBLISH)


def test_login_can_be_denied() -> None:
    token = issue_token(TokenKind.TOKEN04, keys=app_keys(), user_id="amy", now=NOW, ttl=60, privileges=Privileges(login=False))
    claims = verify_token(token, keys=app_keys(), user_id="amy", now=NOW)
    claims.check_login("r", TokenCheck.IDENTITY)
    with pytest.raises(TokenNotPermitted):
        claims.check_login("r", TokenCheck.LOGIN)


@pytest.mark.parametrize(
    "payload",
    [
        "not JSON",
        "[]",
        '{"demoPayload":""}',
        '{"room_id":"r"}',
        '{"room_id":"r","privilege":[1,1]}',
        '{"room_id":7,"privilege":{"1":1,"2":1}}',
        '{"room_id":"r","privilege":{"1":1,"2":1},"stream_id_list":"s1"}',
        '{"room_id":"r","privilege":{"1":1,"2":1},"stream_id_list":["s1",2]}',
        '{"room_id":"r","privilege":{"1":"1","2":true}}',
        '{"room_id":"r","privilege":{"1":2,"2":2}}',
        '{"room_id":"r","privilege":{}}',
        "[" * 3000,
    ],
)
def test_a_payload_that_is_not_privileges_identifies_but_grants_nothing(payload: str) -> None:
    claims = verify_token(sealed(FIELDS | {"payload": payload}), keys=app_keys(), user_id="amy", now=NOW)
    claims.check_login("r", TokenCheck.IDENTITY)
    claims.check_publish("s1", TokenCheck.IDENTITY)
    with pytest.raises(TokenNotPermitted):
        claims.check_login("r", TokenCheck.LOGIN_PUBLISH)
    with pytest.raises(TokenNotPermitted):
        claims.check_publish("s1", TokenCheck.LOGIN_PUBLISH)


@pytest.mark.parametrize(
    "kind, level",
    [(TokenKind.LEGACY, 1), (TokenKind.TOKEN03, 3), (TokenKind.TOKEN04, 4), (TokenKind.TOKEN04_GCM, 4), (TokenKind.JWT, 4)],
)
def test_the_auth_level_is_the_tokens_version(kind: TokenKind, level: int) -> None:
    assert verify_token(issued(kind), keys=app_keys(), user_id="amy", now=NOW).auth_level == level


# --- the encrypted kinds ------------------------------------------------------------------------------------------------------------------


def test_the_payload_may_be_missing_or_null_and_keys_come_in_any_order() -> None:
    shuffled = dict(reversed(FIELDS.items()))
    del shuffled["payload"]
    for fields in (shuffled, FIELDS | {"payload": None}, FIELDS | {"more": [1]}):
        assert verify_token(sealed(fields), keys=app_keys(), user_id="amy", now=NOW).privileges is None


@pytest.mark.parametrize("nonce", [-(2**63), 2**63 - 1])
def test_any_int64_is_a_nonce(nonce: int) -> None:
    assert verify_token(sealed(FIELDS | {"nonce": nonce}), keys=app_keys(), user_id="amy", now=NOW).nonce == nonce


@pytest.mark.parametrize("gcm", [False, True])
@pytest.mark.parametrize(
    "wrong",
    [
        {"app_id": "1234567890"},
        {"app_id": 2**32},
        {"app_id": -1},
        {"user_id": 7},
        {"nonce": "n"},
        {"nonce": 2**63},
        {"ctime": None},
        {"expire": "never"},
        {"payload": {"room_id": ""}},
    ],
)
def test_fields_of_a_wrong_type_are_malformed(wrong: dict[str, object], gcm: bool) -> None:
    with pytest.raises(TokenMalformed):
        verify_token(sealed(FIELDS | wrong, gcm=gcm), keys=app_keys(), user_id="amy", now=NOW)


@pytest.mark.parametrize("missing", ["app_id", "user_id", "nonce", "ctime", "expire"])
def test_missing_fields_are_malformed(missing: str) -> None:
    with pytest.raises(TokenMalformed):
        verify_token(sealed({key: value for key, value in FIELDS.items() if key != missing}), keys=app_keys(), user_id="amy", now=NOW)


@pytest.mark.parametrize("gcm", [False, True])
def test_the_expiry_that_counts_is_the_encrypted_one(gcm: bool) -> None:
    forged = sealed(FIELDS, expire=NOW + 10**9, gcm=gcm)
    with pytest.raises(TokenBadSignature):
        verify_token(forged, keys=app_keys(), user_id="amy", now=NOW + 61)


def envelope_of(name: str) -> bytes:
    return bytes(parse_envelope(TOKENS[name]["token"]))


@pytest.mark.parametrize("name", ["t04-cbc-basic", "t04-gcm-basic", "t03-cbc"])
def test_an_envelope_parses_and_serialises_alike(name: str) -> None:
    vector = TOKENS[name]
    envelope = parse_envelope(vector["token"])
    assert envelope.text(vector["version"]) == vector["token"]
    assert (envelope.iv.hex(), envelope.expire, envelope.gcm) == (vector["iv_hex"], vector["expire_header"], vector["mode"] == "GCM")


BREAKAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda data: b"",
    "cut in the header": lambda data: data[:9],
    "cut in the iv": lambda data: data[:15],
    "cut in the ciphertext": lambda data: data[:-20],
    "two bytes more": lambda data: data + b"\0\0",
    "a huge iv": lambda data: data[:8] + b"\xff\xff" + data[10:],
    "no iv": lambda data: data[:8] + b"\0\0" + data[26:],
    "a huge ciphertext": lambda data: data[:26] + b"\xff\xff" + data[28:],
    "no ciphertext": lambda data: data[:26] + b"\0\0",
    "half a block": lambda data: data[:26] + b"\0\x08" + data[28:36],
    "GCM mode on a CBC envelope": lambda data: data + b"\x01",
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_broken_envelope_is_malformed_whatever_the_secret(breakage: str) -> None:
    token = "04" + base64.b64encode(BREAKAGES[breakage](envelope_of("t04-cbc-basic"))).decode()
    for secret in (SECRET, OTHER_SECRET):
        with pytest.raises(TokenMalformed):
            verify_token(token, keys=AppKeys(APP_ID, (secret,)), user_id="user1", now=NOW)


def test_a_gcm_ciphertext_shorter_than_its_tag_is_malformed() -> None:
    token = Envelope(NOW, b"0" * 12, b"1" * 15, gcm=True).text("04")
    with pytest.raises(TokenMalformed):
        verify_token(token, keys=app_keys(), user_id="user1", now=NOW)


def test_a_mode_byte_other_than_one_means_cbc_as_in_the_vendors_verifier() -> None:
    for mode in (b"\0", b"\2", b"\xff"):
        token = "04" + base64.b64encode(envelope_of("t04-cbc-basic") + mode).decode()
        assert verify_token(token, keys=app_keys(), user_id="user1", now=NOW).kind is TokenKind.TOKEN04


FIELDS_03 = {
    "app_id": APP_ID,
    "room_id": "r",
    "user_id": "amy",
    "privilege": {"1": 1, "2": 1},
    "create_time": NOW,
    "expire_time": NOW + 60,
    "nonce": 1,
}


def test_token03_knows_no_gcm() -> None:
    assert verify_token(sealed(FIELDS_03, version="03"), keys=app_keys(), user_id="amy", now=NOW).kind is TokenKind.TOKEN03
    with pytest.raises(TokenMalformed):
        verify_token(sealed(FIELDS_03, version="03", gcm=True), keys=app_keys(), user_id="amy", now=NOW)


def test_the_expiry_that_counts_in_a_token03_is_the_encrypted_one() -> None:
    with pytest.raises(TokenBadSignature):
        verify_token(sealed(FIELDS_03, version="03", expire=NOW + 10**9), keys=app_keys(), user_id="amy", now=NOW)


def test_one_version_inside_the_others_prefix_is_malformed() -> None:
    for name, prefix in (("t04-cbc-basic", "03"), ("t03-cbc", "04")):
        vector = TOKENS[name]
        with pytest.raises(TokenMalformed):
            verify_token(prefix + vector["token"][2:], keys=keys_of(vector), user_id="user1", now=NOW)


@pytest.mark.parametrize("text", ["04!!!!", "04AAAA AAA", "04AAA", "04", "03", "04AAAA====", "04-_-_"])
def test_what_is_not_base64_is_malformed(text: str) -> None:
    with pytest.raises(TokenMalformed):
        verify_token(text, keys=app_keys(), user_id="amy", now=NOW)


def tampered(data: bytes, position: int, mask: int) -> str:
    return "04" + base64.b64encode(data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]).decode()


def test_no_single_changed_byte_of_a_gcm_token_passes() -> None:
    data = envelope_of("t04-gcm-basic")
    for position in range(len(data)):
        with pytest.raises(TokenError):
            verify_token(tampered(data, position, 1), keys=app_keys(), user_id="user1", now=NOW)


def test_a_padding_oracle_has_nothing_to_ask() -> None:
    """Whatever the last block decrypts to, a CBC token that is not genuine is refused in the very same words."""
    data = envelope_of("t04-cbc-basic")
    answers = set()
    for mask in range(1, 256):
        for position in (len(data) - 17, len(data) - 18, len(data) - 1):  # last padding byte, the one before, and the last block itself
            with pytest.raises(TokenBadSignature) as refusal:
                verify_token(tampered(data, position, mask), keys=app_keys(), user_id="user1", now=NOW)
            answers.add((type(refusal.value), str(refusal.value), refusal.value.__cause__))
    assert len(answers) == 1


def test_text_without_padding_is_not_taken_for_a_token() -> None:
    """A whole number of blocks of JSON, without the padding block that must follow."""
    fields = json.dumps(FIELDS).encode()
    whole = fields[:-1] + b" " * (-len(fields) % 16) + b"}"
    genuine = seal(NOW + 60, whole, secret=SECRET, iv=b"0" * 16, gcm=False)
    unpadded = Envelope(genuine.expire, genuine.iv, genuine.ciphertext[:-16], gcm=False)
    assert verify_token(genuine.text("04"), keys=app_keys(), user_id="amy", now=NOW).user_id == "amy"
    with pytest.raises(TokenBadSignature):
        verify_token(unpadded.text("04"), keys=app_keys(), user_id="amy", now=NOW)


# --- the legacy token ---------------------------------------------------------------------------------------------------------------------


def legacy(**changes: object) -> str:
    fields = json.loads(base64.b64decode(TOKENS["v01-login-token"]["token"])) | changes
    return base64.b64encode(json.dumps(fields).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        legacy(ver=2),
        legacy(hash=None),
        legacy(nonce="too short"),
        legacy(nonce="0123456789ABCDEF0"),
        legacy(nonce=123),
        legacy(expired="1700003600"),
        legacy(expired=17000036000),
        legacy(expired=700003600),
        base64.b64encode(b"[1]").decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"[" * 5000).decode(),
        "tokA",
        "hello",
    ],
)
def test_what_is_not_a_legacy_token_is_malformed(token: str) -> None:
    with pytest.raises(TokenMalformed):
        verify_token(token, keys=app_keys(), user_id="user1", now=NOW)


def test_a_legacy_token_is_bound_to_app_user_nonce_and_expiry() -> None:
    genuine = TOKENS["v01-login-token"]["token"]
    assert verify_token(genuine, keys=app_keys(), user_id="user1", now=NOW).user_id == "user1"
    for token, keys, user_id in (
        (genuine, app_keys(), "user2"),
        (genuine, app_keys(5), "user1"),
        (genuine, AppKeys(APP_ID, (SECRET,), app_sign=OTHER_SECRET * 2), "user1"),
        (legacy(expired=1700003601), app_keys(), "user1"),
        (legacy(nonce="0123456789ABCDE0"), app_keys(), "user1"),
    ):
        with pytest.raises(TokenBadSignature):
            verify_token(token, keys=keys, user_id=user_id, now=NOW)


def test_the_parts_of_a_legacy_hash_cannot_be_shifted_to_another_user() -> None:
    """``user1`` + nonce and ``user`` + ``1`` + nonce hash alike; the nonce's fixed length keeps them apart."""
    with pytest.raises(TokenMalformed):
        verify_token(legacy(nonce="10123456789ABCDEF"), keys=app_keys(), user_id="user", now=NOW)


def test_legacy_tokens_need_an_app_sign() -> None:
    without = AppKeys(APP_ID, (SECRET,))
    with pytest.raises(TokenNotPermitted):
        verify_token(TOKENS["v01-login-token"]["token"], keys=without, user_id="user1", now=NOW)
    with pytest.raises(ValueError, match="app_sign"):
        issued(TokenKind.LEGACY, keys=without)


def test_an_app_sign_may_be_written_as_the_console_shows_it_for_c() -> None:
    as_bytes = ",".join(f"0x{APP_SIGN[i : i + 2]}" for i in range(0, len(APP_SIGN), 2))
    keys = AppKeys(APP_ID, (SECRET,), app_sign=as_bytes)
    assert verify_token(TOKENS["v01-login-token"]["token"], keys=keys, user_id="user1", now=NOW).kind is TokenKind.LEGACY


# --- arguments and keys -------------------------------------------------------------------------------------------------------------------


def test_what_a_kind_cannot_carry_is_not_issued() -> None:
    for kind, privileges in ((TokenKind.LEGACY, Privileges()), (TokenKind.TOKEN03, Privileges("r", stream_ids=("s",)))):
        with pytest.raises(ValueError):
            issue_token(kind, keys=app_keys(), user_id="amy", now=NOW, ttl=60, privileges=privileges)
    with pytest.raises(ValueError):
        issued(TokenKind.LEGACY, room_id="room1")
    with pytest.raises(ValueError, match="different rooms"):
        issue_token(TokenKind.JWT, keys=app_keys(), user_id="amy", now=NOW, ttl=60, privileges=Privileges("r1"), room_id="r2")


@pytest.mark.parametrize("user_id", ["", "x" * 65])
def test_a_user_id_has_1_to_64_characters(user_id: str) -> None:
    with pytest.raises(ValueError, match="user_id"):
        issued(TokenKind.TOKEN04, user_id=user_id)


@pytest.mark.parametrize(
    "make",
    [
        lambda: AppKeys(-1, ()),
        lambda: AppKeys(2**32, ()),
        lambda: AppKeys(1, (SECRET, "short")),
        lambda: AppKeys(1, (SECRET,), app_sign="0123"),
    ],
)
def test_keys_of_a_wrong_form_are_refused_when_they_are_configured(make: Callable[[], AppKeys]) -> None:
    with pytest.raises(ValueError) as refusal:
        make()
    assert "0123" not in str(refusal.value)


def test_secrets_are_not_in_the_repr() -> None:
    text = repr(app_keys())
    assert SECRET not in text and APP_SIGN not in text


def test_length_is_bounded() -> None:
    streams = tuple(f"stream-{number}" for number in range(800))
    token = issue_token(TokenKind.TOKEN04, keys=app_keys(), user_id="amy", now=NOW, ttl=60, privileges=Privileges("r", stream_ids=streams))
    assert len(token) > MAX_TOKEN_LENGTH
    with pytest.raises(TokenMalformed):
        verify_token(token, keys=app_keys(), user_id="amy", now=NOW)


@pytest.mark.parametrize("text", ["", "é", "04\ud800", "\0", " "])
def test_text_that_cannot_be_a_token_is_malformed(text: str) -> None:
    with pytest.raises(TokenMalformed):
        verify_token(text, keys=app_keys(), user_id="amy", now=NOW)


def test_a_far_expiry_is_just_far() -> None:
    far = 2**63 - 1
    assert verify_token(sealed(FIELDS | {"expire": far}, expire=far), keys=app_keys(), user_id="amy", now=NOW).expires_at == far
