"""Protobuf numbers written by hand, where a push is put together from parts (``downward``)."""

from __future__ import annotations


def varint(number: int) -> bytes:
    """As short as it goes; ``number`` is not negative."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def varint5(number: int) -> bytes:
    """A uint32 in five bytes, whatever its size, so that lengths around it are known before it is."""
    return bytes(
        (
            number & 0x7F | 0x80,
            number >> 7 & 0x7F | 0x80,
            number >> 14 & 0x7F | 0x80,
            number >> 21 & 0x7F | 0x80,
            number >> 28 & 0x0F,
        )
    )
