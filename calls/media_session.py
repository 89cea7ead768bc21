"""Media sessions: one publish or play of one stream by one room session, and what this node holds of each stream."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from media.rtmp.access import LiveConnection
from media.turn.access import RelayAccess
from rooms.events import StreamEnd
from rooms.model import Session


def plane_name(app_id: int, stream_id: str) -> str:
    """A stream's name in the media plane and the hub of live streams, unique over all Apps."""
    return f"{app_id}/{stream_id}"


class MediaRole(enum.Enum):
    PUBLISHER = "publisher"
    PLAYER = "player"


class MediaEnd(enum.StrEnum):
    """Why a media session ended. A dialect maps it to what its client understands (retry, ask again, give up)."""

    CLOSED = "closed"
    """By its client."""
    SUPERSEDED = "superseded"
    """The same client publishes the stream in a newer session."""
    MEDIA_LOST = "media_lost"
    """The client stopped answering on the media path."""
    SOCKET_LOST = "socket_lost"
    """The client did not come back after its media socket was lost."""
    LEFT = "left"
    """The user left the room."""
    KICKED = "kicked"
    """The user was kicked, replaced by another login, or the room was closed."""
    SESSION_LOST = "session_lost"
    """The room session timed out while media was still there."""
    STREAM_ENDED = "stream_ended"
    """The published stream went off the air."""
    STREAM_REMOVED = "stream_removed"
    """The operator took the stream off the air."""
    STREAM_LOST = "stream_lost"
    """The room does not know the published stream any more: it was thought to be on a node that is gone, or the registry lost it."""
    STREAM_FORBIDDEN = "stream_forbidden"
    """The operator has forbidden the stream, to publishers and players."""
    RESERVATION_ENDED = "reservation_ended"
    """The stream was never announced in the room."""
    STREAM_MOVED = "stream_moved"
    """Another node holds the stream now."""
    NODE_STOPPED = "node_stopped"
    """This node goes away."""


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A publisher's microphone and camera: 0 = on, anything else off (``web-1x-2x.md`` §7)."""

    mic: int
    camera: int


class MediaPeer(Protocol):
    """What calls tells a media socket. Called on the event loop; must not block or raise."""

    def connected(self, session: MediaSession) -> None:
        """Media flows: ICE and DTLS are up. Told once per session."""

    def status(self, session: MediaSession, mic: int, camera: int) -> None:
        """To a player: its publisher's microphone and camera, once after ``connected`` and on each change."""

    def closed(self, session: MediaSession, reason: MediaEnd) -> None:
        """The server has ended the session. The last thing said about it."""


@dataclass(eq=False, slots=True)
class MediaLogin:
    """A room session's authorised media socket (``media_login``)."""

    owner: Session = field(repr=False)
    peer: MediaPeer = field(repr=False)
    resumed: tuple[int, ...] = ()
    """Media sessions that live on, now on this socket."""
    unknown: tuple[int, ...] = ()
    """Media sessions that the client believes to hold and that are gone: it must open them again."""


class MediaIdentity(NamedTuple):
    """Names a media session, for its client and between nodes."""

    media_session_id: int
    token: str


@dataclass(frozen=True, slots=True)
class MediaPath:
    """How a client reaches the media of its session."""

    addresses: tuple[str, ...]
    """``host:port`` of the media plane, as in the answer's candidates, best first."""
    relay: RelayAccess | None
    """A TURN server on the way there; None if no node has one."""


@dataclass(eq=False, slots=True)
class MediaSession:
    """One publish or play. Mutable state of ``calls.service``; dialects read it."""

    media_session_id: int
    """uint32, unique on this node."""
    token: str = field(repr=False)
    """Secret with which the client claims the session on a new socket."""
    role: MediaRole
    owner: Session = field(repr=False)
    stream_id: str
    login: MediaLogin | None = field(repr=False)
    """The socket it is told through; None while that is lost."""
    stream_sid: int = 0
    """Which life of the stream a publisher's session belongs to (``rooms.model.Stream.stream_sid``)."""
    connected: bool = False
    told_connected: bool = False
    told_status: StreamStatus | None = None
    describe_until: int | None = None
    """Deadline for the offer of a session that was begun without one, epoch ms."""
    stream_room: str = ""
    """The room of the stream; a player's own may be another."""
    active: bool = True
    """A player wants the sound; False while it has muted the stream for itself."""
    detached_until: int | None = None
    """Deadline for a new socket, epoch ms."""
    ended: MediaEnd | None = None
    connection: LiveConnection | None = field(default=None, repr=False)
    """The RTMP or FLV connection that has its media; None = the SFU has it, or it is not open."""
    carrier: str = ""
    """The node whose media plane has its packets; empty = this one (``calls/remote_media.py``)."""
    path: MediaPath | None = field(default=None, repr=False)
    """How its client reaches that other node."""

    @property
    def app_id(self) -> int:
        return self.owner.app_id


@dataclass(frozen=True, slots=True)
class OpenedMedia:
    """Answer to an offer."""

    media_session_id: int
    token: str = field(repr=False)
    answer: str = field(repr=False)
    """SDP answer with the node's candidates inside."""


@dataclass(frozen=True, slots=True)
class BegunMedia:
    """A session that waits for its offer."""

    media_session_id: int
    token: str = field(repr=False)
    relay: RelayAccess
    """The TURN server that its client is to use."""


@dataclass(eq=False, slots=True)
class LocalStream:
    """What this node holds of a stream: its publisher, its players, the last known microphone state."""

    app_id: int
    stream_id: str
    publishers: dict[int, MediaSession] = field(default_factory=dict)
    """Publish sessions of its owner, oldest first. More than one only while a client that reconnects has the old one still open: the
    media plane changes over when the newer one connects."""
    players: dict[int, MediaSession] = field(default_factory=dict)
    status: StreamStatus | None = None
    room_id: str = ""
    muted_until: int = 0
    """The operator has muted its sound until then (epoch ms); 0 = not."""
    withdraw_at: int | None = None
    """The publisher's media is gone; at this moment (epoch ms) the stream goes off the air."""
    withdraw_owner: Session | None = field(default=None, repr=False)
    withdraw_reason: StreamEnd = StreamEnd.MEDIA_LOST

    @property
    def publisher(self) -> MediaSession | None:
        """The newest publish session."""
        return next(reversed(self.publishers.values()), None)

    @property
    def empty(self) -> bool:
        return not self.publishers and not self.players and self.withdraw_at is None
