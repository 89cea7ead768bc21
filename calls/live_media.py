"""The media sessions of this node and the streams they belong to. Synchronous: whatever ends one takes effect before the next event."""

from __future__ import annotations

import hmac
import random
from collections.abc import Callable, Iterable

import structlog

from calls.errors import MediaEnded, MediaSessionUnknown, TooManyMediaSessions
from calls.media_session import LocalStream, MediaEnd, MediaIdentity, MediaLogin, MediaRole, MediaSession, StreamStatus
from calls.ports import MediaPlane
from calls.settings import CallSettings
from rooms.events import EndReason, StreamEnd
from rooms.model import Clock, Session, Stream

log = structlog.get_logger()

UINT32 = 32
TOKEN_BITS = 128

OWNER_GONE = {
    EndReason.LOGOUT: MediaEnd.LEFT,
    EndReason.TIMEOUT: MediaEnd.SESSION_LOST,
    EndReason.LOST: MediaEnd.SESSION_LOST,
    EndReason.REPLACED: MediaEnd.KICKED,
    EndReason.KICKED: MediaEnd.KICKED,
    EndReason.ROOM_CLOSED: MediaEnd.KICKED,
    EndReason.TOKEN_EXPIRED: MediaEnd.KICKED,
}
"""What the end of a room session is for its media."""

_UNSAID = frozenset({MediaEnd.CLOSED, MediaEnd.SUPERSEDED})
"""Ends that the client brought about itself: it is not told of them."""

_MAY_COME_BACK = frozenset({MediaEnd.CLOSED, MediaEnd.MEDIA_LOST, MediaEnd.SOCKET_LOST, MediaEnd.SUPERSEDED, MediaEnd.STREAM_MOVED})
"""Ends of a publisher after which its stream may go on; when it does not, the room ends it."""


def same_secret(a: str, b: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(a.encode("utf-8", "replace"), b.encode("utf-8", "replace"))


class LiveMedia:
    """All media sessions of this node. Only its methods change ``MediaSession`` and ``LocalStream``."""

    def __init__(
        self,
        sfu: MediaPlane,
        *,
        node_id: str,
        settings: CallSettings,
        clock: Clock,
        rng: random.Random,
        on_open: Callable[[MediaSession], None],
        on_end: Callable[[MediaSession], None],
    ) -> None:
        self._sfu = sfu
        self._node_id = node_id
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._on_open = on_open
        self._on_end = on_end
        self._sessions: dict[int, MediaSession] = {}
        self._of_login: dict[tuple[int, int], dict[int, MediaSession]] = {}
        """The same by App and ``login_id`` of the owner: rooms with many come and go, each looks only at its own."""
        self._streams: dict[tuple[int, str], LocalStream] = {}

    # --- sessions

    def begin(self, login: MediaLogin, role: MediaRole, stream_id: str, identity: MediaIdentity | None = None) -> MediaSession:
        """Register a session whose media is not open yet: from now on it is reached by events.

        ``identity``: what another node, through which the client talks, has given to the session. Raises ``TooManyMediaSessions``, and
        ``MediaEnded`` where that id is taken here: the client is to ask again.
        """
        owner = login.owner
        if len(self.of_owner(owner)) >= self._settings.max_media_sessions:
            raise TooManyMediaSessions(f"a room session may have {self._settings.max_media_sessions} media sessions")
        number, token = identity or (self.unused_id(), f"{self._rng.getrandbits(TOKEN_BITS):032x}")
        if number in self._sessions:
            raise MediaEnded("this node has another session of that id")
        media = MediaSession(number, token, role, owner, stream_id, login)
        self._sessions[media.media_session_id] = media
        self._of_login.setdefault((owner.app_id, owner.login_id), {})[media.media_session_id] = media
        return media

    def unused_id(self) -> int:
        """A media session id that no session here has."""
        found = self._rng.getrandbits(UINT32)
        while not found or found in self._sessions:
            found = self._rng.getrandbits(UINT32)
        return found

    def opened(self, media: MediaSession, muted_until: int) -> None:
        """Its media is open; ``muted_until``: see ``LocalStream``.

        Raises ``MediaEnded`` if an event has ended the session meanwhile; its media is closed then.
        """
        if media.ended is not None:
            self._stop(media, media.ended)
            raise MediaEnded(f"ended while it was being opened: {media.ended}")
        local = self._stream_of(media)
        if media.role is MediaRole.PLAYER:
            local.players[media.media_session_id] = media
        else:
            local.publishers[media.media_session_id] = media
            local.withdraw_at = local.withdraw_owner = None
        if local.room_id != media.stream_room:
            # New here, or in another room now; what is known here already is followed by events.
            local.room_id, local.muted_until = media.stream_room, muted_until
        if local.muted_until:
            self.mute(local, local.muted_until)
        self._on_open(media)
        log.info("media_session_opened", **where(media))

    def end(self, media: MediaSession, reason: MediaEnd) -> None:
        """End a session: its media stops now and its client is told. Ending it again does nothing."""
        if media.ended is not None:
            return
        media.ended = reason
        del self._sessions[media.media_session_id]
        of_login = self._of_login[media.app_id, media.owner.login_id]
        del of_login[media.media_session_id]
        if not of_login:
            del self._of_login[media.app_id, media.owner.login_id]
        self._stop(media, reason)
        local = self._streams.get((media.app_id, media.stream_id))
        if local is not None:
            local.players.pop(media.media_session_id, None)
            if local.publishers.pop(media.media_session_id, None) and not local.publishers:
                self._plan_withdrawal(local, media, reason)
                if reason not in _MAY_COME_BACK:
                    self.stream_over(local)
            self.drop_if_empty(local)
        self._on_end(media)
        log.info("media_session_ended", reason=reason.value, **where(media))
        if media.login is not None and reason not in _UNSAID:
            media.login.peer.closed(media, reason)

    def _stop(self, media: MediaSession, reason: MediaEnd) -> None:
        connection, media.connection = media.connection, None
        if connection is None:
            self._sfu.close(media.media_session_id)
        else:
            connection.close(reason.value.replace("_", " "))

    def stream_over(self, local: LocalStream) -> None:
        """A stream is over. Its RTMP and FLV players are told in the only way there is; those of the SFU stay for its next life."""
        for player in list(local.players.values()):
            if player.connection is not None:
                self.end(player, MediaEnd.STREAM_ENDED)

    def get(self, media_session_id: int) -> MediaSession | None:
        return self._sessions.get(media_session_id)

    def owned(self, login: MediaLogin, media_session_id: int) -> MediaSession:
        """The login's own session. Raises ``MediaSessionUnknown``, also for somebody else's."""
        media = self._sessions.get(media_session_id)
        if media is None or not self.belongs(media, login.owner):
            raise MediaSessionUnknown("no such media session of this user")
        return media

    @staticmethod
    def belongs(media: MediaSession, owner: Session) -> bool:
        return media.owner.session_id == owner.session_id and media.owner.app_id == owner.app_id

    def all(self) -> list[MediaSession]:
        return list(self._sessions.values())

    def of_login(self, owner: Session) -> list[MediaSession]:
        """Media sessions of a user's login, whatever the room."""
        return list(self._of_login.get((owner.app_id, owner.login_id), {}).values())

    def of_owner(self, owner: Session) -> list[MediaSession]:
        """Media sessions of a room session."""
        return [media for media in self.of_login(owner) if media.owner.session_id == owner.session_id]

    # --- sockets

    def rebind(self, login: MediaLogin, held: Iterable[tuple[int, str]]) -> None:
        """Put the sessions that a client claims on its new socket; fills ``login.resumed`` and ``login.unknown``."""
        resumed: list[int] = []
        unknown: list[int] = []
        for media_session_id, token in held:
            media = self._sessions.get(media_session_id)
            if media is None or not self.belongs(media, login.owner) or not same_secret(media.token, token):
                unknown.append(media_session_id)
                continue
            media.login = login
            media.detached_until = None
            resumed.append(media_session_id)
        login.resumed = tuple(resumed)
        login.unknown = tuple(unknown)

    def socket_lost(self, login: MediaLogin) -> None:
        """Sessions of a lost socket wait for the next one."""
        for media in self.of_owner(login.owner):
            if media.login is login:
                media.login = None
                media.detached_until = self._clock() + self._settings.socket_grace

    def claimed_owner(self, app_id: int, session_id: int, held: Iterable[tuple[int, str]]) -> Session | None:
        """The room session that owns what a client claims, as it was when the media began; None if nothing of it is here."""
        for media_session_id, _ in held:
            media = self._sessions.get(media_session_id)
            if media is not None and media.app_id == app_id and media.owner.session_id == session_id:
                return media.owner
        return None

    def tell(self, media: MediaSession) -> None:
        """Tell the client what it has not been told yet."""
        if media.login is None or not media.connected:
            return
        if not media.told_connected:
            media.told_connected = True
            media.login.peer.connected(media)
        if media.role is not MediaRole.PLAYER:
            return
        local = self._streams.get((media.app_id, media.stream_id))
        if local is not None and local.status is not None and local.status != media.told_status:
            media.told_status = local.status
            media.login.peer.status(media, local.status.mic, local.status.camera)

    def set_status(self, media: MediaSession, status: StreamStatus) -> None:
        """Remember a publisher's status and pass it on."""
        local = self._streams.get((media.app_id, media.stream_id))
        if local is None or local.publisher is not media:
            return
        local.status = status
        for player in list(local.players.values()):
            self.tell(player)

    def learn_status(self, player: MediaSession, status: StreamStatus) -> None:
        """The status of a publisher on another node."""
        local = self._streams.get((player.app_id, player.stream_id))
        if local is not None and local.publisher is None:
            local.status = status

    # --- streams

    def streams(self) -> list[LocalStream]:
        return list(self._streams.values())

    def stream(self, app_id: int, stream_id: str) -> LocalStream | None:
        return self._streams.get((app_id, stream_id))

    def drop_if_empty(self, local: LocalStream) -> None:
        if local.empty:
            self._streams.pop((local.app_id, local.stream_id), None)

    def _stream_of(self, media: MediaSession) -> LocalStream:
        key = media.app_id, media.stream_id
        local = self._streams.get(key)
        if local is None:
            local = self._streams[key] = LocalStream(*key)
        return local

    def _plan_withdrawal(self, local: LocalStream, media: MediaSession, reason: MediaEnd) -> None:
        """The stream of a publisher that is gone: off the air at once, after the grace, or already dealt with by the room."""
        if reason in (MediaEnd.CLOSED, MediaEnd.MEDIA_LOST):
            local.withdraw_at = self._clock() + self._settings.publisher_grace
        elif reason is MediaEnd.SOCKET_LOST:
            local.withdraw_at = self._clock()
        else:
            return
        local.withdraw_owner = media.owner
        local.withdraw_reason = StreamEnd.STOPPED if reason is MediaEnd.CLOSED else StreamEnd.MEDIA_LOST

    # --- room events

    def stream_ended(self, app_id: int, stream: Stream, reason: MediaEnd) -> None:
        """A stream's life is over: its publisher's media ends. Players stay: a new life of the stream goes on in them."""
        local = self._streams.get((app_id, stream.stream_id))
        if local is None:
            return
        for publisher in list(local.publishers.values()):
            # An event of an earlier life may arrive after the same user has begun the next one.
            if publisher.stream_sid == stream.stream_sid:
                self.end(publisher, reason)
        if not local.publishers:
            self.stream_over(local)

    def stream_forbidden(self, app_id: int, stream_id: str) -> None:
        """Nobody may publish or play the stream any more."""
        local = self._streams.get((app_id, stream_id))
        if local is not None:
            for media in [*local.publishers.values(), *local.players.values()]:
                self.end(media, MediaEnd.STREAM_FORBIDDEN)

    def stream_muted(self, app_id: int, room_id: str, stream_id: str, until: int) -> None:
        """The operator has muted the sound of a room's stream until then (epoch ms), or (0) allows it again."""
        local = self._streams.get((app_id, stream_id))
        if local is not None and local.room_id == room_id:
            self.mute(local, until)

    def mute(self, local: LocalStream, until: int) -> None:
        """Its players get the sound from then (epoch ms) on, or (0) now."""
        local.muted_until = until
        for player in local.players.values():
            self._forward(player, local)

    def set_active(self, media: MediaSession, active: bool) -> None:
        """A player wants the sound, or not."""
        media.active = active
        local = self._streams.get((media.app_id, media.stream_id))
        if local is not None:
            self._forward(media, local)

    def _forward(self, player: MediaSession, local: LocalStream) -> None:
        audio = player.active and local.muted_until <= self._clock()
        if player.connection is None:
            self._sfu.set_forwarding(player.media_session_id, audio=audio)
        else:
            player.connection.set_forwarding(audio=audio)

    def stream_located(self, app_id: int, stream: Stream) -> None:
        """Where a stream is now. If it has moved to another node, what this node has of it ends."""
        local = self._streams.get((app_id, stream.stream_id))
        if local is None:
            return
        carrier = "" if stream.node_id in ("", self._node_id) else stream.node_id
        if carrier:
            for publisher in list(local.publishers.values()):
                if publisher.stream_sid == stream.stream_sid:
                    self.end(publisher, MediaEnd.SUPERSEDED)
        for player in list(local.players.values()):
            if player.carrier != carrier and (player.carrier or not local.publishers):
                self.end(player, MediaEnd.STREAM_MOVED)


def where(media: MediaSession) -> dict[str, object]:
    """Log fields of a media session: no secrets."""
    owner = media.owner
    return {
        "app_id": owner.app_id,
        "room_id": owner.room_id,
        "user_id": owner.user_id,
        "stream_id": media.stream_id,
        "media": media.role.value,
    }
