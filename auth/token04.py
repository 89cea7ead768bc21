"""Token04: the present format, in its two ciphers. The envelope is in ``auth.envelope``; inside is compact UTF-8 JSON
(zego-cloud.md §1.1), keys in any order::

    app_id   uint32
    user_id  string
    nonce    int64 (generators give int32, possibly negative)
    ctime    int64, issue time in seconds
    expire   int64, ctime + validity in seconds; the envelope has a copy
    payload  string, optional: "" or a JSON text, see auth.payload
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from auth.claims import AppKeys, Claims, Privileges, TokenKind
from auth.envelope import CBC_IV_LENGTH, GCM_IV_LENGTH, open_envelope, parse_envelope, seal
from auth.errors import TokenBadSignature, TokenMalformed
from auth.payload import dump_payload, parse_payload

VERSION = "04"

UInt32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Fields(msgspec.Struct):
    app_id: UInt32
    user_id: str
    nonce: Int64
    ctime: Int64
    expire: Int64
    payload: str | None = ""


def read_token04(token: str, keys: AppKeys) -> Claims:
    """Decrypt and read. Identity and expiry are for the caller to compare. Raises ``TokenMalformed`` or ``TokenBadSignature``."""
    envelope = parse_envelope(token)
    plaintext = open_envelope(envelope, keys.server_secrets)
    try:
        fields = msgspec.convert(plaintext, _Fields)
    except msgspec.ValidationError as error:
        raise TokenMalformed(f"token04: {error}") from None
    if envelope.expire != fields.expire:
        raise TokenBadSignature("token04: the envelope's expiry is not the encrypted one")
    return Claims(
        kind=TokenKind.TOKEN04_GCM if envelope.gcm else TokenKind.TOKEN04,
        app_id=fields.app_id,
        user_id=fields.user_id,
        issued_at=fields.ctime,
        expires_at=fields.expire,
        nonce=fields.nonce,
        privileges=parse_payload(fields.payload or ""),
    )


def write_token04(
    keys: AppKeys,
    user_id: str,
    *,
    now: int,
    ttl: int,
    privileges: Privileges | None,
    gcm: bool,
    random_bytes: Callable[[int], bytes],
) -> str:
    """Make a Token04 with the first ServerSecret. Takes the IV, then 4 bytes of nonce from ``random_bytes``."""
    iv = random_bytes(GCM_IV_LENGTH if gcm else CBC_IV_LENGTH)
    fields = _Fields(
        app_id=keys.app_id,
        user_id=user_id,
        nonce=int.from_bytes(random_bytes(4), signed=True),
        ctime=now,
        expire=now + ttl,
        payload=dump_payload(privileges),
    )
    return seal(fields.expire, msgspec.json.encode(fields), secret=keys.server_secrets[0], iv=iv, gcm=gcm).text(VERSION)
