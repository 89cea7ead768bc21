"""AAC frames of an RTMP stream into Opus packets of 20 ms. For one codec thread at a time; no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from av import AudioFrame, AudioResampler, Packet
from av.audio.codeccontext import AudioCodecContext
from av.codec import CodecContext
from av.error import FFmpegError

from media.bridge.libopus import RATE, CodecError
from media.bridge.opus_packet import FRAME_20_MS
from media.bridge.pacer import OpusFrame

MAX_BROKEN = 50
"""Frames in a row that the decoder refuses: one more, and it is given up."""
JUMP_MS = 100
"""A timestamp further than this from where the frames before have led is a gap, or begins a new count."""
_FOLLOW = 1 / 64
"""Share of a smaller difference that each frame takes up: a sound card whose clock is not the publisher's own."""
_TICKS_PER_MS = RATE // 1000


@dataclass(frozen=True, slots=True)
class AacFrame:
    """One raw AAC frame, or the configuration for those that follow."""

    timestamp: int
    """ms, 0 … 2^32-1."""
    arrival: int
    """ms, steady."""
    data: bytes
    is_config: bool = False


class AacToOpus:
    """See the module.

    Opus timestamps count samples: they go on evenly while frames follow each other. A gap in the publisher's timestamps is one in ours
    if so much time has really passed; a jump without that, ahead or back, is none.
    """

    def __init__(self, bitrate: int) -> None:
        self._bitrate = bitrate
        self._config = b""
        self._decoder: AudioCodecContext | None = None
        self._resampler: AudioResampler | None = None
        self._source: tuple[int, str, str] | None = None
        """Rate, format and layout that ``_resampler`` takes."""
        self._encoder: AudioCodecContext | None = None
        self._channels = 0
        self._timestamp = 0
        """48 kHz, of the next Opus packet."""
        self._expected: float | None = None
        """ms: the publisher's timestamp of the next frame, by the sound in those before."""
        self._last_arrival = 0
        self._begins = True
        self._broken_in_a_row = 0
        self.broken = 0
        """Frames that the decoder refused."""

    def convert(self, frames: Iterable[AacFrame]) -> list[OpusFrame]:
        """The Opus packets that are full with these frames. Raises ``CodecError`` if nothing can be made of the stream."""
        packets: list[OpusFrame] = []
        try:
            for frame in frames:
                if frame.is_config:
                    self._configure(frame.data)
                elif self._decoder is not None:
                    self._align(frame)
                    for sound in self._decode(self._decoder, frame.data):
                        packets += self._encode(sound)
        except FFmpegError as error:
            raise CodecError(str(error)) from error
        return packets

    def _configure(self, config: bytes) -> None:
        if config == self._config:
            return
        self._config = config
        decoder = CodecContext.create("aac", "r")
        assert isinstance(decoder, AudioCodecContext)
        decoder.extradata = config
        try:
            decoder.open()
        except FFmpegError as error:
            raise CodecError(f"AAC configuration {config[:16].hex()}: {error}") from error
        self._decoder = decoder
        self._expected = None

    def _align(self, frame: AacFrame) -> None:
        """Takes over what the publisher's timestamp says beyond the count of samples."""
        passed = frame.arrival - self._last_arrival
        self._last_arrival = frame.arrival
        if self._expected is None:
            self._expected = frame.timestamp
            return
        ahead = (frame.timestamp - self._expected + (1 << 31)) % (1 << 32) - (1 << 31)
        if abs(ahead) <= JUMP_MS:
            self._expected += ahead * _FOLLOW
            return
        self._expected = frame.timestamp
        gap = min(ahead, passed)
        if gap > JUMP_MS:
            self._timestamp += round(gap * _TICKS_PER_MS)
            self._begins = True

    def _decode(self, decoder: AudioCodecContext, data: bytes) -> list[AudioFrame]:
        try:
            decoded = decoder.decode(Packet(data))
        except FFmpegError as error:
            self.broken += 1
            self._broken_in_a_row += 1
            if self._broken_in_a_row > MAX_BROKEN:
                raise CodecError(f"AAC decoder: {error}") from error
            return []
        self._broken_in_a_row = 0
        for sound in decoded:
            assert self._expected is not None
            self._expected += 1000 * sound.samples / sound.sample_rate
        return decoded

    def _encode(self, sound: AudioFrame) -> list[OpusFrame]:
        source = sound.sample_rate, sound.format.name, sound.layout.name
        channels = min(2, sound.layout.nb_channels)
        if self._encoder is None or self._resampler is None or source != self._source:
            self._prepare(channels)
            self._source = source
        assert self._encoder is not None and self._resampler is not None
        sound.pts = None
        packets = []
        for frame in self._resampler.resample(sound):
            frame.pts = None
            for packet in self._encoder.encode(frame):
                packets.append(OpusFrame(self._timestamp, bytes(packet), self._begins))
                self._timestamp += FRAME_20_MS
                self._begins = False
        return packets

    def _prepare(self, channels: int) -> None:
        """For the sound that comes now: an encoder that goes on if it can, and a resampler."""
        layout = "stereo" if channels == 2 else "mono"
        if self._encoder is None or channels != self._channels:
            self._encoder = _opus_encoder(layout, self._bitrate)
            self._channels = channels
        self._resampler = AudioResampler(format="flt", layout=layout, rate=RATE, frame_size=FRAME_20_MS)


def _opus_encoder(layout: str, bitrate: int) -> AudioCodecContext:
    """In-band FEC for players that lose packets (RFC 7587 §7), no DTX: RTMP has silence as sound, and so it stays."""
    encoder = CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate = RATE
    encoder.layout = layout
    encoder.format = "flt"
    encoder.bit_rate = bitrate
    encoder.time_base = Fraction(1, RATE)
    encoder.options = {"application": "voip", "frame_duration": "20", "fec": "1", "packet_loss": "10", "dtx": "0"}
    try:
        encoder.open()
    except FFmpegError as error:
        raise CodecError(f"Opus encoder: {error}") from error
    return encoder
