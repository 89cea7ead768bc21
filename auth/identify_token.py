"""The IdentifyToken of the server API (zego-cloud.md §2.4, GenerateIdentifyToken): lets a third party in to listen.

The cloud does not say what is inside; a client passes it on as it is. Ours::

    "hi1." Base64Url({"app_id": …, "exp": Unix seconds, "nonce": hex}) "." Base64Url(HMAC-SHA256(ServerSecret, all before this dot))

It names no user and no room: the holder chooses a userID, may enter any room and play, and never publish.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

import msgspec

from auth.claims import AppKeys, Claims, Privileges, TokenKind
from auth.comparison import same_text
from auth.errors import TokenBadSignature, TokenMalformed

PREFIX = "hi1."


class _Fields(msgspec.Struct, frozen=True):
    app_id: int
    exp: int
    nonce: str


def write_identify_token(keys: AppKeys, *, now: int, ttl: int, random_bytes: Callable[[int], bytes]) -> str:
    """Good from ``now`` for ``ttl`` seconds; signed with the first ServerSecret. Takes 8 bytes from ``random_bytes``."""
    fields = _Fields(keys.app_id, now + ttl, random_bytes(8).hex())
    body = PREFIX + _encode(msgspec.json.encode(fields))
    return f"{body}.{_seal(keys.server_secrets[0], body)}"


def read_identify_token(token: str, keys: AppKeys, user_id: str) -> Claims:
    """The claims of whoever presents it as ``user_id``; expiry is for the caller. Raises ``TokenMalformed``, ``TokenBadSignature``."""
    body, _, seal = token.rpartition(".")
    # A list, not a generator: every comparison is made.
    if not any([same_text(seal, _seal(secret, body)) for secret in keys.server_secrets]):
        raise TokenBadSignature("identify token: not made with a ServerSecret of this App")
    try:
        text = body.removeprefix(PREFIX)
        fields = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Fields)
    except (ValueError, msgspec.DecodeError):
        raise TokenMalformed("identify token: not readable") from None
    return Claims(
        kind=TokenKind.JWT,
        app_id=fields.app_id,
        user_id=user_id,
        issued_at=0,
        expires_at=fields.exp,
        nonce=fields.nonce,
        privileges=Privileges(publish=False),
        listen_only=True,
    )


def _seal(secret: str, body: str) -> str:
    return _encode(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
