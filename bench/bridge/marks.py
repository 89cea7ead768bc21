"""Marks in the sound: a short burst each second, as AAC and as Opus, and where it is found again in what was decoded."""

from __future__ import annotations

import array
import math
import random
from collections.abc import Sequence
from fractions import Fraction

from av import AudioFrame, Packet
from av.audio.codeccontext import AudioCodecContext
from av.codec import CodecContext

from media.bridge.libopus import RATE, OpusDecoder
from media.bridge.opus_packet import FRAME_20_MS, duration

LOOP_SECONDS = 32
"""Both 1600 Opus packets and 1500 AAC frames: a loop of the one is as long as one of the other."""
_BURST = 240
"""Samples of a mark, 5 ms of 2 kHz."""
_THRESHOLD = 0.2
_APART = RATE // 4
"""Samples within which what is loud belongs to one mark."""

Onset = tuple[int, float]
"""Number of the frame in which a mark begins, and ms from the frame's beginning."""


def sound(seed: int) -> array.array[float]:
    """``LOOP_SECONDS`` of silence with a mark in each second, at a moment that differs each time."""
    rng = random.Random(seed)
    samples = array.array("f", bytes(4 * LOOP_SECONDS * RATE))
    for second in range(LOOP_SECONDS):
        begin = second * RATE + rng.randrange(RATE // 10, RATE // 5)
        for index in range(_BURST):
            samples[begin + index] = 0.8 * math.sin(2 * math.pi * 2_000 * index / RATE)
    return samples


def as_aac(samples: array.array[float]) -> tuple[bytes, list[bytes]]:
    """AudioSpecificConfig and a loop of frames."""
    encoder = _encoder("aac", "fltp", {})
    frames = _encode(encoder, samples, 1_024)
    return bytes(encoder.extradata or b""), frames


def as_opus(samples: array.array[float]) -> list[bytes]:
    """A loop of packets of 20 ms."""
    return _encode(_encoder("libopus", "flt", {"application": "voip"}), samples, FRAME_20_MS)


def heard_in_opus(packets: Sequence[bytes]) -> list[Onset]:
    decoder = OpusDecoder(1)
    return _onsets([_first_channel(decoder.decode(packet, duration(packet))) for packet in packets])


def heard_in_aac(config: bytes, frames: Sequence[bytes]) -> list[Onset]:
    decoder = CodecContext.create("aac", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.extradata = config
    heard = []
    for frame in frames:
        pieces = [_first_channel(piece) for piece in decoder.decode(Packet(frame))]
        heard.append(sum(pieces, array.array("f")))
    return _onsets(heard)


def _onsets(frames: list[array.array[float]]) -> list[Onset]:
    found, position, last = [], 0, -_APART
    for number, frame in enumerate(frames):
        for offset, sample in enumerate(frame):
            if abs(sample) > _THRESHOLD:
                if position + offset - last > _APART:
                    found.append((number, 1_000 * offset / RATE))
                last = position + offset
        position += len(frame)
    return found


def _first_channel(frame: AudioFrame) -> array.array[float]:
    return array.array("f", bytes(frame.planes[0])[: 4 * frame.samples])


def _encoder(codec: str, format: str, options: dict[str, str]) -> AudioCodecContext:
    encoder = CodecContext.create(codec, "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout, encoder.bit_rate = RATE, format, "mono", 48_000
    encoder.time_base = Fraction(1, RATE)
    encoder.options = options
    encoder.open()
    return encoder


def _encode(encoder: AudioCodecContext, samples: array.array[float], size: int) -> list[bytes]:
    """As many packets as there are frames of ``size`` samples: what the encoder keeps back is got out with a second round."""
    count = len(samples) // size
    packets: list[bytes] = []
    for number in range(count + 4):
        begin = number % count * size
        frame = AudioFrame(format=encoder.format.name, layout="mono", samples=size)
        frame.planes[0].update(samples[begin : begin + size].tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, number * size, Fraction(1, RATE)
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets[:count]
