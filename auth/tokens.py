"""Tokens of every kind, verified and issued."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from auth import identify_token, token03, token04
from auth.claims import AppKeys, Claims, Privileges, TokenKind
from auth.comparison import same_text
from auth.errors import TokenExpired, TokenMalformed, TokenWrongApp, TokenWrongUser
from auth.json_web_token import read_jwt, write_jwt
from auth.legacy_token import read_legacy_token, write_legacy_token

MAX_TOKEN_LENGTH = 8192
"""Characters. A Token04 with a privilege payload has some 300; the rest is room for stream lists and RSA-signed JWTs."""

MAX_USER_ID_LENGTH = 64
"""Characters; the official generators refuse longer ones (zego-cloud.md §1.1)."""


def verify_token(token: str, *, keys: AppKeys, user_id: str, now: int) -> Claims:
    """Verify that ``token``, of whatever kind, is genuine, for this App and ``user_id``, and not over at ``now`` (epoch seconds).

    Every one of ``keys.server_secrets`` is tried. Privileges are not enforced here: see ``Claims.check_login`` and ``check_publish``.
    Raises ``TokenMalformed``, ``TokenBadSignature``, ``TokenWrongApp``, ``TokenWrongUser``, ``TokenExpired`` or ``TokenNotPermitted``
    (a kind that this App does not take, or a JWT before its ``nbf``), and nothing else whatever the token contains.
    """
    if len(token) > MAX_TOKEN_LENGTH:
        raise TokenMalformed(f"longer than {MAX_TOKEN_LENGTH} characters")
    if not token or not token.isascii():
        raise TokenMalformed("empty" if not token else "not ASCII")
    claims = _read(token, keys, user_id, now)
    if claims.app_id != keys.app_id:
        raise TokenWrongApp("made for another App")
    if not same_text(claims.user_id, user_id):
        raise TokenWrongUser("made for another user")
    if _is_over(claims, now):
        raise TokenExpired("expired")
    return claims


def issue_token(
    kind: TokenKind,
    *,
    keys: AppKeys,
    user_id: str,
    now: int,
    ttl: int,
    privileges: Privileges | None = None,
    room_id: str | None = None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Make a token that is valid from ``now`` for ``ttl`` seconds (both seconds; a negative ``ttl`` makes an expired one).

    ``privileges`` None makes an identity token. ``room_id`` binds it to a room: with no ``privileges`` it grants login and publishing
    there, and it fills in the room of ``privileges`` that name none. Without either, a Token03, which always carries privileges, grants
    everything in any room. Signs with the first ServerSecret (legacy: the AppSign). ``random_bytes(n)`` gives IVs and nonces.

    Raises ValueError for what the kind or the App's keys cannot do, and for a userID that is empty or longer than 64 characters.
    """
    if not 0 < len(user_id) <= MAX_USER_ID_LENGTH:
        raise ValueError(f"user_id must have 1 to {MAX_USER_ID_LENGTH} characters")
    if room_id and privileges is not None and privileges.room_id not in (None, "", room_id):
        raise ValueError("room_id and privileges.room_id name different rooms")
    if room_id:
        privileges = replace(privileges or Privileges(), room_id=room_id)
    if kind is not TokenKind.LEGACY and not keys.server_secrets:
        raise ValueError(f"App {keys.app_id} has no ServerSecret")
    match kind:
        case TokenKind.TOKEN04 | TokenKind.TOKEN04_GCM:
            gcm = kind is TokenKind.TOKEN04_GCM
            return token04.write_token04(keys, user_id, now=now, ttl=ttl, privileges=privileges, gcm=gcm, random_bytes=random_bytes)
        case TokenKind.TOKEN03:
            granted = privileges or Privileges()
            return token03.write_token03(keys, user_id, now=now, ttl=ttl, privileges=granted, random_bytes=random_bytes)
        case TokenKind.LEGACY:
            if privileges is not None:
                raise ValueError("a legacy token carries no room and no privileges; use token04 or jwt")
            return write_legacy_token(keys, user_id, now=now, ttl=ttl, random_bytes=random_bytes)
        case TokenKind.JWT:
            return write_jwt(keys, user_id, now=now, ttl=ttl, privileges=privileges, random_bytes=random_bytes)


def _read(token: str, keys: AppKeys, user_id: str, now: int) -> Claims:
    # Unambiguous: a JWT and a legacy token begin with the Base64 of "{" or white space, which is neither "03", "04" nor "hi",
    # and the alphabet of a legacy token has no dot.
    if token.startswith(token04.VERSION):
        return token04.read_token04(token, keys)
    if token.startswith(token03.VERSION):
        return token03.read_token03(token, keys)
    if token.startswith(identify_token.PREFIX):
        return identify_token.read_identify_token(token, keys, user_id)
    if "." in token:
        return read_jwt(token, keys, now)
    return read_legacy_token(token, keys, user_id)


def _is_over(claims: Claims, now: int) -> bool:
    # ZEGO's verifier lets a token live through its last second, RFC 7519 §4.1.4 does not.
    return now >= claims.expires_at if claims.kind is TokenKind.JWT else now > claims.expires_at
