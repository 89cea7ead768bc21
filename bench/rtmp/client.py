"""Clients of RTMP and of FLV over HTTP without an understanding of media, on plain sockets. Hundreds of them fit into one process."""

from __future__ import annotations

import re
import socket
import time
from abc import ABC, abstractmethod

from media.flv import Tag, aac_frame_tag
from media.rtmp import amf0
from media.rtmp.chunks import write_message
from media.rtmp.handshake import PACKET
from media.rtmp.messages import MessageType

MARK = b"\xf1ben\xc4RTMP"
_STAMP = re.compile(re.escape(MARK) + b"(.{8})", re.DOTALL)
_PLAY_START = b"NetStream.Play.Start"
_PUBLISH_START = b"NetStream.Publish.Start"


def marked_frame(size: int, timestamp: int) -> Tag:
    """A sound message of ``size`` bytes that tells when it was sent."""
    stamp = time.monotonic_ns().to_bytes(8, "big")
    return aac_frame_tag((MARK + stamp).ljust(size - 2, b"\x55"), timestamp)


class Client(ABC):
    """Made, it has blocked until the server says that it has begun; ``take`` does not."""

    def __init__(self, port: int) -> None:
        self.delays: list[int] = []
        """Nanoseconds from sending to receiving, of each message if ``timed``."""
        self.messages = 0
        self.timed = False
        self._rest = b""
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._begin()
        self.socket.setblocking(False)

    @abstractmethod
    def _begin(self) -> None:
        """Asks for the stream, or offers it."""

    def _until(self, text: bytes) -> None:
        seen = b""
        while text not in seen:
            part = self.socket.recv(65_536)
            if not part:
                raise ConnectionError(f"closed before {text!r}")
            # Chunks of a command may have been cut in the middle of the text: their one-byte headers go.
            seen = (seen + part).replace(b"\xc3", b"")

    def take(self) -> None:
        """Counts what has come."""
        data = self._rest + self.socket.recv(65_536)
        if self.timed:
            now = time.monotonic_ns()
            found = _STAMP.findall(data)
            self.delays += [now - int.from_bytes(stamp, "big") for stamp in found]
            self.messages += len(found)
        else:
            self.messages += data.count(MARK)
        # A mark, or its time, that is not all there yet is looked at again; one that was counted is not.
        at = data.rfind(MARK)
        unseen = at if at >= 0 and self.timed and at + len(MARK) + 8 > len(data) else max(len(data) - len(MARK) + 1, at + 1)
        self._rest = data[unseen:]


class FlvClient(Client):
    """A player over HTTP."""

    def __init__(self, port: int, path: str) -> None:
        self._path = path
        super().__init__(port)

    def _begin(self) -> None:
        self.socket.sendall(f"GET {self._path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        self._until(b"HTTP/1.1 200 ")


class RtmpClient(Client):
    """``send`` does not block either."""

    def __init__(self, port: int, name: str, *, publish: bool, app: str = "bench") -> None:
        self._name = name
        self._publish = publish
        self._app = app
        super().__init__(port)

    def _begin(self) -> None:
        self.socket.sendall(bytes((3,)) + bytes(PACKET))
        greeting = self._exactly(1 + 2 * PACKET)
        self.socket.sendall(greeting[1 : 1 + PACKET])
        self._command("connect", 1, {"app": self._app, "tcUrl": f"rtmp://127.0.0.1/{self._app}"})
        self._until(b"NetConnection.Connect.Success")
        self._command("createStream", 2, None)
        self._until(b"_result")
        arguments = (self._name, "live") if self._publish else (self._name, -2000.0)
        self._command("publish" if self._publish else "play", 3, None, *arguments, stream_id=1)
        self._until(_PUBLISH_START if self._publish else _PLAY_START)

    def _command(self, name: str, transaction: int, *values: amf0.Value, stream_id: int = 0) -> None:
        body = amf0.encode(name, transaction, *values)
        self.socket.sendall(write_message(3, MessageType.COMMAND_AMF0, 0, stream_id, body, 128))

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self.socket.recv(size - len(data))
        return data

    def send(self, tag: Tag) -> None:
        self.socket.send(write_message(4, tag.kind, tag.timestamp, 1, tag.body, 128))
