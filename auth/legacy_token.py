"""The login token of web and mini-program from before Token03, sometimes called version 01 (zego-cloud.md §1.5).

``token = Base64({"ver": 1, "hash": H, "nonce": N, "expired": E})`` with no version prefix, where

* ``N`` is a string of 16 bytes,
* ``E`` is the expiry in Unix seconds,
* ``H`` = lower-case hex MD5 of AppID, first 32 characters of the AppSign, userID, N and E, written one after another.

It names neither App nor user: they are only in the hash, so another App's or another user's token is a bad signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

from auth.claims import AppKeys, Claims, TokenKind
from auth.comparison import same_text
from auth.errors import TokenBadSignature, TokenMalformed, TokenNotPermitted

NONCE_LENGTH = 16
"""Bytes. Exactly this many are accepted: the hash has no separators, so with a nonce of any length the token of user ``amy1`` with
nonce N would be a token of user ``amy`` with nonce 1N."""


# For the same reason the expiry has exactly 10 digits (the years 2001 to 2286).
Expiry = Annotated[int, msgspec.Meta(ge=1_000_000_000, le=9_999_999_999)]


class _Fields(msgspec.Struct):
    ver: Literal[1]
    hash: str
    nonce: str
    expired: Expiry


def read_legacy_token(token: str, keys: AppKeys, user_id: str) -> Claims:
    """Verify for ``user_id``; the expiry is for the caller to compare.

    Raises ``TokenMalformed``, ``TokenBadSignature``, or ``TokenNotPermitted`` when the App has no AppSign to verify it with.
    """
    try:
        fields = msgspec.json.decode(base64.b64decode(token, validate=True), type=_Fields)
    except (binascii.Error, ValueError, RecursionError):  # the errors of msgspec are ValueErrors
        raise TokenMalformed("not a token of any known kind") from None
    if len(fields.nonce.encode("utf-8", "surrogatepass")) != NONCE_LENGTH:
        raise TokenMalformed(f"legacy token: the nonce is not {NONCE_LENGTH} bytes long")
    if not keys.app_sign:
        raise TokenNotPermitted("legacy token: the App has no app_sign")
    if not same_text(_hash(keys, user_id, fields.nonce, fields.expired), fields.hash):
        raise TokenBadSignature("legacy token: the hash is not that of this App and user")
    return Claims(kind=TokenKind.LEGACY, app_id=keys.app_id, user_id=user_id, issued_at=0, expires_at=fields.expired, nonce=fields.nonce)


def write_legacy_token(keys: AppKeys, user_id: str, *, now: int, ttl: int, random_bytes: Callable[[int], bytes]) -> str:
    """Make a legacy token. Takes 8 bytes from ``random_bytes``, of which the nonce is the hex form."""
    if not keys.app_sign:
        raise ValueError(f"a legacy token needs the app_sign of App {keys.app_id}, and none is configured")
    nonce, expired = random_bytes(NONCE_LENGTH // 2).hex(), now + ttl
    fields = _Fields(ver=1, hash=_hash(keys, user_id, nonce, expired), nonce=nonce, expired=expired)
    return base64.b64encode(msgspec.json.encode(fields)).decode()


def _hash(keys: AppKeys, user_id: str, nonce: str, expired: int) -> str:
    source = f"{keys.app_id}{keys.app_sign_part}{user_id}{nonce}{expired}"
    return hashlib.md5(source.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
