"""What TURN adds to STUN on the wire (RFC 8656 §17–§19)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from media.stun import (
    HEADER_LENGTH,
    MESSAGE_INTEGRITY,
    USERNAME,
    StunMalformed,
    StunMessage,
)

# Requests; a success response has 0x0100 added, an error response 0x0110 (RFC 8489 §5).
ALLOCATE = 0x0003
REFRESH = 0x0004
CREATE_PERMISSION = 0x0008
CHANNEL_BIND = 0x0009
SUCCESS = 0x0100
ERROR = 0x0110

SEND_INDICATION = 0x0016
DATA_INDICATION = 0x0017

# Attributes (RFC 8656 §18, RFC 8489 §18.3).
CHANNEL_NUMBER = 0x000C
LIFETIME = 0x000D
XOR_PEER_ADDRESS = 0x0012
DATA = 0x0013
REALM = 0x0014
NONCE = 0x0015
XOR_RELAYED_ADDRESS = 0x0016
REQUESTED_ADDRESS_FAMILY = 0x0017
REQUESTED_TRANSPORT = 0x0019
DONT_FRAGMENT = 0x001A

UNDERSTOOD = frozenset(
    {
        USERNAME,
        MESSAGE_INTEGRITY,
        CHANNEL_NUMBER,
        LIFETIME,
        XOR_PEER_ADDRESS,
        DATA,
        REALM,
        NONCE,
        REQUESTED_ADDRESS_FAMILY,
        REQUESTED_TRANSPORT,
        # Nothing is sent over a network from here, so nothing is ever fragmented.
        DONT_FRAGMENT,
    }
)
"""Comprehension-required attributes that are served. EVEN-PORT and RESERVATION-TOKEN are not among them: 420."""

UDP = 17
"""Protocol number in REQUESTED-TRANSPORT."""
FAMILIES = {1: 4, 2: 6}
"""REQUESTED-ADDRESS-FAMILY → IP version."""

FORBIDDEN = (403, "Forbidden")
ALLOCATION_MISMATCH = (437, "Allocation Mismatch")
STALE_NONCE = (438, "Stale Nonce")
FAMILY_NOT_SUPPORTED = (440, "Address Family not Supported")
WRONG_CREDENTIALS = (441, "Wrong Credentials")
TRANSPORT_NOT_SUPPORTED = (442, "Unsupported Transport Protocol")
FAMILY_MISMATCH = (443, "Peer Address Family Mismatch")
QUOTA_REACHED = (486, "Allocation Quota Reached")
INSUFFICIENT_CAPACITY = (508, "Insufficient Capacity")

CHANNELS = range(0x4000, 0x5000)
"""RFC 8656 §12."""

_ATTRIBUTE = struct.Struct("!HH")
_CHANNEL_DATA = struct.Struct("!HH")


def values(message: StunMessage, attribute: int) -> Iterator[bytes]:
    """Every value of an attribute that may be there several times, as far as the integrity covers."""
    position = HEADER_LENGTH
    end = len(message.raw) if message.integrity_at is None else message.integrity_at
    while position < end:
        kind, size = _ATTRIBUTE.unpack_from(message.raw, position)
        if kind == attribute:
            yield message.raw[position + 4 : position + 4 + size]
        position += 4 + size + (-size % 4)


def number(message: StunMessage, attribute: int, size: int) -> int | None:
    """An attribute that is a number in its first ``size`` bytes of four; None if it is absent. Raises ``StunMalformed``."""
    value = message.attributes.get(attribute)
    if value is None:
        return None
    if len(value) != 4:
        raise StunMalformed("an attribute has not four bytes")
    return int.from_bytes(value[:size], "big")


def is_channel_data(datagram: bytes) -> bool:
    """The first two bits tell it from STUN (RFC 8656 §12.5)."""
    return len(datagram) >= 4 and datagram[0] & 0xC0 == 0x40


def channel_data(channel: int, payload: bytes | memoryview) -> bytes:
    """Over UDP there is no padding."""
    return _CHANNEL_DATA.pack(channel, len(payload)) + payload


def read_channel_data(datagram: bytes) -> tuple[int, bytes]:
    """Channel number and payload. Raises ``StunMalformed`` if there is less than it says."""
    channel, length = _CHANNEL_DATA.unpack_from(datagram)
    if length > len(datagram) - 4:
        raise StunMalformed("less data than announced")
    return channel, datagram[4 : 4 + length]
