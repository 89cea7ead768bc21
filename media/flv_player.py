"""A player of a live stream that gets it as one endless FLV file: over HTTP, or in the binary messages of a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from media.errors import LiveRefused
from media.figures import MediaFigures, MediaTransport
from media.flv import Tag, TagKind, file_header
from media.rtmp.access import LiveSession
from media.rtmp.backlog import Backlog
from media.rtmp.config import PlayerLimits
from media.rtmp.figures import PlayerTally
from media.rtmp.live import LiveHub, LiveStream


class FlvPlayer:
    """A ``LivePlayer`` for the hub and a ``LiveConnection`` for whoever decides. Its user sends what ``parts`` yields."""

    silent_ms: int | None = None

    def __init__(self, hub: LiveHub, limits: PlayerLimits, client: str) -> None:
        """``client``: its IP address."""
        self._hub = hub
        self._client = client
        self._tally: PlayerTally | None = None
        self._stream: LiveStream | None = None
        self._there = asyncio.Event()
        self._over = False
        self._audio = True
        self._begun = False
        self.backlog = Backlog(limits)
        self.session: LiveSession | None = None
        """Set once the play is allowed."""
        self.stream = ""

    def open(self, stream: str) -> None:
        if self._over:
            raise LiveRefused("the connection is gone")
        self.stream = stream
        self._stream = self._hub.attach(stream, self)
        self._tally = PlayerTally(self._stream)

    def close(self, reason: str) -> None:
        self.session = None
        self._leave()

    def set_forwarding(self, *, audio: bool) -> None:
        self._audio = audio

    def figures(self) -> MediaFigures | None:
        if self._tally is None:
            return None
        return self._tally.figures(MediaTransport.FLV, self.backlog, address=self._client, forwarding=self._audio)

    def message(self, tag: Tag) -> None:
        if tag.kind is TagKind.AUDIO and not self._audio and tag.body[1:2] != b"\x00":
            return
        if not self.backlog.put(tag) and self._stream is not None:
            self._stream.restart(self)
        self._there.set()

    def began(self) -> None:
        """Nothing to say: what the publisher sends follows."""

    def ended(self) -> None:
        """Nothing to say: when the stream is over for good, the room ends this play."""

    async def parts(self) -> AsyncIterator[bytes]:
        """The file, as it grows. Ends when the stream does, or the right to it."""
        while True:
            await self._there.wait()
            self._there.clear()
            tags = [self.backlog.take() for _ in range(len(self.backlog))]
            if not self._begun and any(tag.kind is not TagKind.DATA for tag in tags):
                self._begun = True
                yield file_header(audio=True, video=self._has_pictures(tags))
                if self.session is not None:
                    self.session.media_arrived()
            if self._begun and tags:
                yield b"".join([tag.flv for tag in tags])
            if self._over:
                return

    def left(self) -> None:
        """The client is gone."""
        self._leave()
        session, self.session = self.session, None
        if session is not None:
            session.ended(lost=False)

    def _has_pictures(self, tags: list[Tag]) -> bool:
        """For the file's header, which some players believe: flv.js waits for ever for pictures that it promises."""
        stream = self._stream
        announced = stream is not None and stream.metadata is not None and b"videocodecid" in stream.metadata.body
        return announced or (stream is not None and stream.has_video) or any(tag.kind is TagKind.VIDEO for tag in tags)

    def _leave(self) -> None:
        if not self._over:
            self._over = True
            self._hub.detach(self.stream, self)
            self._there.set()
