"""What an Opus packet says of itself in its first bytes (RFC 6716 §3.1)."""

from __future__ import annotations

FRAME_20_MS = 960
"""Samples at 48 kHz."""
MAX_DURATION = 5_760
"""Samples of the longest packet, 120 ms (RFC 6716 §3.2.5, R5)."""

_SILK = (480, 960, 1_920, 2_880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)


class OpusMalformed(ValueError):
    """No Opus packet looks like this."""


def duration(packet: bytes) -> int:
    """Samples at 48 kHz. Raises ``OpusMalformed``."""
    if not packet:
        raise OpusMalformed("empty packet")
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        frame = _SILK[configuration & 3]
    elif configuration < 16:
        frame = _HYBRID[configuration & 1]
    else:
        frame = _CELT[configuration & 3]
    if code < 3:
        return frame * (1 if code == 0 else 2)
    if len(packet) < 2:
        raise OpusMalformed("frame count is missing")
    samples = frame * (packet[1] & 0x3F)
    if not 0 < samples <= MAX_DURATION:
        raise OpusMalformed(f"{packet[1] & 0x3F} frames of {frame} samples")
    return samples


def channels(packet: bytes) -> int:
    """1 or 2. A decoder for either takes both."""
    return 2 if packet and packet[0] & 4 else 1
