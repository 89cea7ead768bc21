"""Redundant audio data (RFC 2198): finds the sound itself in such a payload, and renames the payload types in it.

A block header is ``F(1) block PT(7) timestamp offset(14) block length(10)``, the last one only ``0 block PT(7)``. The blocks follow
in the same order; the last one, without a length of its own, is the primary: what the packet would hold without redundancy.
"""

from __future__ import annotations

MAX_BLOCKS = 8
"""Headers of one payload; libwebrtc sends one redundant block, and up to nine were ever proposed."""


class RedMalformed(ValueError):
    """The payload is not RED of the one codec that was negotiated."""


def primary(payload: bytes, payload_type: int) -> bytes:
    """The primary block. Every block must be of ``payload_type``. Raises ``RedMalformed``."""
    position = length = 0
    for _ in range(MAX_BLOCKS):
        if position >= len(payload):
            break
        header = payload[position]
        if header & 0x7F != payload_type:
            raise RedMalformed("a block of another payload type")
        if not header & 0x80:
            start = position + 1 + length
            if start >= len(payload):
                raise RedMalformed("no primary block")
            return payload[start:]
        if position + 4 > len(payload):
            break
        length += (payload[position + 2] & 0x03) << 8 | payload[position + 3]
        position += 4
    raise RedMalformed("the block headers do not end")


def renamed(payload: bytes, payload_type: int) -> bytes:
    """The same payload, which ``primary`` has accepted, with another payload type in every block header."""
    changed = bytearray(payload)
    position = 0
    while changed[position] & 0x80:
        changed[position] = 0x80 | payload_type
        position += 4
    changed[position] = payload_type
    return bytes(changed)
