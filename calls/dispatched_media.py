"""Publishing and playing by the operator's leave: addresses of RTMPDispatchV2, for OBS, ffmpeg and the like, which are no users of a room.

Behind such an address stands no room session. Its media sessions belong to a stand-in (``is_operators``), each to one of its own. What
is pushed goes on the air when its media comes, in the room and the name of the user that the operator has signed; if the room does not
exist yet, as soon as it does. Without a room it is in no list, and whoever knows the stream's id may play it, on this node.
"""

from __future__ import annotations

import structlog

from auth.rtmp_credential import RtmpGrant, RtmpRight, verify_rtmp
from calls.addresses import LiveAddress, SignedQuery
from calls.admission import MS
from calls.apps import App
from calls.live_media import LiveMedia, where
from calls.media_session import MediaEnd, MediaLogin, MediaPeer, MediaRole, MediaSession
from calls.opening import MediaOpening
from calls.ports import Rooms
from calls.room_watch import RoomWatches
from calls.settings import CallSettings
from media.errors import LiveRefused
from media.rtmp.access import LiveConnection
from rooms.errors import RoomError, RoomUnknown, StoreUnavailable
from rooms.model import Client, Clock, Grant, Session, Stream

log = structlog.get_logger()


def is_operators(owner: Session) -> bool:
    """Whether this stands in for a room session: no real one has such an id."""
    return owner.session_id < 0


def owns(owner: Session, stream: Stream) -> bool:
    """Whether a stream on the air is the one that its media session of ``owner`` put there."""
    if is_operators(owner):
        return (stream.room_id, stream.user_id) == (owner.room_id, owner.user_id)
    return stream.session_id == owner.session_id


class DispatchedMedia:
    def __init__(
        self, rooms: Rooms, live: LiveMedia, watches: RoomWatches, opening: MediaOpening, settings: CallSettings, clock: Clock
    ) -> None:
        self._rooms = rooms
        self._live = live
        self._watches = watches
        self._opening = opening
        self._settings = settings
        self._clock = clock
        self._unlisted: set[MediaSession] = set()
        """Publishers whose media flows and whose room does not know yet."""
        self._next_listing = 0

    async def connect(self, role: MediaRole, app: App, address: LiveAddress, peer: MediaPeer, connection: LiveConnection) -> MediaSession:
        """A session by the right that is signed in the address. Raises ``TokenError``, ``RoomError``, ``CallError``, ``LiveRefused``."""
        assert isinstance(address.right, SignedQuery)
        right: RtmpRight = "push" if role is MediaRole.PUBLISHER else "pull"
        now = self._clock()
        grant = verify_rtmp(address.right.text, app.keys, address.stream_id, right, now // MS)
        media = self._live.begin(MediaLogin(self._stand_in(app, grant, now), peer), role, address.stream_id)
        try:
            if role is MediaRole.PUBLISHER:
                await self._prepare_publisher(media)
            else:
                await self._opening.find(media)
        except BaseException:
            self._live.end(media, MediaEnd.CLOSED)
            raise
        await self._opening.give(media, connection)
        return media

    def media_arrived(self, media: MediaSession) -> None:
        """A publisher's media flows: its stream goes on the air with the next ``tick``."""
        if media.role is MediaRole.PUBLISHER and media.stream_room:
            self._unlisted.add(media)
            self._next_listing = 0

    async def tick(self, now: int) -> None:
        """List what has to be listed. Raises ``StoreUnavailable``."""
        if now < self._next_listing or not self._unlisted:
            return
        # Not at every tick: a room may be long in coming.
        self._next_listing = now + self._settings.stray_player_check
        for media in list(self._unlisted):
            if media.ended is None:
                await self._list(media)
            else:
                self._unlisted.discard(media)

    async def _prepare_publisher(self, media: MediaSession) -> None:
        owner = media.owner
        if owner.room_id:
            await self._watches.hold(media, owner.room_id, self._live)
        stream = await self._rooms.stream(media.app_id, media.stream_id)
        if stream is not None and not owns(owner, stream):
            raise LiveRefused("somebody else publishes this stream")
        media.stream_room = owner.room_id
        media.stream_sid = stream.stream_sid if stream is not None else 0

    async def _list(self, media: MediaSession) -> None:
        owner = media.owner
        try:
            stream = await self._rooms.moderation.add_stream(
                owner.app_id, owner.room_id, owner.user_id, owner.user_name, media.stream_id, "", self._rooms.node.node_id
            )
        except RoomUnknown:
            return  # asked again later
        except StoreUnavailable:
            raise
        except RoomError as error:
            log.info("dispatched_stream_refused", reason=str(error), **where(media))
            self._live.end(media, MediaEnd.STREAM_REMOVED)
        else:
            media.stream_sid = stream.stream_sid
        self._unlisted.discard(media)

    def _stand_in(self, app: App, grant: RtmpGrant, now: int) -> Session:
        number = -self._live.unused_id()
        return Session(
            app_id=app.app_id,
            room_id=grant.room_id,
            user_id=grant.user_id,
            user_name=grant.user_name,
            role=2,
            session_id=number,
            login_id=number,
            room_lifetime_id=0,
            media_key="",
            client=Client(kind="server"),
            grant=Grant(expires_at=grant.expires_at * MS),
            node_id=self._rooms.node.node_id,
            joined_at=now,
            attachment=0,
        )
