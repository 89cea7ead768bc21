"""An RTMP connection that publishes: what it sends feeds a live stream."""

from __future__ import annotations

from typing import Protocol

from media.errors import LiveRefused
from media.figures import MediaFigures
from media.flv import AudioHead, FlvMalformed, SoundFormat, Tag, TagKind
from media.plane import Clock
from media.rtmp.access import LiveSession
from media.rtmp.figures import publisher_figures
from media.rtmp.live import Feed, LiveHub
from media.rtmp.protocol import Code


class PublishingConnection(Protocol):
    """The part of ``media.rtmp.connection.RtmpConnection`` that a publisher needs."""

    client: str

    @property
    def gone(self) -> bool: ...

    def refuse_publish(self, reason: str, code: Code = Code.PUBLISH_BAD_NAME) -> None: ...


class RtmpPublisher:
    """A ``LivePublisher`` for the hub and a ``LiveConnection`` for whoever decides."""

    def __init__(self, connection: PublishingConnection, hub: LiveHub, clock: Clock) -> None:
        self._connection = connection
        self._hub = hub
        self._clock = clock
        self._feed: Feed | None = None
        self._arrived: int | None = None
        self.session: LiveSession | None = None
        """Set once the publish is allowed."""
        self.stream = ""

    @property
    def silent_ms(self) -> int | None:
        return None if self._arrived is None else max(0, self._clock() - self._arrived)

    def open(self, stream: str) -> None:
        if self._connection.gone:
            raise LiveRefused("the connection is gone")
        self.stream = stream
        self._feed = self._hub.publish(stream, self, take_over=True)

    def close(self, reason: str) -> None:
        self.session = None
        self._end_feed()
        self._connection.refuse_publish(reason)

    def set_forwarding(self, *, audio: bool) -> None:
        """Only players are given sound."""

    def figures(self) -> MediaFigures | None:
        return publisher_figures(self._hub.stream(self.stream), address=self._connection.client) if self._feed is not None else None

    def replaced(self) -> None:
        self._feed = None
        self.ended(lost=False)
        self._connection.refuse_publish("published from elsewhere")

    def message(self, tag: Tag) -> None:
        """What the client sent."""
        if self._feed is None:
            return
        if tag.kind is TagKind.AUDIO:
            refused = _unplayable(tag.body)
            if refused:
                self.refuse(refused)
                return
        first, self._arrived = self._arrived is None, self._clock()
        self._feed.message(tag)
        if first and self.session is not None:
            self.session.media_arrived()

    def refuse(self, reason: str) -> None:
        """Ends the publish for what the client sends."""
        self.ended(lost=False)
        self._connection.refuse_publish(reason, Code.PUBLISH_FAILED)

    def ended(self, *, lost: bool) -> None:
        """The client has stopped, or the connection is gone."""
        self._end_feed()
        session, self.session = self.session, None
        if session is not None:
            session.ended(lost=lost)

    def _end_feed(self) -> None:
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.end()


def _unplayable(body: bytes) -> str:
    """Why nobody could play this sound; empty if they can."""
    try:
        head = AudioHead.parse(body)
    except FlvMalformed as error:
        return f"sound that cannot be read: {error}"
    if head.format is SoundFormat.AAC:
        return ""
    return f"{head.format.name} sound is not taken: publish AAC"
