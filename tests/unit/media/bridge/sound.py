"""Tones to put into codecs, and a measure of what comes out. 48 kHz, floats from -1 to 1."""

from __future__ import annotations

import array
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from av import AudioFrame, Packet
from av.audio.codeccontext import AudioCodecContext
from av.codec import CodecContext

from media.bridge.libopus import OpusDecoder
from media.bridge.opus_packet import duration
from tests import tones

RATE = 48_000


def tone(hertz: float, samples: int, *, begin: int = 0, rate: int = RATE, loudness: float = 0.4) -> array.array[float]:
    turn = 2 * math.pi * hertz / rate
    return array.array("f", (loudness * math.sin(turn * (begin + index)) for index in range(samples)))


def share(samples: Sequence[float], hertz: float) -> float:
    """Share of the energy at one frequency, 0…1."""
    return tones.share(samples, hertz, RATE)


def loudness(samples: Sequence[float]) -> float:
    """Root mean square; 0.28 for a tone of ``tone``'s loudness."""
    return math.sqrt(sum(sample * sample for sample in samples) / max(1, len(samples)))


def roughest(samples: Sequence[float], hertz: float) -> float:
    """The largest step that a pure tone would not have taken: a click stands out."""
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    triples = zip(samples, samples[1:], samples[2:], strict=False)
    return max(abs(third - turn * second + first) for first, second, third in triples)


def _frames(sounds: Sequence[array.array[float]], size: int, rate: int) -> Iterable[AudioFrame]:
    """Frames of ``size`` samples of one or two channels."""
    layout = "stereo" if len(sounds) == 2 else "mono"
    for begin in range(0, len(sounds[0]) - size + 1, size):
        frame = AudioFrame(format="fltp", layout=layout, samples=size)
        for plane, sound in zip(frame.planes, sounds, strict=True):
            plane.update(sound[begin : begin + size].tobytes())
        frame.sample_rate = rate
        frame.pts = begin
        frame.time_base = Fraction(1, rate)
        yield frame


def aac(*sounds: array.array[float], rate: int = RATE) -> tuple[bytes, list[bytes]]:
    """AudioSpecificConfig and raw AAC-LC frames."""
    encoder = CodecContext.create("aac", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.bit_rate = rate, "fltp", 96_000
    encoder.layout = "stereo" if len(sounds) == 2 else "mono"
    encoder.time_base = Fraction(1, rate)
    encoder.open()
    frames = [bytes(packet) for frame in _frames(sounds, 1_024, rate) for packet in encoder.encode(frame)]
    return bytes(encoder.extradata or b""), frames


def he_aac(version: int) -> list[bytes]:
    """Raw frames of a tone of 440 Hz, 1.5 s, in HE-AAC of 48 kHz: ``data/README.md``."""
    data, frames = (Path(__file__).parent / "data" / f"he_aac_v{version}.adts").read_bytes(), []
    while data:
        # ISO/IEC 13818-7 §6.2: the header has no checksum, and is seven bytes long.
        size = int.from_bytes(data[3:6], "big") >> 5 & 0x1FFF
        frames.append(data[7:size])
        data = data[size:]
    return frames


def opus(sound: array.array[float], *, fec: bool = False) -> list[bytes]:
    """Packets of 20 ms."""
    encoder = CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout, encoder.bit_rate = RATE, "flt", "mono", 32_000
    encoder.time_base = Fraction(1, RATE)
    encoder.options = {"application": "voip", "fec": str(int(fec)), "packet_loss": "20" if fec else "0"}
    encoder.open()
    packets = []
    for frame in _frames([sound], 960, RATE):
        flat = AudioFrame(format="flt", layout="mono", samples=960)
        flat.planes[0].update(bytes(frame.planes[0])[: 960 * 4])
        flat.sample_rate, flat.pts, flat.time_base = RATE, frame.pts, frame.time_base
        packets += [bytes(packet) for packet in encoder.encode(flat)]
    return packets


def samples_of(frame: AudioFrame) -> array.array[float]:
    """The first channel of a planar frame, or all of an interleaved one."""
    channels = 1 if frame.format.is_planar else len(frame.layout.channels)
    return array.array("f", bytes(frame.planes[0])[: frame.samples * channels * 4])


def hear_opus(packets: Iterable[bytes]) -> array.array[float]:
    """What a listener in mono hears."""
    decoder, heard = OpusDecoder(1), array.array("f")
    for packet in packets:
        heard.extend(samples_of(decoder.decode(packet, duration(packet))))
    return heard


def aac_profile(config: bytes, frames: Iterable[bytes]) -> str | None:
    """What a decoder finds in the frames."""
    decoder = CodecContext.create("aac", "r")
    decoder.extradata = config
    for frame in frames:
        decoder.decode(Packet(frame))
    return decoder.profile


def hear_aac(config: bytes, frames: Iterable[bytes]) -> array.array[float]:
    """The first channel."""
    decoder = CodecContext.create("aac", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.extradata = config
    heard = array.array("f")
    for frame in frames:
        for sound in decoder.decode(Packet(frame)):
            heard.extend(samples_of(sound))
    return heard
