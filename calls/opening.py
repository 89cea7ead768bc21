"""Opens media sessions: every check in its order, then the media plane, this node's or another one's."""

from __future__ import annotations

from collections.abc import Callable

from calls.apps import App
from calls.errors import MediaEnded, MediaSessionUnknown, NoRelay, StreamElsewhere
from calls.live_media import LiveMedia
from calls.media_session import BegunMedia, MediaEnd, MediaIdentity, MediaLogin, MediaPath, MediaRole, MediaSession, OpenedMedia, plane_name
from calls.ports import MediaPlane, Rooms
from calls.publish_permission import PublishPermission
from calls.remote_media import RemoteMedia
from calls.room_watch import RoomWatches
from calls.settings import CallSettings
from media.errors import LiveRefused
from media.plane import Loudest
from media.rtmp.access import LiveConnection
from rooms.errors import StreamForbidden, StreamUnknown
from rooms.model import Clock, Verdict


class MediaOpening:
    """What it raises is documented at the methods of ``calls.service.Calls`` that call it."""

    def __init__(
        self,
        rooms: Rooms,
        sfu: MediaPlane,
        live: LiveMedia,
        watches: RoomWatches,
        remote: RemoteMedia,
        publishing: PublishPermission,
        apps: Callable[[int], App | None],
        settings: CallSettings,
        clock: Clock,
    ) -> None:
        self._rooms = rooms
        self._sfu = sfu
        self._live = live
        self._watches = watches
        self._remote = remote
        self._publishing = publishing
        self._apps = apps
        self._settings = settings
        self._clock = clock

    async def open(
        self,
        login: MediaLogin,
        role: MediaRole,
        stream_id: str,
        offer: str,
        *,
        across_nodes: bool = False,
        identity: MediaIdentity | None = None,
    ) -> OpenedMedia:
        """A session whose client has sent its offer."""
        media = await self._prepare(login, role, stream_id, across_nodes, identity)
        return OpenedMedia(media.media_session_id, media.token, await self._answer(media, offer))

    async def begin(
        self, login: MediaLogin, role: MediaRole, stream_id: str, *, across_nodes: bool = False, identity: MediaIdentity | None = None
    ) -> BegunMedia:
        """A session whose offer comes later."""
        if not self._sfu.relay_urls and not across_nodes:
            raise _no_relay()
        media = await self._prepare(login, role, stream_id, across_nodes, identity)
        try:
            if media.carrier:
                await self._remote.open(media, None)
            access = self.path(media).relay
            if access is None:
                raise _no_relay()
        except BaseException:
            self._live.end(media, MediaEnd.CLOSED)
            raise
        if media.ended is not None:
            raise MediaEnded(f"ended while it was being opened: {media.ended}")
        media.describe_until = self._clock() + self._settings.describe_grace
        return BegunMedia(media.media_session_id, media.token, access)

    async def connect(self, login: MediaLogin, role: MediaRole, stream_id: str, connection: LiveConnection) -> MediaSession:
        """A session of an RTMP or FLV connection: media that needs no offer. Its stream is on this node."""
        media = await self._prepare(login, role, stream_id, False, None)
        await self.give(media, connection)
        return media

    async def give(self, media: MediaSession, connection: LiveConnection) -> None:
        """Give a session for which everything is checked and held to the connection that wants it."""
        try:
            verdict = await self._verdict(media)
            former = self._in_the_way(media)
            if former is not None:
                self._live.end(former, MediaEnd.SUPERSEDED)
            connection.open(plane_name(media.app_id, media.stream_id))
        except BaseException:
            self._live.end(media, MediaEnd.CLOSED)
            raise
        media.connection = connection
        self._live.opened(media, verdict.audio_muted_until)

    def _in_the_way(self, media: MediaSession) -> MediaSession | None:
        """The stream's publisher of now, which has to give way. Raises ``LiveRefused`` if it has not: media comes from it.

        Only its owner gets so far. A connection from which nothing comes is one that broke without a word, and its owner is back; from
        one that is alive, another copy of the address is in use, and that publishes nothing.
        """
        local = self._live.stream(media.app_id, media.stream_id)
        former = None if local is None or media.role is not MediaRole.PUBLISHER else local.publisher
        if former is not None and former.connection is not None:
            silent = former.connection.silent_ms
            if silent is None or silent < self._settings.replace_after:
                raise LiveRefused("the stream is being published")
        return former

    async def _verdict(self, media: MediaSession) -> Verdict:
        """What the operator says of the stream. Raises ``StreamForbidden``.

        The room is watched since ``_prepare``: what the operator says from here on is seen as an event.
        """
        verdict = await self._rooms.moderation.verdict(media.app_id, media.stream_room, media.stream_id)
        if verdict.forbidden:
            raise StreamForbidden("the operator has forbidden the stream")
        return verdict

    async def describe(self, media: MediaSession, offer: str) -> str:
        """The answer for a session from ``begin``."""
        if media.describe_until is None:
            raise MediaSessionUnknown("described already")
        media.describe_until = None
        return await self._answer(media, offer)

    def path(self, media: MediaSession) -> MediaPath:
        """How its client reaches the session's media."""
        if media.path is not None:
            return media.path
        return MediaPath(self._sfu.addresses, self._sfu.relay_access(media.media_session_id))

    async def _prepare(
        self, login: MediaLogin, role: MediaRole, stream_id: str, across_nodes: bool, identity: MediaIdentity | None
    ) -> MediaSession:
        """A session that may be: everything is checked and held but the offer."""
        media = self._live.begin(login, role, stream_id, identity)
        try:
            await self._watches.hold(media, login.owner.room_id, self._live)
            # Asked after the watch began: whoever leaves from here on is seen as an event.
            owner = await self._publishing.current(login.owner)
            if role is MediaRole.PUBLISHER:
                media.stream_sid = (await self._publishing.reserve(owner, stream_id)).stream_sid
                media.stream_room = owner.room_id
            else:
                await self.find(media, across_nodes)
        except BaseException:
            self._live.end(media, MediaEnd.CLOSED)
            raise
        if media.ended is not None:
            raise MediaEnded(f"ended while it was being opened: {media.ended}")
        return media

    async def find(self, media: MediaSession, across_nodes: bool = False) -> None:
        """Where the stream is that is to be played. Raises ``StreamUnknown``, ``StreamForbidden``, ``StreamElsewhere``."""
        owner = media.owner
        stream = await self._rooms.stream(owner.app_id, media.stream_id)
        local = self._live.stream(owner.app_id, media.stream_id)
        if stream is None and local is not None and local.publisher is not None and not local.publisher.stream_room:
            return  # published here by the operator's leave, in no room
        if stream is None:
            if (await self._rooms.moderation.verdict(owner.app_id, owner.room_id, media.stream_id)).forbidden:
                raise StreamForbidden("the operator has forbidden the stream")
            raise StreamUnknown("nobody publishes this stream")
        if stream.node_id and stream.node_id != self._rooms.node.node_id:
            if not across_nodes:
                raise StreamElsewhere("another node holds this stream")
            media.carrier = stream.node_id
        media.stream_room = stream.room_id
        if stream.room_id != owner.room_id:
            await self._watches.hold(media, stream.room_id, self._live)

    async def _answer(self, media: MediaSession, offer: str) -> str:
        """Open the session's media."""
        try:
            verdict = await self._verdict(media)
            answer = await self._open(media, offer)
        except BaseException:
            self._live.end(media, MediaEnd.CLOSED)
            raise
        self._live.opened(media, verdict.audio_muted_until)
        return answer

    async def _open(self, media: MediaSession, offer: str) -> str:
        if media.carrier:
            return await (self._remote.open(media, offer) if media.path is None else self._remote.describe(media, offer))
        name = plane_name(media.app_id, media.stream_id)
        if media.role is MediaRole.PLAYER:
            return await self._sfu.open_player(media.media_session_id, name, offer)
        return await self._sfu.open_publisher(media.media_session_id, name, offer, loudest=self._loudest(media))

    def _loudest(self, media: MediaSession) -> Loudest | None:
        """The streams of a room that are on this node compete for being forwarded, where the App wants that."""
        app = self._apps(media.app_id)
        if app is None or not app.loudest:
            return None
        return Loudest(group=f"{media.app_id}/{media.stream_room}", most=app.loudest)


def _no_relay() -> NoRelay:
    return NoRelay("no TURN server can be named (media.turn, media.turn_external)")
