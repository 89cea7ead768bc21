"""Where in a recording a signal that was played in a loop begins, by cross-correlation: first of envelopes, then of samples."""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul

_STEP = 80
"""Samples of one value of an envelope: 5 ms at 16 kHz."""
_WANDER = 100
"""Steps by which one loop may be nearer to the next than it was when sent: what a jitter buffer stretches and leaves out."""
_DETAIL = 8_000
"""Samples that are compared one by one."""


def occurrences(signal: Sequence[int], recording: Sequence[int]) -> list[int]:
    """Where each whole loop begins, in samples."""
    wanted, heard = _envelope(signal), _envelope(recording)
    room = len(heard) - len(wanted)
    found: list[int] = []
    if room < 0:
        return found
    at = _best(wanted, heard, 0, min(len(wanted) - 1, room))
    while True:
        found.append(_refined(signal, recording, at * _STEP))
        following = at + len(wanted)
        if following > room:
            return found
        at = _best(wanted, heard, max(0, following - _WANDER), min(room, following + _WANDER))


def _envelope(samples: Sequence[int]) -> list[float]:
    """Without its mean, so that loud does not mean alike."""
    values = [sum(map(abs, samples[at : at + _STEP])) for at in range(0, len(samples) - _STEP + 1, _STEP)]
    mean = sum(values) / max(1, len(values))
    return [value - mean for value in values]


def _best(wanted: Sequence[float], heard: Sequence[float], first: int, last: int) -> int:
    return max(range(first, last + 1), key=lambda lag: sum(map(mul, wanted, heard[lag : lag + len(wanted)])))


def _refined(signal: Sequence[int], recording: Sequence[int], near: int) -> int:
    """To the sample, by the middle of the signal."""
    begin = max(0, (len(signal) - _DETAIL) // 2)
    part = signal[begin : begin + _DETAIL]
    lags = range(max(0, near - _STEP), min(len(recording) - len(signal), near + _STEP) + 1)
    return max(lags, key=lambda lag: sum(map(mul, part, recording[lag + begin : lag + begin + len(part)])))
