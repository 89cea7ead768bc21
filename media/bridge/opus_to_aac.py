"""Pieces of an Opus stream into AAC-LC frames, with the clock corrected on the way. For one codec thread at a time; no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from av import AudioFrame
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.codec import CodecContext
from av.error import FFmpegError
from av.filter import Graph

from media.bridge.jitter_buffer import Kind, Piece
from media.bridge.libopus import RATE, CodecError, OpusDecoder

AAC_FRAME = 1_024
"""Samples of an AAC-LC frame (ISO/IEC 14496-3 §4.5.2.1)."""
_TIME_BASE = Fraction(1, RATE)
_STRETCH = "48000:async=480:min_comp=0.00002:min_hard_comp=10:comp_duration=1:flags=res"
"""libswresample follows the timestamps of the frames: by at most 480 samples in a second (more than the drift control asks for), from
one sample of difference on, spread over a second, never by cutting or padding (``min_hard_comp`` is 10 s)."""


class OpusToAac:
    """See the module. Raises ``CodecError`` if a codec does not do its work at all; a broken packet is concealed and counted."""

    def __init__(self, channels: int, bitrate: int) -> None:
        self._decoder = OpusDecoder(channels)
        self._layout = "stereo" if channels == 2 else "mono"
        self._channels = channels
        self._encoder = _aac_encoder(self._layout, bitrate)
        self._graph = _stretch_graph(self._layout)
        self._fifo = AudioFifo()
        self._position = 0.0
        """Where the next samples begin at the players, in samples of their clock."""
        self.blocks = 0
        """Frames' worth of sound handed to the encoder, which keeps the first until it has the second."""
        self.broken = 0
        """Packets that libopus refused."""

    @property
    def config(self) -> bytes:
        """The AudioSpecificConfig for the players."""
        return bytes(self._encoder.extradata or b"")

    @property
    def buffered(self) -> int:
        """Samples that wait for their AAC frame to be full."""
        return self._fifo.samples

    def convert(self, pieces: Iterable[Piece], ppm: float) -> list[bytes]:
        """The AAC frames that are full with these pieces; played faster by ``ppm``."""
        try:
            for piece in pieces:
                self._stretch(self._sound(piece), ppm)
            return self._encode()
        except FFmpegError as error:
            raise CodecError(str(error)) from error

    def _sound(self, piece: Piece) -> AudioFrame:
        if piece.kind is Kind.PACKET or piece.kind is Kind.RECOVERED:
            decode = self._decoder.decode if piece.kind is Kind.PACKET else self._decoder.recover
            try:
                return decode(piece.payload, piece.samples)
            except CodecError:
                self.broken += 1
        elif piece.kind is Kind.SILENCE:
            return self._silence(piece.samples)
        return self._decoder.conceal(piece.samples)

    def _silence(self, samples: int) -> AudioFrame:
        frame = AudioFrame(format="flt", layout=self._layout, samples=samples)
        frame.sample_rate = RATE
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        return frame

    def _stretch(self, frame: AudioFrame, ppm: float) -> None:
        frame.pts = round(self._position)
        frame.time_base = _TIME_BASE
        self._position += frame.samples * (1 - ppm / 1e6)
        self._graph.push(frame)
        while True:
            try:
                stretched = self._graph.pull()
            except BlockingIOError:
                return
            assert isinstance(stretched, AudioFrame)
            stretched.pts = None
            self._fifo.write(stretched)

    def _encode(self) -> list[bytes]:
        frames = []
        while (frame := self._fifo.read(AAC_FRAME)) is not None:
            frame.pts = self.blocks * AAC_FRAME
            frame.time_base = _TIME_BASE
            self.blocks += 1
            frames += [bytes(packet) for packet in self._encoder.encode(frame)]
        return frames


def _aac_encoder(layout: str, bitrate: int) -> AudioCodecContext:
    encoder = CodecContext.create("aac", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate = RATE
    encoder.layout = layout
    encoder.format = "fltp"
    encoder.bit_rate = bitrate
    encoder.time_base = _TIME_BASE
    # A third of the time of the default coder; at these rates nobody hears the difference.
    encoder.options = {"aac_coder": "fast"}
    try:
        encoder.open()
    except FFmpegError as error:
        raise CodecError(f"AAC encoder: {error}") from error
    return encoder


def _stretch_graph(layout: str) -> Graph:
    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=RATE, layout=layout, time_base=_TIME_BASE)
    stretch, convert, sink = graph.add("aresample", _STRETCH), graph.add("aformat", "sample_fmts=fltp"), graph.add("abuffersink")
    source.link_to(stretch)
    stretch.link_to(convert)
    convert.link_to(sink)
    graph.configure()
    return graph
