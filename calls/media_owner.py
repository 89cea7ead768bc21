"""Whose media a socket carries: the room session of its address, or the one that the same user has by now.

SDKs keep a media address for as long as they publish and play. A client that was away for longer than the grace, or whose server was
restarted with its store, comes back to its room as a new session, while its media socket comes back to the old address. It need not ask for
a new one, which 1.x cannot: the room token that SDKs send on every media login (``web-1x-2x.md`` §3.1) shows again who it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from auth import TokenError
from calls import admission
from calls.addresses import MediaCredential
from calls.apps import App
from calls.errors import AddressStale
from calls.live_media import LiveMedia, same_secret
from calls.ports import Rooms
from calls.settings import CallSettings
from rooms.errors import SessionUnknown, StoreUnavailable
from rooms.events import Delivery, UserJoined
from rooms.model import Clock, Session

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class MediaClaim:
    """What a client says when it opens a media socket. None of it is believed before it is checked."""

    user_id: str
    room_id: str = ""
    token: str = field(default="", repr=False)
    """The room token; empty = it has none to show."""
    held: Sequence[tuple[int, str]] = field(default=(), repr=False)
    """Media sessions that it had on an earlier socket, with their tokens."""


class _Entrance:
    """Watches a room for a user to come in. A ``rooms.events.Watcher``."""

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self.session_id: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def deliver(self, delivery: Delivery) -> None:
        event = delivery.event
        if isinstance(event, UserJoined) and event.user.user_id == self._user_id and not self.session_id.done():
            self.session_id.set_result(event.user.session_id)

    def resync(self) -> None:
        """Whoever came in meanwhile is missed: the client tries again."""


async def find_owner(credential: MediaCredential, claim: MediaClaim, rooms: Rooms, live: LiveMedia) -> Session | None:
    """The living session of this address, key and user; None = there is none, and nobody learns which of them is wrong.

    Raises ``StoreUnavailable``.
    """
    try:
        owner = await rooms.session(credential.app_id, credential.session_id)
    except StoreUnavailable:
        # Running calls go on: whose the media is that is claimed is known without asking.
        owner = live.claimed_owner(credential.app_id, credential.session_id, claim.held)
        if owner is None:
            raise
    if owner is None or not same_secret(owner.media_key, credential.media_key) or owner.user_id != claim.user_id:
        return None
    return owner


async def find_returned(app: App, claim: MediaClaim, rooms: Rooms, settings: CallSettings, clock: Clock) -> Session:
    """The session that the user of a good token has in the room now, or gets within ``CallSettings.return_wait``.

    Raises ``AddressStale`` if there is none or the token is not good, ``SessionUnknown`` if there is no token.
    """
    if not claim.token:
        raise SessionUnknown("no such room session, or not with this key")
    try:
        admission.admit(app, room_id=claim.room_id, user_id=claim.user_id, token=claim.token, now=clock())
    except TokenError:
        raise AddressStale("no such room session, or not with this key") from None
    app_id = app.app_id
    entrance = _Entrance(claim.user_id)
    view = await rooms.watch(app_id, claim.room_id, entrance)
    try:
        user = view.users.get(claim.user_id)
        async with asyncio.timeout(settings.return_wait / admission.MS):
            session_id = user.session_id if user is not None else await entrance.session_id
    except TimeoutError:
        raise AddressStale("the user is not in the room") from None
    finally:
        rooms.unwatch(app_id, claim.room_id, entrance)
    session = await rooms.session(app_id, session_id)
    if session is None:
        raise AddressStale("the user has left again")
    log.info("media_owner_returned", app_id=app_id, room_id=claim.room_id, user_id=claim.user_id)
    return session
