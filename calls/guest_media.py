"""Players of this node's streams whose clients talk to another node, seen from the node that holds the stream.

The other node (the *asker*) passes the client's wish on with the client's own right to media, and here the same is done as if the client
had come to the media socket of this node: the right is checked, the rooms are watched, the session is this room session's. Only what its
client is to hear goes to the asker. See ``calls/remote_media.py`` for that side.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

import structlog

from auth import TokenError
from calls import node_messages as n
from calls.addresses import MediaCredential
from calls.errors import CallError, MediaFull, MediaSessionUnknown, SdpRefused
from calls.live_media import LiveMedia, same_secret
from calls.media_owner import MediaClaim
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
from calls.ports import Rooms
from calls.settings import CallSettings
from rooms.errors import RoomError
from rooms.model import Clock

log = structlog.get_logger()

Refusal = (CallError, RoomError, TokenError, SdpRefused, MediaFull)


class Opener(Protocol):
    """The part of ``calls.service.Calls`` that opens media for whoever has the right to it."""

    async def media_login(self, credential: MediaCredential, claim: MediaClaim, peer: MediaPeer) -> MediaLogin: ...

    async def open_player(self, login: MediaLogin, stream_id: str, offer: str, *, identity: MediaIdentity | None = None) -> OpenedMedia: ...

    async def begin_media(
        self, login: MediaLogin, role: MediaRole, stream_id: str, *, identity: MediaIdentity | None = None
    ) -> BegunMedia: ...

    async def describe(self, login: MediaLogin, media_session_id: int, offer: str) -> str: ...

    def media_path(self, login: MediaLogin, media_session_id: int) -> MediaPath: ...

    def media_socket_lost(self, login: MediaLogin) -> None: ...


@dataclass(eq=False, slots=True)
class Guest:
    """Stands for the client's socket, which is on the asker. Is the session's ``MediaPeer``."""

    guests: GuestMedia
    asker: str
    asked_at: int
    """Epoch ms."""
    status_told: StreamStatus | None = None

    def connected(self, session: MediaSession) -> None:
        self.guests.report(self, session)

    def status(self, session: MediaSession, mic: int, camera: int) -> None:
        self.status_told = StreamStatus(mic, camera)
        self.guests.report(self, session)

    def closed(self, session: MediaSession, reason: MediaEnd) -> None:
        self.guests.report(self, session, reason)


class GuestMedia:
    """The carrier's side."""

    def __init__(self, calls: Opener, rooms: Rooms, live: LiveMedia, settings: CallSettings, clock: Clock) -> None:
        self._calls = calls
        self._rooms = rooms
        self._live = live
        self._settings = settings
        self._clock = clock
        self._heard: dict[str, int] = {}
        """When each asker last called the roll, epoch ms."""
        rooms.node_requests.serve(n.TO_CARRIER, self.asked)

    async def asked(self, body: bytes) -> bytes:
        """Answer an asker. Raises ``msgspec.DecodeError`` for what is no such question."""
        message = n.decode_to_carrier(body)
        if isinstance(message, n.OpenPlayer):
            return n.encode(await self._answered(self._open(message)))
        if isinstance(message, n.DescribePlayer):
            return n.encode(await self._answered(self._describe(message)))
        if isinstance(message, n.RollCall):
            return n.encode(self._roll(message))
        media = self._guest(message.asker, message.media_session_id)
        if media is not None and same_secret(media.token, message.token):
            if isinstance(message, n.SetPlayer):
                self._live.set_active(media, message.active)
            else:
                self._live.end(media, MediaEnd.CLOSED)
        return n.encode(n.Done())

    def report(self, guest: Guest, media: MediaSession, ended: MediaEnd | None = None) -> None:
        """Tell the asker, in the background; what gets lost comes with the next roll call."""
        self._rooms.node_requests.tell(guest.asker, n.TO_ASKER, n.encode(self._report(guest, media, ended)))

    def tick(self, now: int) -> None:
        """Guests of an asker that has fallen silent wait for their client as those of a lost socket do: it may come here itself."""
        for asker in [asker for asker, heard in self._heard.items() if heard + self._settings.asker_silence <= now]:
            del self._heard[asker]
            for media in self._guests(asker):
                assert media.login is not None
                self._calls.media_socket_lost(media.login)

    @staticmethod
    async def _answered(answering: Awaitable[n.Opened]) -> n.Opened | n.Refused:
        try:
            return await answering
        except Refusal as error:
            return n.Refused(type(error).__name__, str(error))

    async def _open(self, wish: n.OpenPlayer) -> n.Opened:
        _check_length(wish.offer)
        credential = MediaCredential(wish.app_id, wish.session_id, wish.media_key)
        identity = MediaIdentity(wish.media_session_id, wish.token)
        login = await self._calls.media_login(credential, MediaClaim(wish.user_id), Guest(self, wish.asker, wish.asked_at))
        # Known from now on: an asker that is never heard again is noticed.
        self._heard.setdefault(wish.asker, self._clock())
        if wish.offer is None:
            await self._calls.begin_media(login, MediaRole.PLAYER, wish.stream_id, identity=identity)
            answer = ""
        else:
            answer = (await self._calls.open_player(login, wish.stream_id, wish.offer, identity=identity)).answer
        return self._opened(login, wish.media_session_id, answer)

    async def _describe(self, wish: n.DescribePlayer) -> n.Opened:
        media = self._guest(wish.asker, wish.media_session_id)
        if media is None or media.login is None or not same_secret(media.token, wish.token):
            raise MediaSessionUnknown("no such player of this node")
        _check_length(wish.offer)
        login = media.login
        return self._opened(login, media.media_session_id, await self._calls.describe(login, media.media_session_id, wish.offer))

    def _opened(self, login: MediaLogin, media_session_id: int, answer: str) -> n.Opened:
        path = self._calls.media_path(login, media_session_id)
        if path.relay is None:
            return n.Opened(answer, path.addresses, (), "", "")
        return n.Opened(answer, path.addresses, path.relay.urls, path.relay.username, path.relay.password)

    def _roll(self, call: n.RollCall) -> n.Roll:
        self._heard[call.asker] = self._clock()
        present: list[n.PlayerReport] = []
        for media in self._guests(call.asker):
            assert media.login is not None and isinstance(media.login.peer, Guest)
            guest = media.login.peer
            active = call.active.get(media.media_session_id)
            if active is not None:
                if active != media.active:
                    self._live.set_active(media, active)
                present.append(self._report(guest, media, None))
            elif guest.asked_at + self._settings.asker_silence < call.asked_at:
                # Long enough since it was asked for: the asker has not just begun it, but given it up.
                self._live.end(media, MediaEnd.CLOSED)
        return n.Roll(tuple(present))

    def _report(self, guest: Guest, media: MediaSession, ended: MediaEnd | None) -> n.PlayerReport:
        status = (guest.status_told.mic, guest.status_told.camera) if guest.status_told is not None else None
        return n.PlayerReport(self._rooms.node.node_id, media.media_session_id, media.token, media.connected, status, ended)

    def _guest(self, asker: str, media_session_id: int) -> MediaSession | None:
        media = self._live.get(media_session_id)
        return media if media is not None and _asker(media) == asker else None

    def _guests(self, asker: str) -> list[MediaSession]:
        return [media for media in self._live.all() if _asker(media) == asker]


def _check_length(offer: str | None) -> None:
    """Raises ``SdpRefused``."""
    if offer is not None and len(offer) > n.MOST_TEXT:
        raise SdpRefused("offer too long")


def _asker(media: MediaSession) -> str | None:
    """The node through which the session's client talks; None if it talks to this one, or to none now."""
    return media.login.peer.asker if media.login is not None and isinstance(media.login.peer, Guest) else None
