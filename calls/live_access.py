"""Who may publish and play over RTMP and FLV: the decisions that ``media.rtmp`` asks for.

An address names a stream and a right to it. The right is that of a room session, told by its media key in the path (the addresses that
``publish_urls`` and ``play_urls`` give out), or, for SDKs that make the address themselves, by the session id that they append as
``zgdid`` (``sdk-3x.md`` §6.1): session ids are secrets. What the session may do is what it may do over WebRTC, by the same rules. Or it is
the operator's signature (``calls.dispatched_media``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from auth import TokenError
from calls import addresses
from calls.addresses import LiveAddress, MediaCredential, SignedQuery
from calls.apps import App
from calls.dispatched_media import DispatchedMedia, is_operators
from calls.errors import AddressInvalid, CallError
from calls.live_media import LiveMedia, same_secret, where
from calls.media_session import MediaEnd, MediaLogin, MediaRole, MediaSession
from calls.opening import MediaOpening
from calls.ports import Rooms
from media.errors import LiveRefused
from media.rtmp.access import LiveConnection
from rooms.errors import RoomError, StreamUnknown
from rooms.model import Session

log = structlog.get_logger()


class _NoSocket:
    """The ``MediaPeer`` of a session that has no signalling of its own: what there is to say its connection says."""

    def connected(self, session: MediaSession) -> None: ...

    def status(self, session: MediaSession, mic: int, camera: int) -> None: ...

    def closed(self, session: MediaSession, reason: MediaEnd) -> None: ...


@dataclass(eq=False, slots=True)
class ConnectedMedia:
    """A media session as its connection sees it: ``media.rtmp.access.LiveSession``."""

    media: MediaSession
    live: LiveMedia
    dispatched: DispatchedMedia

    def media_arrived(self) -> None:
        self.media.connected = True
        log.info("media_session_connected", **where(self.media))
        if is_operators(self.media.owner):
            self.dispatched.media_arrived(self.media)

    def ended(self, *, lost: bool) -> None:
        # The connection has stopped by itself: it is not to be told to.
        self.media.connection = None
        self.live.end(self.media, MediaEnd.MEDIA_LOST if lost else MediaEnd.CLOSED)


class LiveAdmission:
    """``media.rtmp.access.LiveAccess``."""

    def __init__(
        self, rooms: Rooms, live: LiveMedia, opening: MediaOpening, dispatched: DispatchedMedia, apps: Callable[[int], App | None]
    ) -> None:
        self._rooms = rooms
        self._live = live
        self._opening = opening
        self._dispatched = dispatched
        self._apps = apps

    def serves(self, path: str) -> bool:
        """Whether a path begins with an App of this house."""
        first = path.strip("/").partition("/")[0].partition("?")[0]
        return first.isascii() and first.isdecimal() and len(first) <= 16 and self._apps(int(first)) is not None

    async def publish(self, address: str, client: str, connection: LiveConnection) -> ConnectedMedia:
        return await self._admit(MediaRole.PUBLISHER, address, client, connection)

    async def play(self, address: str, client: str, connection: LiveConnection) -> ConnectedMedia:
        return await self._admit(MediaRole.PLAYER, address, client, connection)

    async def _admit(self, role: MediaRole, address: str, client: str, connection: LiveConnection) -> ConnectedMedia:
        try:
            parsed = addresses.parse_live_address(address)
        except AddressInvalid as error:
            log.info("live_refused", role=role.value, client=client, reason=str(error))
            raise LiveRefused("not an address of this server") from None
        try:
            media = await self._connect(role, parsed, connection)
        except (CallError, RoomError, TokenError, LiveRefused) as error:
            reason = str(error)
            log.info("live_refused", role=role.value, client=client, app_id=parsed.app_id, stream_id=parsed.stream_id, reason=reason)
            raise LiveRefused(reason, unknown=isinstance(error, StreamUnknown)) from None
        return ConnectedMedia(media, self._live, self._dispatched)

    async def _connect(self, role: MediaRole, address: LiveAddress, connection: LiveConnection) -> MediaSession:
        app = self._apps(address.app_id)
        if app is None:
            raise _no_right()
        if isinstance(address.right, SignedQuery):
            return await self._dispatched.connect(role, app, address, _NoSocket(), connection)
        login = MediaLogin(await self._owner(address.app_id, address.right), _NoSocket())
        return await self._opening.connect(login, role, address.stream_id, connection)

    async def _owner(self, app_id: int, right: MediaCredential | int) -> Session:
        """The room session whose right this is. Raises ``LiveRefused``: nobody learns what of it is wrong."""
        if isinstance(right, int):
            found = await self._rooms.session(app_id, right)
        else:
            found = await self._rooms.session(app_id, right.session_id)
            if found is not None and not same_secret(found.media_key, right.media_key):
                found = None
        if found is None:
            raise _no_right()
        return found


def _no_right() -> LiveRefused:
    return LiveRefused("no right to this stream, or not any more: ask the room for a new address")
