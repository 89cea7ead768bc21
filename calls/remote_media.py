"""Players of this node's clients whose stream another node holds, seen from the client's node.

For dialects whose signalling stays in one socket (accesshub): the offer goes to the node that holds the stream (the *carrier*), its answer
comes back, and the media goes straight between the client and the carrier. Here the session is one as all others, with its id, its
secret, its owner and its grace; only its packets are elsewhere. What the carrier makes of it is in ``calls/guest_media.py``.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

import msgspec
import structlog

from calls import node_messages as n
from calls.errors import AppUnknown, CallError, MediaEnded, MediaFull, MediaSessionUnknown, NoRelay, SdpRefused, TooManyMediaSessions
from calls.live_media import LiveMedia, same_secret, where
from calls.media_session import MediaEnd, MediaPath, MediaSession, StreamStatus
from calls.ports import Rooms
from media.turn.access import RelayAccess
from rooms.errors import NodeUnreachable, RoomError, SessionUnknown, StoreUnavailable, StreamForbidden, StreamUnknown, UserDenied
from rooms.model import Clock

log = structlog.get_logger()

REFUSALS: dict[str, type[CallError | RoomError | SdpRefused | MediaFull]] = {
    kind.__name__: kind
    for kind in (
        AppUnknown, MediaEnded, MediaFull, MediaSessionUnknown, NoRelay, SdpRefused, SessionUnknown, StoreUnavailable, StreamForbidden,
        StreamUnknown, TooManyMediaSessions, UserDenied,
    )
}  # fmt: skip
"""What a carrier may refuse with, by the name that it sends. Anything else is for the client as if the carrier had not answered."""


class RemoteMedia:
    """The asker's side. ``MediaSession.carrier`` says which node has the packets."""

    def __init__(self, rooms: Rooms, live: LiveMedia, clock: Clock) -> None:
        self._rooms = rooms
        self._live = live
        self._clock = clock
        rooms.node_requests.serve(n.TO_ASKER, self.reported)

    async def open(self, media: MediaSession, offer: str | None) -> str:
        """Have the carrier open the media. Returns its answer; empty without an offer. Sets ``media.path``.

        Raises what the carrier refuses with (``REFUSALS``), ``NodeUnreachable``, ``StoreUnavailable``.
        """
        owner = media.owner
        opened = await self._ask(
            media.carrier,
            n.OpenPlayer(
                asker=self._rooms.node.node_id,
                media_session_id=media.media_session_id,
                token=media.token,
                asked_at=self._clock(),
                app_id=owner.app_id,
                session_id=owner.session_id,
                media_key=owner.media_key,
                user_id=owner.user_id,
                stream_id=media.stream_id,
                offer=offer,
            ),
        )
        if not isinstance(opened, n.Opened):
            raise NodeUnreachable(f"node {media.carrier} answered something else")
        relay = RelayAccess(opened.relay_urls, opened.relay_username, opened.relay_password) if opened.relay_urls else None
        media.path = MediaPath(opened.addresses, relay)
        return opened.answer

    async def describe(self, media: MediaSession, offer: str) -> str:
        """The carrier's answer to the offer of a session that was opened without one. Raises as ``open``."""
        asker, number, token = self._name(media)
        opened = await self._ask(media.carrier, n.DescribePlayer(asker=asker, media_session_id=number, token=token, offer=offer))
        if not isinstance(opened, n.Opened):
            raise NodeUnreachable(f"node {media.carrier} answered something else")
        return opened.answer

    def set_active(self, media: MediaSession) -> None:
        """The client wants the sound, or not. Told in the background; the next roll call says it again."""
        asker, number, token = self._name(media)
        self._tell(media, n.SetPlayer(asker=asker, media_session_id=number, token=token, active=media.active))

    def ended(self, media: MediaSession) -> None:
        """The session has ended here, for whatever reason: its media must not go on there."""
        if media.carrier:
            asker, number, token = self._name(media)
            self._tell(media, n.ClosePlayer(asker=asker, media_session_id=number, token=token))

    async def reported(self, body: bytes) -> bytes:
        """A carrier says how a player is. Raises ``msgspec.DecodeError``."""
        self._apply(n.decode_report(body))
        return n.encode(n.Done())

    async def roll_call(self) -> None:
        """Compare with every carrier what is there. A player whose carrier is gone ends; its client opens it again.

        All carriers are asked at once: behind several that do not answer, the others would take this node for silent.
        """
        by_carrier: dict[str, list[MediaSession]] = defaultdict(list)
        for media in self._live.all():
            # Not those that are being opened: the carrier does not have them yet.
            if media.carrier and media.path is not None:
                by_carrier[media.carrier].append(media)
        await asyncio.gather(*(self._compare(carrier, players) for carrier, players in by_carrier.items()))

    async def _compare(self, carrier: str, players: list[MediaSession]) -> None:
        try:
            try:
                await self._call_roll(carrier, players)
            except NodeUnreachable:
                # Overloaded, or on the way out: media may well go on. Its lease decides.
                if carrier not in [node.node_id for node in await self._rooms.nodes()]:
                    log.info("media_carrier_lost", node_id=carrier, players=len(players))
                    self._end_all(players, MediaEnd.MEDIA_LOST)
        except StoreUnavailable:
            log.debug("roll_call_waits_for_store", node_id=carrier)

    async def _call_roll(self, carrier: str, players: list[MediaSession]) -> None:
        active = {media.media_session_id: media.active for media in players}
        roll = await self._ask(carrier, n.RollCall(asker=self._rooms.node.node_id, asked_at=self._clock(), active=active))
        if not isinstance(roll, n.Roll):
            raise NodeUnreachable(f"node {carrier} answered something else")
        for report in roll.present:
            self._apply(report)
        present = {report.media_session_id for report in roll.present}
        self._end_all([media for media in players if media.media_session_id not in present], MediaEnd.MEDIA_LOST)

    def _end_all(self, players: list[MediaSession], reason: MediaEnd) -> None:
        for media in players:
            media.carrier = ""
            self._live.end(media, reason)

    def _apply(self, report: n.PlayerReport) -> None:
        media = self._live.get(report.media_session_id)
        if media is None or media.carrier != report.carrier or not same_secret(media.token, report.token):
            return
        if report.ended is not None:
            self._end_all([media], report.ended)
            return
        if report.status is not None:
            self._live.learn_status(media, StreamStatus(*report.status))
        if report.connected and not media.connected:
            media.connected = True
            log.info("media_session_connected", carrier=media.carrier, **where(media))
        self._live.tell(media)

    def _name(self, media: MediaSession) -> tuple[str, int, str]:
        return self._rooms.node.node_id, media.media_session_id, media.token

    def _tell(self, media: MediaSession, message: n.ToCarrier) -> None:
        self._rooms.node_requests.tell(media.carrier, n.TO_CARRIER, n.encode(message))

    async def _ask(self, carrier: str, message: n.ToCarrier) -> n.FromCarrier:
        body = await self._rooms.node_requests.ask(carrier, n.TO_CARRIER, n.encode(message))
        try:
            answer = n.decode_from_carrier(body)
        except msgspec.DecodeError:
            raise NodeUnreachable(f"node {carrier} answers in a language of its own") from None
        if isinstance(answer, n.Refused):
            raise REFUSALS.get(answer.error, NodeUnreachable)(answer.text)
        return answer
