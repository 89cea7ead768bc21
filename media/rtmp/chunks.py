"""Chunk streams: how RTMP cuts messages into chunks and interleaves them (RTMP 1.0 §5.3)."""

from __future__ import annotations

import struct
from collections.abc import Generator
from dataclasses import dataclass

from media.flv import TIMESTAMP_MODULUS

INITIAL_CHUNK_SIZE = 128
EXTENDED = 0xFFFFFF
"""In the 24 bits of a timestamp: the real one, or delta, follows with 32 bits."""
_LARGEST_HEADER = 3 + 11 + 4


class ChunkStreamBroken(ValueError):
    """The bytes are no chunk stream, or ask for more than is granted: nothing behind them can be read."""


@dataclass(frozen=True, slots=True)
class Message:
    """One RTMP message. ``timestamp`` in ms, absolute."""

    type: int
    timestamp: int
    stream_id: int
    body: bytes


class _ChunkStream:
    """What a chunk may leave out because the one before said it, and the message that is being put together."""

    __slots__ = ("body", "delta", "extended", "length", "stream_id", "timestamp", "type")

    def __init__(self) -> None:
        self.timestamp = 0
        self.delta = 0
        self.extended: int | None = None
        """The 32 bits of the last header that had them, None if the last had none."""
        self.length = 0
        self.type = 0
        self.stream_id = 0
        self.body: bytearray | None = None


class ChunkReader:
    """Bytes in, messages out. ``chunk_size`` follows the peer's Set Chunk Size, which its user applies at once."""

    def __init__(self, *, max_message: int, max_streams: int) -> None:
        """``max_streams``: chunk streams."""
        self.chunk_size = INITIAL_CHUNK_SIZE
        self.max_message = max_message
        """Bytes of one message, and of all that are being put together at one time."""
        self.fragments = 0
        """Chunks so far that held less than ``INITIAL_CHUNK_SIZE`` and did not complete a message: no client makes any (§5.4.1)."""
        self._max_streams = max_streams
        self._buffer = bytearray()
        self._streams: dict[int, _ChunkStream] = {}
        self._partial = 0

    def keep(self, data: bytes) -> None:
        """Bytes to be read with the next ``receive``."""
        self._buffer += data

    def receive(self, data: bytes) -> Generator[Message, None, None]:
        """The messages that ``data`` completes, one at a time: a change of ``chunk_size`` between two of them counts for the rest.

        Closed before its end, it keeps the rest for the next call. Raises ``ChunkStreamBroken``.
        """
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while True:
                read = self._chunk(buffer, at)
                if read is None:
                    return
                at, message = read
                if message is not None:
                    yield message
        finally:
            del buffer[:at]

    def abort(self, stream: int) -> None:
        """The peer gives up the message that it was sending on a chunk stream (§5.4.2)."""
        found = self._streams.get(stream)
        if found is not None and found.body is not None:
            self._partial -= len(found.body)
            found.body = None

    def _chunk(self, buffer: bytearray, at: int) -> tuple[int, Message | None] | None:
        """One chunk at ``at``: where the next begins and the message that it completes. None if it is not all there yet."""
        end = len(buffer)
        if at >= end:
            return None
        form = buffer[at] >> 6
        number = buffer[at] & 0x3F
        at += 1
        if number < 2:
            if at + number >= end:
                return None
            number, at = (buffer[at] + 64, at + 1) if number == 0 else (buffer[at] + (buffer[at + 1] << 8) + 64, at + 2)
        stream = self._stream(number, form)
        size = (11, 7, 3, 0)[form]
        if at + size > end:
            return None
        head, at = bytes(buffer[at : at + size]), at + size
        field = int.from_bytes(head[:3], "big") if size else EXTENDED if stream.extended is not None else 0
        extended: int | None = None
        if field == EXTENDED:
            if at + 4 > end:
                return None
            extended = int.from_bytes(buffer[at : at + 4], "big")
            # A chunk of type 3 repeats it (§5.3.1.3), but there are senders that do not: what follows tells which kind it is.
            if size or extended == stream.extended:
                at += 4
        length = int.from_bytes(head[3:6], "big") if size >= 7 else stream.length
        if length > self.max_message:
            raise ChunkStreamBroken(f"a message of {length} bytes")
        continued = stream.body is not None and form == 3
        have = len(stream.body) if continued and stream.body is not None else 0
        take = min(self.chunk_size, length - have)
        if at + take > end:
            # Not an incomplete header: a chunk's payload is taken whole, so what waits is bounded by one message.
            return None
        if not continued:
            self._begin(stream, number, head, field if extended is None else extended, extended, length)
        return at + take, self._add(stream, bytes(buffer[at : at + take]))

    def _stream(self, number: int, form: int) -> _ChunkStream:
        stream = self._streams.get(number)
        if stream is None:
            if form != 0 and form != 1:
                raise ChunkStreamBroken("a chunk stream that does not begin with a full header")
            if len(self._streams) >= self._max_streams:
                raise ChunkStreamBroken(f"more than {self._max_streams} chunk streams")
            stream = self._streams[number] = _ChunkStream()
        return stream

    def _begin(self, stream: _ChunkStream, number: int, head: bytes, time: int, extended: int | None, length: int) -> None:
        """A chunk begins a message; what its header leaves out stays as it was."""
        self.abort(number)
        if len(head) == 11:
            stream.timestamp = stream.delta = time
            stream.stream_id = int.from_bytes(head[7:11], "little")
        else:
            if head:
                stream.delta = time
            stream.timestamp = (stream.timestamp + stream.delta) % TIMESTAMP_MODULUS
        if head:
            stream.extended = extended
        if len(head) >= 7:
            stream.length = length
            stream.type = head[6]
        stream.body = bytearray()

    def _add(self, stream: _ChunkStream, data: bytes) -> Message | None:
        assert stream.body is not None
        if len(data) == stream.length:
            stream.body = None
            return Message(stream.type, stream.timestamp, stream.stream_id, data)
        stream.body += data
        self._partial += len(data)
        if len(data) < INITIAL_CHUNK_SIZE and len(stream.body) < stream.length:
            self.fragments += 1
        if len(stream.body) == stream.length:
            body = bytes(stream.body)
            self._partial -= len(body)
            stream.body = None
            return Message(stream.type, stream.timestamp, stream.stream_id, body)
        if self._partial > self.max_message:
            raise ChunkStreamBroken("too much in unfinished messages")
        return None


_HEAD = struct.Struct(">BBHBHB")
_STREAM_ID = struct.Struct("<I")
_EXTENDED = struct.Struct(">I")


def write_message(chunk_stream: int, type: int, timestamp: int, stream_id: int, body: bytes, chunk_size: int) -> bytes:
    """A message as chunks. ``chunk_stream`` 2 … 63.

    The first has a full header with the absolute time, so that what is written depends on nothing that was written before: the same
    bytes serve every player of a stream, and any message may be left out.
    """
    field = min(timestamp, EXTENDED)
    size = len(body)
    head = _HEAD.pack(chunk_stream, field >> 16, field & 0xFFFF, size >> 16, size & 0xFFFF, type) + _STREAM_ID.pack(stream_id)
    extended = _EXTENDED.pack(timestamp) if field == EXTENDED else b""
    if size <= chunk_size:
        return b"%b%b%b" % (head, extended, body)
    again = bytes((0xC0 | chunk_stream,)) + extended
    return head + extended + again.join(body[at : at + chunk_size] for at in range(0, size, chunk_size))
