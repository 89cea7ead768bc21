"""Tones recognised by their share of the energy: what tests publish is known by its frequency where it is heard."""

from __future__ import annotations

import array
import math
from collections.abc import Sequence

TONES = range(200, 1_400, 50)
"""Hz. What tests publish is one of these."""


def share(samples: Sequence[float], hertz: float, rate: int) -> float:
    """Share of the energy at one frequency, 0 … 1 (Goertzel)."""
    energy = sum(sample * sample for sample in samples)
    turn = 2 * math.cos(2 * math.pi * hertz / rate)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    power = last * last + before * before - turn * last * before
    return 2 * power / (len(samples) * energy) if energy else 0.0


def loudest_tone(pcm: bytes, rate: int) -> int | None:
    """The tone that carries most of the energy of mono 16-bit samples; None if none does, or there is silence."""
    samples = array.array("h", pcm[: len(pcm) // 2 * 2])
    if not samples or math.sqrt(sum(sample * sample for sample in samples) / len(samples)) < 500:
        return None
    hertz = max(TONES, key=lambda tone: share(samples, tone, rate))
    return hertz if share(samples, hertz, rate) > 0.5 else None
