"""FLV: tags, the first bytes of a sound or picture message, and the file (Adobe Flash Video File Format Specification 10.1, annex E).

The body of an FLV tag is the body of the RTMP message of the same type, so one type serves both: a message of a live stream is a
``Tag``, whatever it came in or goes out on.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

TIMESTAMP_MODULUS = 1 << 32
MAX_BODY = (1 << 24) - 1
"""Bytes: a tag's length has 24 bits, as an RTMP message's."""

FILE_HEADER = b"FLV\x01"
_TAG = struct.Struct(">BBHHBBBB")


class TagKind(enum.IntEnum):
    """Type of a tag and of the RTMP message (RTMP 1.0 §7.1)."""

    AUDIO = 8
    VIDEO = 9
    DATA = 18
    """AMF0: ``onMetaData`` and the like."""


class FlvMalformed(ValueError):
    """The bytes are no FLV."""


class Tag:
    """One message of a live stream: ``kind``, ``timestamp`` (ms, 0 … 2^32-1) and ``body``, which begins with the codec's head.

    Treat it as immutable: it is shared by every player of a stream, and so is what is made of it once (``flv``, ``chunks``).
    """

    __slots__ = ("_flv", "body", "chunks", "kind", "timestamp")

    def __init__(self, kind: TagKind, timestamp: int, body: bytes) -> None:
        self.kind = kind
        self.timestamp = timestamp
        self.body = body
        self._flv: bytes | None = None
        self.chunks: bytes | None = None
        """The same as RTMP chunks, once somebody has made them (``media.rtmp.protocol.media_bytes``)."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tag):
            return NotImplemented
        return (self.kind, self.timestamp, self.body) == (other.kind, other.timestamp, other.body)

    __hash__ = None  # type: ignore[assignment]  # compared by value, kept in no set

    def __repr__(self) -> str:
        return f"Tag({self.kind.name}, {self.timestamp} ms, {len(self.body)} bytes)"

    def at(self, timestamp: int) -> Tag:
        """The same at another time."""
        return self if timestamp == self.timestamp else Tag(self.kind, timestamp, self.body)

    @property
    def flv(self) -> bytes:
        """The tag as it stands in an FLV file, with the "previous tag size" that follows it (E.3, E.4). Made once."""
        if self._flv is None:
            self._flv = bytes(self)
        return self._flv

    def __bytes__(self) -> bytes:
        size, time = len(self.body), self.timestamp
        head = _TAG.pack(self.kind, size >> 16, size & 0xFFFF, time >> 8 & 0xFFFF, time & 0xFF, time >> 24 & 0xFF, 0, 0)
        return b"%b\x00%b%b" % (head, self.body, (size + 11).to_bytes(4, "big"))


def file_header(*, audio: bool = True, video: bool = True) -> bytes:
    """The nine bytes that a file begins with, and the size of the tag before the first: 0."""
    return FILE_HEADER + bytes((audio << 2 | video, 0, 0, 0, 9, 0, 0, 0, 0))


def read_file(data: bytes) -> Iterator[Tag]:
    """The tags of an FLV file; a last one that is cut short is left out. Raises ``FlvMalformed``."""
    if len(data) < 13 or not data.startswith(FILE_HEADER):
        raise FlvMalformed("no FLV header")
    at = int.from_bytes(data[5:9], "big") + 4
    while at + 11 <= len(data):
        kind = data[at] & 0x1F
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        time = data[at + 7] << 24 | int.from_bytes(data[at + 4 : at + 7], "big")
        if at + 15 + size > len(data):
            return
        if kind not in TagKind.__members__.values():
            raise FlvMalformed(f"tag of type {kind}")
        yield Tag(TagKind(kind), time, data[at + 11 : at + 11 + size])
        at += 15 + size


class SoundFormat(enum.IntEnum):
    """Codec of an audio tag (E.4.2.1)."""

    PCM = 0
    ADPCM = 1
    MP3 = 2
    PCM_LE = 3
    NELLYMOSER_16K = 4
    NELLYMOSER_8K = 5
    NELLYMOSER = 6
    G711_A = 7
    G711_MU = 8
    EXTENDED = 9
    """A FourCC follows (Enhanced RTMP v2)."""
    AAC = 10
    SPEEX = 11
    OPUS = 13
    """In use by some Chinese servers, never standardised."""
    MP3_8K = 14
    DEVICE = 15


@dataclass(frozen=True, slots=True)
class AudioHead:
    """The first bytes of an audio tag's body (E.4.2.1)."""

    format: SoundFormat
    sequence_header: bool
    """The body is an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1), not a raw AAC frame. Only with AAC."""
    size: int
    """Bytes of this head; the codec's own data follow."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raises ``FlvMalformed`` for a body that is cut short or of no known codec."""
        if not body:
            raise FlvMalformed("empty audio message")
        try:
            codec = SoundFormat(body[0] >> 4)
        except ValueError:
            raise FlvMalformed(f"sound format {body[0] >> 4}") from None
        if codec is not SoundFormat.AAC:
            return cls(codec, False, 1)
        if len(body) < 2:
            raise FlvMalformed("AAC message without its packet type")
        if body[1] > 1:
            raise FlvMalformed(f"AAC packet type {body[1]}")
        return cls(codec, body[1] == 0, 2)


_AAC_FLAGS = SoundFormat.AAC << 4 | 3 << 2 | 1 << 1 | 1
"""With AAC always 44.1 kHz, 16 bits, stereo, whatever it is: the config tells (E.4.2.1)."""


def aac_config_tag(config: bytes, timestamp: int = 0) -> Tag:
    """The message that carries an AudioSpecificConfig; goes before the first frame."""
    return Tag(TagKind.AUDIO, timestamp, bytes((_AAC_FLAGS, 0)) + config)


def aac_frame_tag(frame: bytes, timestamp: int) -> Tag:
    """The message that carries one raw AAC frame (no ADTS head). ``timestamp`` in ms."""
    return Tag(TagKind.AUDIO, timestamp, bytes((_AAC_FLAGS, 1)) + frame)


@dataclass(frozen=True, slots=True)
class VideoHead:
    """The first bytes of a video tag's body (E.4.3.1; Enhanced RTMP v1, "ExVideoTagHeader")."""

    codec: str
    """``"avc"``, ``"hevc"`` (codec id 12, as Chinese services have it), a FourCC such as ``"hvc1"``, or ``"id<n>"``."""
    key_frame: bool
    sequence_header: bool
    """The decoder's configuration, not a picture."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raises ``FlvMalformed`` for a body that is cut short."""
        if not body:
            raise FlvMalformed("empty video message")
        key_frame = body[0] >> 4 & 7 == 1
        low = body[0] & 0x0F
        if body[0] & 0x80:
            if len(body) < 5:
                raise FlvMalformed("video message without its FourCC")
            return cls(body[1:5].decode("latin-1"), key_frame and low in (1, 3), low == 0)
        if low in (7, 12):
            if len(body) < 2:
                raise FlvMalformed("video message without its packet type")
            return cls("avc" if low == 7 else "hevc", key_frame and body[1] == 1, body[1] == 0)
        return cls(f"id{low}", key_frame, False)
