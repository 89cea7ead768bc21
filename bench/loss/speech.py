"""The speech that is sent, made by espeak-ng when it is needed, and its objective score after it was received."""

from __future__ import annotations

import array
import shutil
import statistics
import subprocess
import wave
from pathlib import Path

import av

from bench.loss.alignment import occurrences

RATE = 16_000
"""Samples a second of what is compared: that of wideband PESQ."""

_TEXT = "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It is easy to tell the depth of a well."
"""Harvard sentences, list 1 (IEEE 297-1969), which speech tests have in common."""
_PAUSE = RATE // 2
_PEAK = 16_000


def write_speech(path: Path) -> array.array[int]:
    """Writes a WAV file, to be heard in a loop, and returns its samples."""
    if shutil.which("espeak-ng") is None:
        raise SystemExit("the speech is made by espeak-ng: install it (Debian: apt-get install espeak-ng)")
    spoken = path.with_suffix(".espeak.wav")
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "-w", str(spoken), _TEXT], check=True)
    samples = _resampled(spoken)
    loudest = max(map(abs, samples))
    samples = array.array("h", [sample * _PEAK // loudest for sample in samples]) + array.array("h", bytes(2 * _PAUSE))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return samples


def _resampled(path: Path) -> array.array[int]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    samples = array.array("h")
    with av.open(str(path)) as container:
        for decoded in [*container.decode(audio=0), None]:
            for frame in resampler.resample(decoded):
                samples.frombytes(bytes(frame.planes[0])[: 2 * frame.samples])
    return samples


def require_pesq() -> None:
    """Ends the program with what to do if PESQ is not there."""
    try:
        import numpy  # noqa: F401
        import pesq  # noqa: F401
    except ImportError:
        raise SystemExit("the score is that of PESQ: .venv/bin/python -m pip install numpy pesq (needs a C compiler)") from None


def score(reference: array.array[int], heard: array.array[int]) -> float:
    """MOS-LQO of wideband PESQ (ITU-T P.862.2), about 1.0 to 4.64: mean over all whole loops of the reference in what was heard."""
    import numpy
    import pesq

    sent = numpy.array(reference, dtype=numpy.int16)
    found = [numpy.array(heard[at : at + len(reference)], dtype=numpy.int16) for at in occurrences(reference, heard)]
    if not found:
        raise ValueError("what was heard is shorter than one loop of the speech")
    return statistics.fmean(float(pesq.pesq(RATE, sent, loop, "wb")) for loop in found)
