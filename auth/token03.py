"""Token03: the first encrypted format. The envelope of ``auth.envelope``, always CBC; inside is compact UTF-8 JSON
(zego-cloud.md §1.4)::

    app_id       uint32
    room_id      string; the official generator demands one, here "" = any room
    user_id      string
    privilege    {"1": 0 or 1, "2": 0 or 1}: loginRoom, publishStream
    create_time  int64, seconds
    expire_time  int64, seconds; the envelope has a copy
    nonce        int64

There is no list of streams.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from auth.claims import AppKeys, Claims, Privileges, TokenKind
from auth.envelope import CBC_IV_LENGTH, open_envelope, parse_envelope, seal
from auth.errors import TokenBadSignature, TokenMalformed
from auth.payload import privilege_bits, privileges_from
from auth.token04 import Int64, UInt32

VERSION = "03"


class _Fields(msgspec.Struct):
    app_id: UInt32
    room_id: str
    user_id: str
    privilege: dict[str, int]
    create_time: Int64
    expire_time: Int64
    nonce: Int64


def read_token03(token: str, keys: AppKeys) -> Claims:
    """Decrypt and read. Identity and expiry are for the caller to compare. Raises ``TokenMalformed`` or ``TokenBadSignature``."""
    envelope = parse_envelope(token)
    if envelope.gcm:
        raise TokenMalformed("token03: there is no GCM in this version")
    plaintext = open_envelope(envelope, keys.server_secrets)
    try:
        fields = msgspec.convert(plaintext, _Fields)
    except msgspec.ValidationError as error:
        raise TokenMalformed(f"token03: {error}") from None
    if envelope.expire != fields.expire_time:
        raise TokenBadSignature("token03: the envelope's expiry is not the encrypted one")
    return Claims(
        kind=TokenKind.TOKEN03,
        app_id=fields.app_id,
        user_id=fields.user_id,
        issued_at=fields.create_time,
        expires_at=fields.expire_time,
        nonce=fields.nonce,
        privileges=privileges_from({"room_id": fields.room_id, "privilege": fields.privilege}),
    )


def write_token03(keys: AppKeys, user_id: str, *, now: int, ttl: int, privileges: Privileges, random_bytes: Callable[[int], bytes]) -> str:
    """Make a Token03 with the first ServerSecret. Takes the IV, then 8 bytes of nonce from ``random_bytes``."""
    if privileges.stream_ids:
        raise ValueError("a token03 cannot list streams; use token04 or jwt")
    iv = random_bytes(CBC_IV_LENGTH)
    fields = _Fields(
        app_id=keys.app_id,
        room_id=privileges.room_id or "",
        user_id=user_id,
        privilege=privilege_bits(privileges),
        create_time=now,
        expire_time=now + ttl,
        nonce=int.from_bytes(random_bytes(8), signed=True),
    )
    return seal(fields.expire_time, msgspec.json.encode(fields), secret=keys.server_secrets[0], iv=iv, gcm=False).text(VERSION)
