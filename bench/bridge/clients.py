"""Who publishes and plays: the light WebRTC client of ``bench.sfu``, and an RTMP client on one TCP connection."""

from __future__ import annotations

import asyncio
import time

from bench.sfu.light_client import HOST, LightClient
from media import rtp
from media.flv import Tag, TagKind
from tests.unit.media.rtmp.rtmp_client import PLAIN_HELLO, RtmpClient


class WebRtcEar(LightClient):
    """Keeps what it hears: when (s, monotonic) and which Opus packet."""

    heard_packets: list[tuple[float, bytes]]

    def _heard(self, data: bytes) -> None:
        now = time.monotonic()
        self.packets += 1
        self.heard.set()
        plain = memoryview(self._dtls._rx_srtp.unprotect(data))
        _, start, end = rtp.locate_payload(plain, len(plain))
        self.heard_packets.append((now, bytes(plain[start:end])))


class RtmpConnection:
    """Publishes with ``send``, or plays: ``config`` and ``heard`` are what came."""

    def __init__(self) -> None:
        self._protocol = RtmpClient()
        self.config = b""
        self.heard: list[tuple[float, bytes]] = []
        """When (s, monotonic) and which raw AAC frame."""

    async def open(self, port: int, stream: str, *, publishing: bool) -> None:
        protocol = self._protocol
        self._reader, self._writer = await asyncio.open_connection(HOST, port)
        self._writer.write(PLAIN_HELLO)
        while not protocol.greeted:
            protocol.receive(await self._reader.read(65_536))
        self._writer.write(protocol.hello_again() + protocol.connect("live"))
        await self._until("NetConnection.Connect.Success")
        self._writer.write(protocol.publish(stream) if publishing else protocol.play(stream))
        await self._until("NetStream.Publish.Start" if publishing else "NetStream.Play.Start")
        self._task = asyncio.create_task(self._listen())

    def send(self, tag: Tag) -> None:
        self._writer.write(self._protocol.media(tag))

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._writer.close()

    async def _until(self, code: str) -> None:
        while code not in self._protocol.codes:
            data = await self._reader.read(65_536)
            if not data:
                raise RuntimeError(f"the node closed the connection before {code}")
            self._protocol.receive(data)

    async def _listen(self) -> None:
        while data := await self._reader.read(65_536):
            now = time.monotonic()
            self._protocol.receive(data)
            for message in self._protocol.media_got:
                if message.type == TagKind.AUDIO and message.body[1]:
                    self.heard.append((now, message.body[2:]))
                elif message.type == TagKind.AUDIO:
                    self.config = message.body[2:]
            self._protocol.got.clear()
