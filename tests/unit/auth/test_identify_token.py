"""IdentifyToken and the credential of RTMP addresses."""

from __future__ import annotations

from typing import Literal

import pytest

from auth.claims import AppKeys
from auth.errors import TokenBadSignature, TokenError, TokenExpired, TokenMalformed, TokenWrongApp
from auth.identify_token import write_identify_token
from auth.rtmp_credential import RtmpGrant, sign_rtmp, verify_rtmp
from auth.tokens import verify_token

NEW, OLD = "0123456789abcdef" * 2, "fedcba9876543210" * 2
KEYS, BEFORE = AppKeys(7, (NEW, OLD)), AppKeys(7, (OLD,))
NOW = 1_800_000_000


def identify_token(keys: AppKeys = KEYS, ttl: int = 60) -> str:
    return write_identify_token(keys, now=NOW, ttl=ttl, random_bytes=bytes)


def test_identify_token_is_good_for_any_user_until_it_expires() -> None:
    for keys in (KEYS, BEFORE):
        claims = verify_token(identify_token(keys), keys=KEYS, user_id="anybody", now=NOW)
        assert (claims.user_id, claims.listen_only, claims.expires_at) == ("anybody", True, NOW + 60)
    with pytest.raises(TokenExpired):
        verify_token(identify_token(), keys=KEYS, user_id="anybody", now=NOW + 61)


def test_changed_identify_token_is_refused() -> None:
    token = identify_token()
    for at in range(4, len(token)):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(TokenBadSignature):
            verify_token(changed, keys=KEYS, user_id="a", now=NOW)
    for cut in range(4, len(token)):
        with pytest.raises(TokenError):
            verify_token(token[:cut], keys=KEYS, user_id="a", now=NOW)


def test_identify_token_of_another_app_is_refused() -> None:
    with pytest.raises(TokenWrongApp):
        verify_token(identify_token(AppKeys(8, (NEW,))), keys=KEYS, user_id="a", now=NOW)
    with pytest.raises(TokenBadSignature):
        verify_token(identify_token(AppKeys(7, ("x" * 32,))), keys=KEYS, user_id="a", now=NOW)


def test_rtmp_credential_is_for_one_stream_one_right_one_room_and_a_time() -> None:
    grant = RtmpGrant("push", NOW + 60, "room 1", "obs", "O. B. & S.")
    for keys in (KEYS, BEFORE):
        query = sign_rtmp(keys, "s", grant)
        assert verify_rtmp(query, KEYS, "s", "push", NOW) == grant
        assert verify_rtmp(f"zgseq=1&{query}", KEYS, "s", "push", NOW) == grant
    wrong: tuple[tuple[AppKeys, str, Literal["push", "pull"]], ...] = (
        (KEYS, "s2", "push"),
        (KEYS, "s", "pull"),
        (AppKeys(8, (NEW,)), "s", "push"),
    )
    for keys, stream, right in wrong:
        with pytest.raises(TokenBadSignature):
            verify_rtmp(sign_rtmp(KEYS, "s", grant), keys, stream, right, NOW)
    for changed in ("room+1", "obs", str(NOW + 60)):
        with pytest.raises(TokenBadSignature):
            verify_rtmp(sign_rtmp(KEYS, "s", grant).replace(changed, "1" + changed), KEYS, "s", "push", NOW)
    with pytest.raises(TokenExpired):
        verify_rtmp(sign_rtmp(KEYS, "s", RtmpGrant("pull", NOW)), KEYS, "s", "pull", NOW)
    with pytest.raises(TokenMalformed):
        verify_rtmp("", KEYS, "s", "push", NOW)
