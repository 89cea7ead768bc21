"""JWT (RFC 7519), for teams whose identity service already issues them. A compact JWS (RFC 7515 §3.1)::

    Base64Url(header) "." Base64Url(claims) "." Base64Url(signature)

Claims:

* ``app_id``   number, required
* ``user_id``  string; ``sub`` is taken when it is absent; one of them is required
* ``exp``      NumericDate, required; the token is over **at** this second (RFC 7519 §4.1.4)
* ``nbf``      NumericDate, optional, with ``NOT_BEFORE_LEEWAY_SECONDS`` for clocks that differ
* ``iat``      NumericDate, optional; ``jti`` string, optional
* ``aud``      string or list of strings; looked at when the App has an audience configured
* ``room_id``, ``privilege``, ``stream_id_list``  optional, with the meaning they have in a Token04 payload (``auth.payload``)

HS256 is verified with the ServerSecrets only, every other algorithm with public keys only (see ``JwtKeys``).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable

import jwt
import msgspec

from auth.claims import AppKeys, Claims, JwtKeys, Privileges, TokenKind
from auth.comparison import same_text
from auth.errors import TokenBadSignature, TokenMalformed, TokenNotPermitted, TokenWrongApp
from auth.payload import privilege_fields, privileges_from
from auth.public_keys import Key
from auth.token04 import UInt32

NOT_BEFORE_LEEWAY_SECONDS = 60

_DEFAULT_KEYS = JwtKeys()


class _Header(msgspec.Struct):
    alg: str
    kid: str | None = None
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Fields(msgspec.Struct):
    app_id: UInt32
    exp: int | float
    user_id: str | None = None
    sub: str | None = None
    iat: int | float = 0
    nbf: int | float | None = None
    jti: str = ""
    aud: str | list[str] | None = None


def read_jwt(token: str, keys: AppKeys, now: int) -> Claims:
    """Verify the signature and the claims that are JWT's own (``aud``, ``nbf``); identity and expiry are for the caller to compare.

    Raises ``TokenMalformed``, ``TokenBadSignature`` (also for an algorithm the App does not accept), ``TokenWrongApp`` for another
    audience, ``TokenNotPermitted`` before ``nbf``.
    """
    accepted = keys.jwt or _DEFAULT_KEYS
    header = _parse_header(token)
    if header.alg not in accepted.algorithms:
        raise TokenBadSignature("jwt: the App does not accept this algorithm")
    claims = _claims_object(_verified_payload(token, header, _candidates(header, keys, accepted)))
    try:
        fields = msgspec.convert(claims, _Fields)
    except msgspec.ValidationError as error:
        raise TokenMalformed(f"jwt: {error}") from None
    user_id = fields.user_id if fields.user_id is not None else fields.sub
    if user_id is None:
        raise TokenMalformed("jwt: neither user_id nor sub")
    if accepted.audience is not None and not _names_audience(fields.aud, accepted.audience):
        raise TokenWrongApp("jwt: made for another audience")
    if fields.nbf is not None and _seconds(fields.nbf) > now + NOT_BEFORE_LEEWAY_SECONDS:
        raise TokenNotPermitted("jwt: not valid yet (nbf)")
    return Claims(
        kind=TokenKind.JWT,
        app_id=fields.app_id,
        user_id=user_id,
        issued_at=_seconds(fields.iat),
        expires_at=_seconds(fields.exp),
        nonce=fields.jti,
        privileges=privileges_from(claims),
    )


def write_jwt(
    keys: AppKeys, user_id: str, *, now: int, ttl: int, privileges: Privileges | None, random_bytes: Callable[[int], bytes]
) -> str:
    """Make a JWT signed by HS256 with the first ServerSecret. Takes 8 bytes from ``random_bytes`` for ``jti``."""
    accepted = keys.jwt or _DEFAULT_KEYS
    if "HS256" not in accepted.algorithms:
        raise ValueError(f"App {keys.app_id} accepts no HS256, and Hearth holds no private key to make {accepted.algorithms[0]} with")
    claims: dict[str, object] = {"app_id": keys.app_id, "user_id": user_id, "iat": now, "exp": now + ttl, "jti": random_bytes(8).hex()}
    if accepted.audience is not None:
        claims["aud"] = accepted.audience
    if privileges is not None:
        claims |= privilege_fields(privileges)
    return jwt.api_jws.encode(msgspec.json.encode(claims), keys.server_secrets[0].encode(), algorithm="HS256")


def _parse_header(token: str) -> _Header:
    encoded = token.partition(".")[0]
    try:
        text = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        header = msgspec.json.decode(text, type=_Header)
    except (binascii.Error, ValueError, RecursionError):
        raise TokenMalformed("jwt: the header is not readable") from None
    if header.crit is not msgspec.UNSET:  # RFC 7515 §4.1.11: an extension that is not understood must be refused, and none is
        raise TokenMalformed("jwt: critical header extensions are not supported")
    return header


def _candidates(header: _Header, keys: AppKeys, accepted: JwtKeys) -> Iterable[bytes | Key]:
    if header.alg == "HS256":
        return [secret.encode() for secret in keys.server_secrets]
    fitting = [key for key in accepted.verification_keys if key.fits(header.alg)]
    named = [key for key in fitting if key.key_id is not None and key.key_id == header.kid]
    return [key.key for key in named or fitting if header.kid is None or key.key_id in (None, header.kid)]


def _verified_payload(token: str, header: _Header, candidates: Iterable[bytes | Key]) -> bytes:
    for key in candidates:
        try:
            payload = jwt.api_jws.decode(token, key, algorithms=[header.alg])
        except jwt.InvalidSignatureError:
            continue
        except Exception as error:  # what PyJWT raises for damaged tokens differs from release to release
            raise TokenMalformed("jwt: not a compact JWS") from error
        return bytes(payload)
    raise TokenBadSignature("jwt: no key of the App verifies the signature")


def _claims_object(payload: bytes) -> dict[str, object]:
    try:
        claims = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise TokenMalformed("jwt: the claims are not JSON") from None
    if not isinstance(claims, dict):
        raise TokenMalformed("jwt: the claims are not a JSON object")
    return claims


def _seconds(date: float) -> int:
    """A NumericDate (RFC 7519 §2) as whole seconds, within int64 like the dates of the other kinds."""
    if not abs(date) < 2**63:  # in this form it catches NaN too
        raise TokenMalformed("jwt: a date is out of range")
    return int(date)


def _names_audience(aud: str | list[str] | None, audience: str) -> bool:
    named = [aud] if isinstance(aud, str) else aud or []
    return any([same_text(name, audience) for name in named])
