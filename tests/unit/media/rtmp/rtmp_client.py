"""The client's side of RTMP for tests, without I/O: what it sends as bytes, what it got as messages."""

from __future__ import annotations

import random

from media.flv import Tag
from media.rtmp import amf0
from media.rtmp.amf0 import Value
from media.rtmp.chunks import ChunkReader, Message, write_message
from media.rtmp.handshake import PACKET
from media.rtmp.messages import MessageType

PLAIN_HELLO = bytes((3,)) + bytes(8) + random.Random(1).randbytes(PACKET - 8)


class RtmpClient:
    """Writes with chunks of 128 bytes unless told otherwise."""

    def __init__(self) -> None:
        self.reader = ChunkReader(max_message=1 << 24, max_streams=64)
        self.chunk_size = 128
        self.got: list[Message] = []
        self._greeting = bytearray()
        self._left = 1 + 2 * PACKET

    def receive(self, data: bytes) -> None:
        taken, data = data[: self._left], data[self._left :]
        self._left -= len(taken)
        self._greeting += taken
        for message in self.reader.receive(data):
            if message.type == MessageType.SET_CHUNK_SIZE:
                self.reader.chunk_size = int.from_bytes(message.body, "big")
            self.got.append(message)

    @property
    def greeted(self) -> bool:
        return self._left == 0

    @property
    def greeting(self) -> bytes:
        """S0, S1 and S2."""
        return bytes(self._greeting)

    def hello_again(self) -> bytes:
        """C2."""
        return self.greeting[1 : 1 + PACKET]

    def message(self, kind: int, body: bytes, *, timestamp: int = 0, stream_id: int = 0, chunk_stream: int = 3) -> bytes:
        return write_message(chunk_stream, kind, timestamp, stream_id, body, self.chunk_size)

    def command(self, name: str, transaction: float, *values: Value, stream_id: int = 0) -> bytes:
        return self.message(MessageType.COMMAND_AMF0, amf0.encode(name, transaction, *values), stream_id=stream_id)

    def connect(self, app: str) -> bytes:
        return self.command("connect", 1, {"app": app, "flashVer": "test", "tcUrl": f"rtmp://localhost/{app}"})

    def publish(self, name: str) -> bytes:
        return self.command("createStream", 2, None) + self.command("publish", 0, None, name, "live", stream_id=1)

    def play(self, name: str) -> bytes:
        return self.command("createStream", 2, None) + self.command("play", 0, None, name, -2000, stream_id=1)

    def media(self, tag: Tag) -> bytes:
        return self.message(tag.kind, tag.body, timestamp=tag.timestamp, stream_id=1, chunk_stream=4)

    @property
    def answers(self) -> list[list[Value]]:
        """Commands that came, decoded."""
        return [amf0.decode(message.body) for message in self.got if message.type == MessageType.COMMAND_AMF0]

    @property
    def codes(self) -> list[str]:
        """Status codes, in order."""
        found: list[str] = []
        for answer in self.answers:
            if isinstance(answer[-1], dict) and "code" in answer[-1]:
                found.append(str(answer[-1]["code"]))
        return found

    @property
    def media_got(self) -> list[Message]:
        return [message for message in self.got if message.type in (MessageType.AUDIO, MessageType.VIDEO)]
