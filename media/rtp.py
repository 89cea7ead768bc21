"""RTP headers (RFC 3550 §5.1, RFC 8285), read in place from a packet buffer."""

from __future__ import annotations

import struct
from collections.abc import Iterator

HEADER = struct.Struct("!BBHII")
"""Flags, marker and payload type, sequence number, timestamp, SSRC."""
HEADER_LENGTH = 12
VERSION_2 = 0x80
EXTENSION = 0x10
MARKER = 0x80

SEQUENCE_MODULUS = 1 << 16
TIMESTAMP_MODULUS = 1 << 32

_EXTENSION_HEADER = struct.Struct("!HH")
_ONE_BYTE_PROFILE = 0xBEDE
_TWO_BYTE_PROFILE = 0x1000


class RtpMalformed(ValueError):
    """The lengths inside the packet do not fit the packet."""


def is_rtcp(second_byte: int) -> bool:
    """Tells RTCP from RTP on a multiplexed port (RFC 5761 §4)."""
    return 192 <= second_byte <= 223


def locate_payload(packet: memoryview, length: int) -> tuple[int, int, int]:
    """Finds the parts of a packet of ``length`` bytes at the start of the buffer.

    Returns the offset of the header extension (0 = none), and start and end of the payload without padding.
    Raises ``RtpMalformed``.
    """
    if length < HEADER_LENGTH:
        raise RtpMalformed("shorter than an RTP header")
    flags = packet[0]
    start = HEADER_LENGTH + 4 * (flags & 0x0F)
    extension = 0
    if flags & EXTENSION:
        if length < start + 4:
            raise RtpMalformed("truncated header extension")
        extension = start
        start += 4 + 4 * ((packet[start + 2] << 8) | packet[start + 3])
    end = length
    if flags & 0x20:
        # An empty padding (0) would be a length that cannot be (RFC 3550 §5.1).
        if not packet[length - 1]:
            raise RtpMalformed("wrong padding")
        end -= packet[length - 1]
    if start > end:
        raise RtpMalformed("truncated packet")
    return extension, start, end


def extension_elements(packet: memoryview, extension: int, payload_start: int) -> Iterator[tuple[int, int, int]]:
    """The elements of the header extension at ``extension``: identifier, offset of the value and its size (RFC 8285 §4.2, §4.3).

    Ends at the first element that does not fit, as the RFC wants of a receiver.
    """
    profile, _ = _EXTENSION_HEADER.unpack_from(packet, extension)
    position = extension + 4
    if profile == _ONE_BYTE_PROFILE:
        while position < payload_start:
            byte = packet[position]
            position += 1
            if byte == 0:
                continue
            size = (byte & 0x0F) + 1
            if byte >> 4 == 15 or position + size > payload_start:
                return
            yield byte >> 4, position, size
            position += size
    elif profile & 0xFFF0 == _TWO_BYTE_PROFILE:
        while position + 1 < payload_start:
            identifier, size = packet[position], packet[position + 1]
            if identifier == 0:
                position += 1
                continue
            position += 2
            if position + size > payload_start:
                return
            yield identifier, position, size
            position += size


def audio_level_extension(identifier: int, level: int) -> bytes:
    """A whole header extension with the level byte of RFC 6464 (voice bit included) alone; ``identifier`` is 1 … 14."""
    return _EXTENSION_HEADER.pack(_ONE_BYTE_PROFILE, 1) + bytes((identifier << 4, level, 0, 0))


def packet(payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, *, marker: bool = False) -> bytes:
    """A packet without extensions (for the light clients of tests and benchmarks)."""
    return HEADER.pack(VERSION_2, (MARKER if marker else 0) | payload_type, sequence, timestamp, ssrc) + payload
