"""Signatures of the HTTP interfaces: the cloud API and the callbacks.

All are lower-case hex. Freshness (how far a timestamp may be off) and replay are for the endpoint to check; this is arithmetic only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from auth.comparison import same_text


def sign_server_api(app_id: int, nonce: str, server_secret: str, timestamp: int | str) -> str:
    """The ``Signature`` of a cloud API request: MD5 over AppId, SignatureNonce, ServerSecret, Timestamp in a row (zego-cloud.md §2.1).

    ``timestamp`` is Unix seconds, as decimal text or number. Neither the action nor its parameters are signed: that is the cloud's way.
    """
    return hashlib.md5(f"{app_id}{nonce}{server_secret}{timestamp}".encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def verify_server_api(signature: str, *, app_id: int, nonce: str, server_secrets: Sequence[str], timestamp: int | str) -> bool:
    """Whether ``signature`` was made with one of the secrets. Takes as long whichever it is, and when it is none."""
    return _matches_any(signature, [sign_server_api(app_id, nonce, secret, timestamp) for secret in server_secrets])


def sign_callback(callback_secret: str, timestamp: int | str, nonce: str) -> str:
    """The ``signature`` of a callback: SHA-1 over CallbackSecret, timestamp and nonce, sorted bytewise, in a row (zego-cloud.md §3)."""
    parts = sorted(part.encode() for part in (callback_secret, str(timestamp), nonce))
    return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()


def _matches_any(signature: str, expected: Sequence[str]) -> bool:
    # A list, not a generator: every comparison is made.
    return any([same_text(signature, candidate) for candidate in expected])
