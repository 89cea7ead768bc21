"""Who may relay: credentials that name one media session, end by themselves and are known without keeping them.

The form is that of the "TURN REST API" (draft-uberti-behave-turn-rest-00), which coturn speaks too: the user name is
``expiry:session``, the password the base64 of its HMAC-SHA1 with a secret that clients never see.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

REALM = "hearth"


@dataclass(frozen=True, slots=True)
class RelayAccess:
    """What a client needs to relay: the fields of an ``RTCIceServer``."""

    urls: tuple[str, ...]
    """``turn:host:port?transport=udp`` and the like, at least one."""
    username: str
    password: str = field(repr=False)


def issue(urls: tuple[str, ...], secret: bytes, session_id: int, expires_at: int) -> RelayAccess:
    """Access for one media session until ``expires_at`` (epoch ms)."""
    username = f"{expires_at // 1000}:{session_id}"
    return RelayAccess(urls, username, password_of(secret, username))


def password_of(secret: bytes, username: str) -> str:
    return base64.b64encode(hmac.new(secret, username.encode("utf-8", "replace"), hashlib.sha1).digest()).decode()


def long_term_key(username: str, password: str) -> bytes:
    """RFC 8489 §9.2.2."""
    return hashlib.md5(f"{username}:{REALM}:{password}".encode("utf-8", "replace"), usedforsecurity=False).digest()


def read_username(username: str) -> tuple[int, int] | None:
    """When access ends (epoch ms) and whose it is (media session id); None if we never made such a name."""
    expiry, _, session = username.partition(":")
    if not (_is_number(expiry, 12) and _is_number(session, 10)):
        return None
    return int(expiry) * 1000, int(session)


def _is_number(text: str, longest: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= longest


class Nonces:
    """Nonces that carry their own end and are bound to the client's address, so that a challenge costs no memory."""

    def __init__(self, secret: bytes, lifetime_ms: int) -> None:
        self._secret = secret
        self._lifetime = lifetime_ms

    def issue(self, client: str, now: int) -> bytes:
        """For a client address, as text."""
        end = f"{now + self._lifetime:x}"
        return f"{end}.{self._proof(end, client)}".encode()

    def valid(self, nonce: bytes, client: str, now: int) -> bool:
        """Ours, for this address and not over. Compared in constant time."""
        end, _, proof = nonce.decode("latin-1").partition(".")
        if not hmac.compare_digest(proof.encode("latin-1"), self._proof(end, client).encode()):
            return False
        return int(end, 16) > now

    def _proof(self, end: str, client: str) -> str:
        return hmac.new(self._secret, f"{end}|{client}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:24]
