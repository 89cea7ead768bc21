"""Calls: one service that every dialect uses, for the room side (login, publish and play addresses) and the media side (sessions).

Room events reach it synchronously through ``rooms.watch``, media events through ``MediaListener``; both only change local state and
close local media. What must be said to the registry afterwards (a stream that lost its media goes off the air) is said by
``calls/upkeep.py``, so there is one place that waits for the registry and retries.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import structlog

from calls import admission
from calls.addresses import MediaCredential
from calls.apps import App
from calls.dispatched_media import DispatchedMedia
from calls.errors import AppUnknown, MediaSessionUnknown
from calls.figures import QualityReport
from calls.guest_media import GuestMedia
from calls.live_access import LiveAdmission
from calls.live_media import LiveMedia, where
from calls.media_owner import MediaClaim, find_owner, find_returned
from calls.media_session import (
    BegunMedia,
    MediaEnd,
    MediaIdentity,
    MediaLogin,
    MediaPath,
    MediaPeer,
    MediaRole,
    MediaSession,
    OpenedMedia,
    StreamStatus,
)
from calls.opening import MediaOpening
from calls.ports import MediaPlane, Rooms
from calls.publish_permission import PublishPermission
from calls.quality_reports import QualityReports
from calls.remote_media import RemoteMedia
from calls.room_watch import RoomWatches
from calls.settings import CallSettings
from calls.statistics import MediaStatistics, Subject
from calls.stream_addresses import ListedAddresses, StreamAddresses, Transport
from calls.upkeep import CallUpkeep
from media.sfu import Lost
from rooms.errors import StoreUnavailable
from rooms.events import Receiver, StreamEnd
from rooms.model import Client, Clock, LoginRequest, Session, Stream

if TYPE_CHECKING:
    from rooms.service import LoginResult

log = structlog.get_logger()

ROLE_HOST = 2
"""``role`` that every SDK sends."""


class EnterRequest(msgspec.Struct, frozen=True):
    """A user's wish to be in a room, as a dialect read it; the token is not verified yet."""

    app_id: int
    room_id: str
    user_id: str
    user_name: str
    token: str
    client: Client
    role: int = ROLE_HOST
    max_users: int = 0
    multi_room: bool = False
    login_id: int = 0
    """0 = a login of its own; else a further room of that login."""
    resume: int = 0
    """Session id that the client believes to hold; 0 = none."""


class Calls:
    """Binds room sessions to media sessions. ``run`` must be running for deadlines to be kept."""

    def __init__(
        self,
        rooms: Rooms,
        sfu: MediaPlane,
        *,
        apps: Callable[[int], App | None],
        settings: CallSettings,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        """``apps`` finds an App by its AppID. ``rng`` makes ids and secrets: ``random.SystemRandom`` except in tests."""
        self._rooms = rooms
        self._sfu = sfu
        self._apps = apps
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._watches = RoomWatches(rooms)
        self._statistics = MediaStatistics(interval=settings.statistics_interval, points=settings.statistics_points, clock=clock)
        self._reports = QualityReports(self._statistics, rooms.node_requests)
        self._live = LiveMedia(
            sfu, node_id=rooms.node.node_id, settings=settings, clock=clock, rng=rng, on_open=self._opened, on_end=self._ended
        )
        self._publishing = PublishPermission(rooms, clock)
        self._remote = RemoteMedia(rooms, self._live, clock)
        self._guests = GuestMedia(self, rooms, self._live, settings, clock)
        self._opening = MediaOpening(rooms, sfu, self._live, self._watches, self._remote, self._publishing, apps, settings, clock)
        self.stream_addresses = StreamAddresses(rooms, settings.rtmp_port)
        self._upkeep = CallUpkeep(rooms, self._live, self._watches, self.stream_addresses, settings)
        self._dispatched = DispatchedMedia(rooms, self._live, self._watches, self._opening, settings, clock)
        self.live_admission = LiveAdmission(rooms, self._live, self._opening, self._dispatched, apps)
        """Who may publish and play over RTMP and FLV."""

    # --- room side

    async def login(self, request: EnterRequest, receiver: Receiver) -> LoginResult:
        """Verify the token and enter the room, or come back to a session. Raises ``AppUnknown``, ``TokenError``, ``RoomError``."""
        app = self._app(request.app_id)
        grant = admission.admit(app, room_id=request.room_id, user_id=request.user_id, token=request.token, now=self._clock())
        return await self._rooms.login(
            LoginRequest(
                app_id=request.app_id,
                room_id=request.room_id,
                user_id=request.user_id,
                user_name=request.user_name,
                client=request.client,
                grant=grant,
                role=request.role,
                max_users=request.max_users,
                multi_room=request.multi_room,
                login_id=request.login_id,
                resume=request.resume,
            ),
            receiver,
        )

    async def renew_token(self, session: Session, token: str) -> int:
        """Replace the session's token; returns the seconds it is good for. Raises ``TokenError``, ``SessionUnknown``.

        Affects what the session begins from now on, never a running publish (``zego-cloud.md`` §1.3).
        """
        app = self._app(session.app_id)
        now = self._clock()
        grant = admission.admit(app, room_id=session.room_id, user_id=session.user_id, token=token, now=now)
        await self._rooms.update_grant(session, grant)
        return admission.remaining_seconds(grant, now)

    def token_remaining(self, session: Session) -> int:
        """Seconds until the token that this value of the session has expires, 0 when it has. A login gives the newest."""
        return admission.remaining_seconds(session.grant, self._clock())

    async def publish_urls(self, session: Session, stream_id: str, transport: Transport, base: str) -> list[str]:
        """Reserve the stream for this session and say where to send it; empty when this node has no such transport.

        ``base``: WebSocket base URL (``scheme://host[:port]``) that the client itself used, good for a node without a configured one.
        Raises ``StreamTaken`` for every later publisher of a stream id, ``TokenExpired``, ``TokenNotPermitted``, ``SessionUnknown``.
        """
        current = await self._publishing.current(session)
        urls = self.stream_addresses.here(current, stream_id, transport, base)
        if urls:
            await self._publishing.reserve(current, stream_id)
        return [*urls, *await self.stream_addresses.spares(current, transport)]

    async def play_urls(self, session: Session, stream_id: str, transport: Transport, base: str) -> list[str]:
        """Where to play a stream: on the node that holds it, on this one if nobody publishes it (yet)."""
        return await self.stream_addresses.on_its_node(session, stream_id, transport, base)

    def list_addresses(self, credential: MediaCredential, stream: Stream, base: str) -> ListedAddresses | None:
        """Where the holder of a credential plays a stream of its room, for the lists that its client shows; None = ask ``play_urls``."""
        return self.stream_addresses.listed(credential, stream, base)

    async def announce(self, session: Session, stream_id: str, extra_info: str) -> Stream:
        """Put a stream on the air. Repeating it is harmless. Raises as ``publish_urls``."""
        await self._publishing.check(await self._publishing.current(session), stream_id)
        stream = await self._rooms.publish(session, stream_id, extra_info)
        self._upkeep.announcements.forget(session.app_id, stream_id)
        return stream

    async def update_announcement(self, session: Session, stream_id: str, extra_info: str) -> Stream:
        """Change ``extra_info`` of an own stream. Raises ``StreamUnknown``, ``NotOwner``, ``InvalidRequest``."""
        return await self._rooms.update_stream(session, stream_id, extra_info)

    async def withdraw(self, session: Session, stream_id: str) -> Stream | None:
        """Take an own stream off the air and end its media; None if there was none."""
        self._upkeep.announcements.forget(session.app_id, stream_id)
        removed = await self._rooms.unpublish(session, stream_id, StreamEnd.STOPPED)
        if removed is not None:
            self._live.stream_ended(session.app_id, removed, MediaEnd.STREAM_ENDED)
        return removed

    async def leave(self, session: Session, whole_login: bool) -> None:
        """End the session's media at once, then log it out; with ``whole_login`` of every room of that login."""
        for media in self._live.of_login(session) if whole_login else self._live.of_owner(session):
            self._live.end(media, MediaEnd.LEFT)
        await self._rooms.logout(session, whole_login=whole_login)

    # --- media side

    async def media_login(self, credential: MediaCredential, claim: MediaClaim, peer: MediaPeer) -> MediaLogin:
        """Authorise a media socket and rebind the sessions that its client still holds (``web-1x-2x.md`` §9).

        Call ``catch_up`` once the answer is on its way. Raises ``AppUnknown``, ``AddressStale`` (also for a wrong key or user: nobody
        learns which; without a token ``SessionUnknown``), ``StoreUnavailable``.
        """
        app = self._app(credential.app_id)
        owner = await find_owner(credential, claim, self._rooms, self._live)
        if owner is None:
            owner = await find_returned(app, claim, self._rooms, self._settings, self._clock)
        login = MediaLogin(owner, peer)
        self._live.rebind(login, claim.held)
        return login

    def catch_up(self, login: MediaLogin) -> None:
        """Tell a new socket what its resumed sessions missed while they had none."""
        for media_session_id in login.resumed:
            media = self._live.get(media_session_id)
            if media is not None and media.login is login:
                self._live.tell(media)

    def media_socket_lost(self, login: MediaLogin) -> None:
        """The socket is gone. Its media flows on for the grace period, waiting for the client's next socket."""
        self._live.socket_lost(login)

    async def open_publisher(self, login: MediaLogin, stream_id: str, offer: str) -> OpenedMedia:
        """Answer an offer to publish. The stream's earlier session of the same owner, if any, gives way without a word.

        Raises ``StreamTaken``, ``StreamForbidden``, ``UserDenied``, ``TokenExpired``, ``TokenNotPermitted``, ``SessionUnknown``,
        ``SdpRefused``, ``MediaFull``, ``TooManyMediaSessions``, ``MediaEnded``.
        """
        return await self._opening.open(login, MediaRole.PUBLISHER, stream_id, offer)

    async def open_player(
        self, login: MediaLogin, stream_id: str, offer: str, *, across_nodes: bool = False, identity: MediaIdentity | None = None
    ) -> OpenedMedia:
        """Answer an offer to play a stream that is reserved or on the air.

        ``across_nodes``: if another node holds the stream, the offer is answered there and the media goes straight to that node; without
        it ``StreamElsewhere`` is raised then. ``identity``: see ``LiveMedia.begin``. Raises ``StreamUnknown``, ``NodeUnreachable`` (the
        stream's node does not answer), and as ``open_publisher``.
        """
        return await self._opening.open(login, MediaRole.PLAYER, stream_id, offer, across_nodes=across_nodes, identity=identity)

    async def begin_media(
        self,
        login: MediaLogin,
        role: MediaRole,
        stream_id: str,
        *,
        across_nodes: bool = False,
        identity: MediaIdentity | None = None,
    ) -> BegunMedia:
        """Open a session in two steps: the offer comes later, to ``describe`` (the first session style, ``web-1x-2x.md`` §4).

        A session that is not described within ``CallSettings.describe_grace`` ends. Raises ``NoRelay`` where no TURN server can be named,
        which clients of that style insist on, and as ``open_publisher`` and ``open_player`` but for the offer.
        """
        return await self._opening.begin(login, role, stream_id, across_nodes=across_nodes, identity=identity)

    async def describe(self, login: MediaLogin, media_session_id: int, offer: str) -> str:
        """The answer to the offer of a session from ``begin_media``; once per session.

        Raises ``MediaSessionUnknown`` (also for a session that has its answer), ``SdpRefused``, ``MediaFull``, ``MediaEnded``; after each
        of them but the first the session is over.
        """
        return await self._opening.describe(self._live.owned(login, media_session_id), offer)

    def media_path(self, login: MediaLogin, media_session_id: int) -> MediaPath:
        """How the client reaches the media of its session. Raises ``MediaSessionUnknown``."""
        return self._opening.path(self._live.owned(login, media_session_id))

    @property
    def media_addresses(self) -> tuple[str, ...]:
        """``host:port`` of this node's media plane, best first."""
        return self._sfu.addresses

    @property
    def relay_urls(self) -> tuple[str, ...]:
        """TURN servers that clients of this node are sent to; empty = none."""
        return self._sfu.relay_urls

    def close_media(self, login: MediaLogin, media_session_id: int) -> None:
        """The client ends a session. A stream stays on the air for the grace: the client may be about to open it again.

        Raises ``MediaSessionUnknown``.
        """
        self._live.end(self._live.owned(login, media_session_id), MediaEnd.CLOSED)

    def set_status(self, login: MediaLogin, media_session_id: int, mic: int, camera: int) -> None:
        """A publisher's microphone and camera, passed on to every player of the stream. Raises ``MediaSessionUnknown``."""
        media = self._live.owned(login, media_session_id)
        if media.role is not MediaRole.PUBLISHER:
            raise MediaSessionUnknown("not a publisher's session")
        self._live.set_status(media, StreamStatus(mic, camera))

    def set_audio_active(self, login: MediaLogin, media_session_id: int, active: bool) -> None:
        """A player mutes or unmutes the stream for itself: forwarding of its audio stops or goes on. Raises ``MediaSessionUnknown``."""
        media = self._live.owned(login, media_session_id)
        if media.role is not MediaRole.PLAYER:
            raise MediaSessionUnknown("not a player's session")
        self._live.set_active(media, active)
        if media.carrier:
            self._remote.set_active(media)

    def report_quality(self, login: MediaLogin, media_session_id: int, report: QualityReport) -> None:
        """What the client's SDK says about the quality of a session. Raises ``MediaSessionUnknown``."""
        self._reports.take(self._live.owned(login, media_session_id), report)

    def holds(self, login: MediaLogin, media_session_id: int) -> bool:
        """Whether this media session lives and belongs to the login's room session."""
        media = self._live.get(media_session_id)
        return media is not None and self._live.belongs(media, login.owner)

    def has_media(self, login: MediaLogin) -> bool:
        """Whether the login's room session has any media session."""
        return bool(self._live.of_owner(login.owner))

    def unused_media_id(self) -> int:
        """A media session id that no session of this node has: dialects close a session with it that never was."""
        return self._live.unused_id()

    # --- MediaListener

    def media_connected(self, session_id: int) -> None:
        """ICE and DTLS of a media session are up."""
        media = self._live.get(session_id)
        if media is None:
            return
        media.connected = True
        log.info("media_session_connected", **where(media))
        self._live.tell(media)

    def media_lost(self, session_id: int, reason: str) -> None:
        """The media plane has closed a session whose peer stopped answering."""
        media = self._live.get(session_id)
        if media is None:
            return
        log.info("media_session_lost", reason=reason, **where(media))
        self._live.end(media, MediaEnd.SUPERSEDED if reason == Lost.REPLACED else MediaEnd.MEDIA_LOST)

    # --- time

    async def run(self) -> None:
        """Keep deadlines until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._settings.tick, lambda: self.tick(self._clock())))
            # Not a part of the ticks: it waits for other nodes.
            tasks.create_task(self._repeat(self._settings.stray_player_check, self.call_roll))

    @staticmethod
    async def _repeat(pause: int, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(pause / admission.MS)
            try:
                await step()
            except Exception:
                # One bad round must not end all later ones; the deadlines are still there.
                log.exception("calls_step_failed")

    async def tick(self, now: int) -> None:
        """Do what is due at ``now`` (epoch ms). A registry that cannot be reached is asked again at a later tick."""
        self._statistics.tick(now)
        self._guests.tick(now)
        await self._upkeep.tick(now)
        with contextlib.suppress(StoreUnavailable):
            await self._dispatched.tick(now)

    async def call_roll(self) -> None:
        """Compare with the nodes whose streams clients of this node play what is there."""
        await self._remote.roll_call()

    def begin_drain(self) -> None:
        """This node goes away in a while. Each publisher whose room session is on another node by then is sent there with its stream;
        the players follow the stream. Media of all others goes on until ``aclose``.
        """
        self._upkeep.draining = True

    def aclose(self) -> None:
        """End all media of this node; clients are told to ask again, so that they find another one."""
        for media in self._live.all():
            self._live.end(media, MediaEnd.NODE_STOPPED)

    def _opened(self, media: MediaSession) -> None:
        if media.carrier:
            return
        owner = media.owner
        subject = Subject(
            media.media_session_id, media.role, owner.app_id, owner.room_id, owner.user_id, media.stream_id, owner.client, self._clock()
        )
        read = partial(self._sfu.figures, media.media_session_id) if media.connection is None else media.connection.figures
        self._statistics.follow(subject, read)

    @property
    def statistics(self) -> MediaStatistics:
        """Quality of the media sessions that are on this node."""
        return self._statistics

    def _ended(self, media: MediaSession) -> None:
        self._watches.release(media)
        self._statistics.forget(media.media_session_id)
        self._remote.ended(media)

    # --- what both sides need

    def _app(self, app_id: int) -> App:
        app = self._apps(app_id)
        if app is None:
            raise AppUnknown(f"no App {app_id}")
        return app
