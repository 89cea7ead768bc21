"""The RTMP handshake, server side: the plain one (RTMP 1.0 §5.2) and the one with digests that Flash introduced.

In the latter C1 and S1 carry an HMAC-SHA256 digest at a place that the bytes before it name: either in the second half of the 1528
bytes (scheme 0, the key block comes first) or in the first (scheme 1). It authenticates nobody, the keys are known to all; but
clients such as librtmp and ffmpeg check the answer. A digest that cannot be found means a client of the plain kind.
"""

from __future__ import annotations

import hashlib
import hmac
import random

VERSION = 3
PACKET = 1536
"""Bytes of C1, S1, C2 and S2."""

_CRUD = bytes.fromhex("f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae")
_SERVER_KEY = b"Genuine Adobe Flash Media Server 001"
_CLIENT_KEY = b"Genuine Adobe Flash Player 001"
SERVER_VERSION = bytes((4, 5, 0, 1))
"""In S1 of a handshake with digest. Clients check digests of servers from version 3 on."""
_DIGEST = 32
_SCHEMES = (772, 8)
"""Where the four bytes stand whose sum names the digest's place, by scheme."""


class HandshakeRefused(ValueError):
    """The client's first bytes are no RTMP that is spoken here (RTMPE, HTTP, TLS …)."""


class ServerHandshake:
    """Feed it with ``receive``; what it returns goes to the client. ``rest`` is what came behind the handshake, once ``done``."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._buffer = bytearray()
        self._answered = False
        self.done = False
        self.rest = b""

    def receive(self, data: bytes) -> bytes:
        """Raises ``HandshakeRefused``."""
        self._buffer += data
        if self._buffer and self._buffer[0] != VERSION and not self._answered:
            raise HandshakeRefused(f"version {self._buffer[0]}")
        answer = b""
        if not self._answered and len(self._buffer) > PACKET:
            answer = bytes((VERSION,)) + self._answer(bytes(self._buffer[1 : 1 + PACKET]))
            self._answered = True
            del self._buffer[: 1 + PACKET]
        if self._answered and len(self._buffer) >= PACKET:
            # C2 repeats S1, in theory. Nothing follows from it, and several clients fill it with something else.
            self.rest = bytes(self._buffer[PACKET:])
            self._buffer.clear()
            self.done = True
        return answer

    def _answer(self, c1: bytes) -> bytes:
        """S1 and S2."""
        scheme = digest_scheme(c1, _CLIENT_KEY)
        if scheme is None:
            return bytes(8) + self._rng.randbytes(PACKET - 8) + c1
        s1 = put_digest(bytes(4) + SERVER_VERSION + self._rng.randbytes(PACKET - 8), scheme, _SERVER_KEY)
        at = _place(c1, scheme)
        key = hmac.digest(_SERVER_KEY + _CRUD, c1[at : at + _DIGEST], hashlib.sha256)
        filling = self._rng.randbytes(PACKET - _DIGEST)
        return s1 + filling + hmac.digest(key, filling, hashlib.sha256)


def digest_scheme(packet: bytes, key: bytes = _SERVER_KEY) -> int | None:
    """0 or 1: where the right digest stands in C1 or S1; None if nowhere."""
    for scheme in (0, 1):
        at = _place(packet, scheme)
        if hmac.compare_digest(packet[at : at + _DIGEST], _digest(packet, at, key)):
            return scheme
    return None


def put_digest(packet: bytes, scheme: int, key: bytes = _CLIENT_KEY) -> bytes:
    """The packet with its digest."""
    at = _place(packet, scheme)
    return packet[:at] + _digest(packet, at, key) + packet[at + _DIGEST :]


def _place(packet: bytes, scheme: int) -> int:
    base = _SCHEMES[scheme]
    return sum(packet[base : base + 4]) % 728 + base + 4


def _digest(packet: bytes, at: int, key: bytes) -> bytes:
    return hmac.digest(key, packet[:at] + packet[at + _DIGEST :], hashlib.sha256)
