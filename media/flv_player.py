"""A player of a live stream that gets it as one endless FLV file: over HTTP, or in the binary messages of a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from media.errors import LiveRefused
from media.figures import MediaFigures, MediaTransport
from media.flv import Tag, TagKind, file_header
from media.rtmp.access import LiveSession
from media.rtmp.backlog import Backlog
from media.rtmp.config import PlayerLimits
from media.rtmp.figures import PlayerTally
from media.rtmp.live import Gathered, LiveHub, LiveStream

PART = 16_384
"""Bytes of messages that are handed over at one time, but for one that is longer: what is not handed over yet can be left out."""


class FlvPlayer:
    """A ``PatientPlayer`` for the hub and a ``LiveConnection`` for whoever decides. Its user sends what ``parts`` yields."""

    silent_ms: int | None = None

    def __init__(self, hub: LiveHub, limits: PlayerLimits, client: str) -> None:
        """``client``: its IP address."""
        self._hub = hub
        self.client = client
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
        self._stream = self._hub.attach_patient(stream, self)
        self._tally = PlayerTally(self._stream)

    def close(self, reason: str) -> None:
        self.session = None
        self._leave()

    def set_forwarding(self, *, audio: bool) -> None:
        self._audio = audio

    def figures(self) -> MediaFigures | None:
        if self._tally is None:
            return None
        return self._tally.figures(MediaTransport.FLV, self.backlog, address=self.client, forwarding=self._audio)

    def message(self, tag: Tag) -> None:
        if tag.kind is TagKind.AUDIO and not self._audio and tag.body[1:2] != b"\x00":
            return
        if not self.backlog.put(tag) and self._stream is not None:
            self._stream.restart(self)
        self._there.set()

    def gathered(self, messages: Gathered) -> None:
        for tag in messages.tags:
            self.message(tag)

    def began(self) -> None:
        """Nothing to say: what the publisher sends follows."""

    def ended(self) -> None:
        """Nothing to say: when the stream is over for good, the room ends this play."""

    async def parts(self) -> AsyncGenerator[bytes, None]:
        """The file, as it grows. Ends when the stream does, or the right to it."""
        before: list[Tag] = []
        """Metadata that has come before anything else."""
        while True:
            await self._there.wait()
            self._there.clear()
            while self.backlog:
                tags = before + self._next()
                if not self._begun:
                    if all(tag.kind is TagKind.DATA for tag in tags):
                        before = tags[-1:]
                        continue
                    self._begun, before = True, []
                    yield file_header(audio=True, video=self._has_pictures(tags))
                    if self.session is not None:
                        self.session.media_arrived()
                yield b"".join([tag.flv for tag in tags])
            if self._over:
                return

    def left(self, *, lost: bool) -> None:
        """The client is gone, or (``lost``) does not read any more."""
        self._leave()
        session, self.session = self.session, None
        if session is not None:
            session.ended(lost=lost)

    def _next(self) -> list[Tag]:
        tags, size = [self.backlog.take()], 0
        while self.backlog and (size := size + len(tags[-1].body)) < PART:
            tags.append(self.backlog.take())
        return tags

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
