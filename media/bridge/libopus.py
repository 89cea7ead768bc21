"""Opus decoding with what FFmpeg's interface to libopus leaves out: repair from in-band FEC, and concealment.

PyAV's libraries bring libopus; the functions are found through the extension module that links to them, wherever its parts are installed.
ctypes releases the GIL while they run. ``tests/unit/media/bridge/test_libopus.py`` holds that they are there.
"""

from __future__ import annotations

import ctypes
import functools

import av._core
from av import AudioFrame

RATE = 48_000


class CodecError(Exception):
    """The codec cannot do what it was asked for. ``str()`` says why."""


@functools.cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(av._core.__file__)
        library.opus_decoder_create.argtypes = (ctypes.c_int32, ctypes.c_int, ctypes.POINTER(ctypes.c_int))
        library.opus_decoder_create.restype = ctypes.c_void_p
        library.opus_decode_float.argtypes = (
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_int32,
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_int,
        )
        library.opus_decode_float.restype = ctypes.c_int
        library.opus_decoder_destroy.argtypes = (ctypes.c_void_p,)
        library.opus_decoder_destroy.restype = None
    except (OSError, AttributeError) as error:
        raise CodecError(f"PyAV is installed without libopus as a shared library: {error}") from None
    return library


class OpusDecoder:
    """One decoder, for one thread at a time. Frames are interleaved float (``flt``) at 48 kHz. Raises ``CodecError``."""

    def __init__(self, channels: int) -> None:
        self._decoder: int | None = None
        self._layout = "stereo" if channels == 2 else "mono"
        self._library = _library()
        error = ctypes.c_int()
        self._decoder = self._library.opus_decoder_create(RATE, channels, ctypes.byref(error))
        if not self._decoder:
            raise CodecError(f"libopus: error {error.value}")

    def __del__(self) -> None:
        if self._decoder:
            self._library.opus_decoder_destroy(self._decoder)
            self._decoder = None

    def decode(self, packet: bytes, samples: int) -> AudioFrame:
        """A packet that lasts ``samples``."""
        return self._decode(packet, samples, 0)

    def recover(self, following: bytes, samples: int) -> AudioFrame:
        """The last ``samples`` before the packet ``following``, from its in-band FEC; concealed if it has none."""
        return self._decode(following, samples, 1)

    def conceal(self, samples: int) -> AudioFrame:
        """What may have been there: ``samples`` that go on from those before. A multiple of 120."""
        return self._decode(None, samples, 0)

    def _decode(self, packet: bytes | None, samples: int, fec: int) -> AudioFrame:
        frame = AudioFrame(format="flt", layout=self._layout, samples=samples)
        frame.sample_rate = RATE
        size = 0 if packet is None else len(packet)
        decoded = self._library.opus_decode_float(self._decoder, packet, size, frame.planes[0].buffer_ptr, samples, fec)
        if decoded != samples:
            raise CodecError(f"libopus: {decoded} instead of {samples} samples")
        return frame
