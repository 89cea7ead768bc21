"""STUN messages as far as an ICE-lite agent and a TURN server need them (RFC 8489, RFC 8445 §7): pure functions over bytes."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import ipaddress
import struct
from dataclasses import dataclass

BINDING_REQUEST = 0x0001
BINDING_INDICATION = 0x0011
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111

MAGIC_COOKIE = 0x2112A442
HEADER_LENGTH = 20

# Attribute types (RFC 8489 §18.3, RFC 8445 §16.1).
USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029
ICE_CONTROLLING = 0x802A

_UNDERSTOOD = frozenset(
    {USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS, PRIORITY, USE_CANDIDATE, 0x0001, 0x0014, 0x0015}
)
"""Comprehension-required attributes that we know (also MAPPED-ADDRESS, REALM and NONCE, which a check never needs)."""

_FINGERPRINT_XOR = 0x5354554E
_INTEGRITY_LENGTH = 24
_FINGERPRINT_LENGTH = 8

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")

BAD_REQUEST = (400, "Bad Request")
UNAUTHENTICATED = (401, "Unauthenticated")
UNKNOWN_ATTRIBUTE = (420, "Unknown Attribute")
ROLE_CONFLICT = (487, "Role Conflict")


class StunMalformed(ValueError):
    """The datagram is not a STUN message that an ICE agent would send."""


@dataclass(frozen=True, slots=True)
class StunMessage:
    """A parsed message. ``raw`` is kept because its integrity covers the exact bytes."""

    kind: int
    """Method and class, e.g. ``BINDING_REQUEST``."""
    transaction: bytes
    attributes: dict[int, bytes]
    """First value of each attribute that the integrity covers."""
    raw: bytes
    integrity_at: int | None
    """Offset of MESSAGE-INTEGRITY in ``raw``, None if absent."""

    def username(self) -> str | None:
        """USERNAME as text; None if it is absent or not UTF-8."""
        value = self.attributes.get(USERNAME)
        if value is None:
            return None
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None

    def unknown_required(self, understood: frozenset[int] = _UNDERSTOOD) -> list[int]:
        """Comprehension-required attributes that we do not know (RFC 8489 §6.3.1)."""
        return [kind for kind in self.attributes if kind < 0x8000 and kind not in understood]

    def integrity_valid(self, key: str | bytes) -> bool:
        """MESSAGE-INTEGRITY matches the short-term password (text) or the long-term key (bytes; RFC 8489 §14.5). False if it is absent."""
        if self.integrity_at is None:
            return False
        expected = _integrity(self.raw[: self.integrity_at], key)
        return hmac.compare_digest(expected, self.attributes[MESSAGE_INTEGRITY])


def parse(data: bytes, *, fingerprint_required: bool = True) -> StunMessage:
    """Parses one datagram.

    Raises ``StunMalformed`` for anything that is not a whole STUN message with a right FINGERPRINT, which ICE requires
    (RFC 8445 §7.1.1 with RFC 8489 §14.7) and TURN does not.
    """
    if len(data) < HEADER_LENGTH:
        raise StunMalformed("shorter than a STUN header")
    kind, length, cookie, transaction = _HEADER.unpack_from(data)
    if kind & 0xC000 or cookie != MAGIC_COOKIE:
        raise StunMalformed("not STUN")
    if length % 4 or length != len(data) - HEADER_LENGTH:
        raise StunMalformed("wrong length")

    attributes: dict[int, bytes] = {}
    integrity_at: int | None = None
    fingerprint_seen = False
    position = HEADER_LENGTH
    while position < len(data):
        if fingerprint_seen:
            raise StunMalformed("attribute after FINGERPRINT")
        attribute, size = _ATTRIBUTE.unpack_from(data, position)
        value = data[position + 4 : position + 4 + size]
        if len(value) != size:
            raise StunMalformed("truncated attribute")
        if attribute == FINGERPRINT:
            if size != 4 or int.from_bytes(value, "big") != _fingerprint(data[:position]):
                raise StunMalformed("wrong FINGERPRINT")
            fingerprint_seen = True
        elif integrity_at is None:
            # Whatever follows MESSAGE-INTEGRITY is not covered by it and must be ignored (RFC 8489 §14.5).
            if attribute == MESSAGE_INTEGRITY:
                if size != 20:
                    raise StunMalformed("wrong MESSAGE-INTEGRITY size")
                integrity_at = position
            attributes.setdefault(attribute, value)
        position += 4 + size + (-size % 4)
    if fingerprint_required and not fingerprint_seen:
        raise StunMalformed("no FINGERPRINT")
    return StunMessage(kind, transaction, attributes, data, integrity_at)


def binding_success(request: StunMessage, host: str, port: int, password: str) -> bytes:
    """The answer to a valid check: where it came from, signed with our password."""
    return serialise(BINDING_SUCCESS, request.transaction, [(XOR_MAPPED_ADDRESS, xor_address(host, port, request.transaction))], password)


def binding_error(request: StunMessage, error: tuple[int, str], password: str | None = None, unknown: list[int] | None = None) -> bytes:
    """A refusal. Unsigned where the password is unknown or wrong (RFC 8489 §9.1.4)."""
    attributes = [error_code(error)]
    if unknown:
        attributes.append(unknown_attributes(unknown))
    return serialise(BINDING_ERROR, request.transaction, attributes, password)


def binding_request(
    transaction: bytes,
    username: str,
    password: str,
    *,
    nominate: bool = True,
    priority: int = 0x6E0001FF,
    tie_breaker: int = 1,
    controlling: bool = True,
) -> bytes:
    """A connectivity check as a full ICE agent sends it (for the light clients of tests and benchmarks)."""
    attributes = [(USERNAME, username.encode()), (PRIORITY, struct.pack("!I", priority))]
    attributes.append((ICE_CONTROLLING if controlling else ICE_CONTROLLED, struct.pack("!Q", tie_breaker)))
    if nominate:
        attributes.append((USE_CANDIDATE, b""))
    return serialise(BINDING_REQUEST, transaction, attributes, password)


def xor_address(host: str, port: int, transaction: bytes) -> bytes:
    """XOR-MAPPED-ADDRESS (RFC 8489 §14.2). An IPv4 address mapped into IPv6 is told as the IPv4 address that it is."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    pad = struct.pack("!I", MAGIC_COOKIE) + transaction
    packed = bytes(a ^ b for a, b in zip(address.packed, pad, strict=False))
    return struct.pack("!BBH", 0, 1 if address.version == 4 else 2, port ^ (MAGIC_COOKIE >> 16)) + packed


def address_of_xor(value: bytes, transaction: bytes) -> tuple[str, int]:
    """The address in an XOR-…-ADDRESS attribute. Raises ``StunMalformed``."""
    if len(value) < 4 or (value[1], len(value)) not in ((1, 8), (2, 20)):
        raise StunMalformed("not an address")
    pad = struct.pack("!I", MAGIC_COOKIE) + transaction
    packed = bytes(a ^ b for a, b in zip(value[4:], pad, strict=False))
    return str(ipaddress.ip_address(packed)), int.from_bytes(value[2:4], "big") ^ (MAGIC_COOKIE >> 16)


def error_code(error: tuple[int, str]) -> tuple[int, bytes]:
    """ERROR-CODE (RFC 8489 §14.8)."""
    code, reason = error
    return ERROR_CODE, struct.pack("!HBB", 0, code // 100, code % 100) + reason.encode()


def unknown_attributes(unknown: list[int]) -> tuple[int, bytes]:
    """UNKNOWN-ATTRIBUTES (RFC 8489 §14.13); the first eight of them."""
    return UNKNOWN_ATTRIBUTES, b"".join(struct.pack("!H", kind) for kind in unknown[:8])


def serialise(kind: int, transaction: bytes, attributes: list[tuple[int, bytes]], key: str | bytes | None) -> bytes:
    """A message with its FINGERPRINT, and with MESSAGE-INTEGRITY if there is a ``key`` (as for ``integrity_valid``)."""
    body = b"".join(_ATTRIBUTE.pack(attribute, len(value)) + value + bytes(-len(value) % 4) for attribute, value in attributes)
    message = _HEADER.pack(kind, len(body), MAGIC_COOKIE, transaction) + body
    if key is not None:
        message += _ATTRIBUTE.pack(MESSAGE_INTEGRITY, 20) + _integrity(message, key)
    message += _ATTRIBUTE.pack(FINGERPRINT, 4) + struct.pack("!I", _fingerprint(message))
    return _with_length(message, len(message) - HEADER_LENGTH)


def _with_length(message: bytes, length: int) -> bytes:
    return message[:2] + struct.pack("!H", length) + message[4:]


def _integrity(before: bytes, key: str | bytes) -> bytes:
    """HMAC over everything before the attribute, with a length that ends behind it."""
    covered = _with_length(before, len(before) - HEADER_LENGTH + _INTEGRITY_LENGTH)
    return hmac.new(key if isinstance(key, bytes) else key.encode(), covered, hashlib.sha1).digest()


def _fingerprint(before: bytes) -> int:
    covered = _with_length(before, len(before) - HEADER_LENGTH + _FINGERPRINT_LENGTH)
    return binascii.crc32(covered) ^ _FINGERPRINT_XOR
