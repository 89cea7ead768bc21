"""An RTMP connection that plays: what its live stream has, it gets, as fast as it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from media.errors import LiveRefused
from media.figures import MediaFigures, MediaTransport
from media.flv import Tag, TagKind
from media.rtmp.access import LiveSession
from media.rtmp.backlog import Backlog
from media.rtmp.config import PlayerLimits
from media.rtmp.figures import PlayerTally
from media.rtmp.live import Gathered, LiveHub, LiveStream
from media.rtmp.protocol import media_bytes


class PlayingConnection(Protocol):
    """The part of ``media.rtmp.connection.RtmpConnection`` that a player needs."""

    blocked: bool
    client: str

    @property
    def gone(self) -> bool: ...

    @property
    def write(self) -> Callable[[bytes], int]:
        """The socket's own ``send``. Not to be called while ``blocked``."""
        ...

    def begin_play(self) -> None: ...

    def send(self, data: bytes) -> None: ...

    def end_play(self, reason: str) -> None: ...


class RtmpPlayer:
    """A ``PatientPlayer`` for the hub and a ``LiveConnection`` for whoever decides."""

    silent_ms: int | None = None

    def __init__(self, connection: PlayingConnection, hub: LiveHub, limits: PlayerLimits) -> None:
        self._connection = connection
        self._hub = hub
        self._stream: LiveStream | None = None
        self._tally: PlayerTally | None = None
        self._open = False
        self._told = False
        self._audio = True
        self._paused = False
        self._plain = False
        self._write = connection.write
        self.backlog = Backlog(limits)
        self.session: LiveSession | None = None
        """Set once the play is allowed."""
        self.stream = ""

    def open(self, stream: str) -> None:
        if self._connection.gone:
            raise LiveRefused("the connection is gone")
        self.stream = stream
        self._open = True
        # The status goes before the first message: attaching sends what the stream has to begin with.
        self._connection.begin_play()
        try:
            self._stream = self._hub.attach_patient(stream, self)
            self._tally = PlayerTally(self._stream)
        except BaseException:
            self._open = False
            raise

    def close(self, reason: str) -> None:
        self.session = None
        self._leave()
        self._connection.end_play(reason)

    def set_forwarding(self, *, audio: bool) -> None:
        self._audio = audio
        self._look()

    def figures(self) -> MediaFigures | None:
        if self._tally is None:
            return None
        forwarding = self._audio and not self._paused
        return self._tally.figures(MediaTransport.RTMP, self.backlog, address=self._connection.client, forwarding=forwarding)

    def set_paused(self, paused: bool) -> None:
        """The client wants nothing for now. Afterwards it begins anew: what it missed is past."""
        if self._paused and not paused:
            self._paused = False
            if self._stream is not None:
                self._stream.restart(self)
        elif paused:
            self._paused = True
            self.backlog.clear()
        self._look()

    def message(self, tag: Tag) -> None:
        # The usual case first: it is what a message costs for each player beside the kernel's own work.
        if self._plain and not self._connection.blocked:
            self._send_plain(tag.chunks or media_bytes(tag))
        else:
            self._message(tag)

    def gathered(self, messages: Gathered) -> None:
        if self._plain and not self._connection.blocked:
            self._send_plain(messages.chunks or _bytes(messages))
        else:
            for tag in messages.tags:
                self._message(tag)

    def _send_plain(self, data: bytes) -> None:
        try:
            sent = self._write(data)
        except OSError:
            sent = 0  # the connection finds out which, and does what has to be done
        if sent != len(data):
            self._connection.send(data[sent:])

    def _message(self, tag: Tag) -> None:
        if self._paused or not (self._audio or tag.kind is not TagKind.AUDIO or tag.body[1:2] == b"\x00"):
            return
        connection = self._connection
        if connection.blocked:
            if not self.backlog.put(tag) and self._stream is not None:
                self._stream.restart(self)
            return
        connection.send(tag.chunks or media_bytes(tag))
        if not self._told and self.session is not None:
            self._told = True
            self.session.media_arrived()
            self._look()

    def _look(self) -> None:
        """Whether everything that comes is simply sent."""
        self._plain = self._told and self._audio and not self._paused

    def writable(self) -> None:
        """The connection takes bytes again."""
        while self.backlog and not self._connection.blocked:
            self._connection.send(media_bytes(self.backlog.take()))

    def began(self) -> None:
        """Nothing to say: a player that has begun waits for what comes."""

    def ended(self) -> None:
        """Nothing to say: the publisher may come back in a moment. When it does not, the room ends the stream, and this play with it."""

    def left(self, *, lost: bool) -> None:
        """The client has stopped, or the connection is gone."""
        self._leave()
        session, self.session = self.session, None
        if session is not None:
            session.ended(lost=lost)

    def _leave(self) -> None:
        if self._open:
            self._open = False
            self._hub.detach(self.stream, self)
            self.backlog.clear()


def _bytes(messages: Gathered) -> bytes:
    """As ``media_bytes``, made once too."""
    messages.chunks = b"".join([media_bytes(tag) for tag in messages.tags])
    return messages.chunks
