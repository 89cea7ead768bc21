"""What calls do as time passes: deadlines of media sessions, and what the registry has to be asked or told afterwards."""

from __future__ import annotations

import structlog

from calls.dispatched_media import is_operators, owns
from calls.kept_announcements import KeptAnnouncements
from calls.live_media import LiveMedia
from calls.media_session import LocalStream, MediaEnd, MediaRole
from calls.ports import Rooms
from calls.room_watch import RoomWatch, RoomWatches
from calls.settings import CallSettings
from calls.stream_addresses import StreamAddresses
from rooms.errors import RoomError, StoreUnavailable
from rooms.events import StreamEnd

log = structlog.get_logger()


class CallUpkeep:
    """One step of it is ``tick``; ``calls.service`` calls it several times a second."""

    def __init__(
        self, rooms: Rooms, live: LiveMedia, watches: RoomWatches, stream_addresses: StreamAddresses, settings: CallSettings
    ) -> None:
        self._rooms = rooms
        self._live = live
        self._watches = watches
        self._stream_addresses = stream_addresses
        self._settings = settings
        self._next_stray_check = 0
        self.announcements = KeptAnnouncements(settings.announcement_memory)
        self.draining = False
        """Publishers whose room session is on another node are sent there."""

    async def tick(self, now: int) -> None:
        """Do what is due at ``now`` (epoch ms). A registry that cannot be reached is asked again at a later tick."""
        for media in self._live.all():
            if media.detached_until is not None and media.detached_until <= now:
                self._live.end(media, MediaEnd.SOCKET_LOST)
            elif media.describe_until is not None and media.describe_until <= now:
                self._live.end(media, MediaEnd.MEDIA_LOST)
        try:
            for local in self._live.streams():
                if local.muted_until and local.muted_until <= now:
                    self._live.mute(local, 0)
                if local.withdraw_at is not None and local.withdraw_at <= now:
                    await self._withdraw_silent(local, now)
            await self._announce_again(now)
            for watch in self._watches.in_doubt():
                await self._reconcile(watch)
            if self.draining:
                await self._hand_over()
            if now >= self._next_stray_check:
                self._next_stray_check = now + self._settings.stray_player_check
                for local in self._live.streams():
                    if local.publisher is None and local.players:
                        await self._locate(local)
                await self._forget_who_left(now)
                await self._stream_addresses.look()
        except StoreUnavailable:
            log.warning("calls_wait_for_store")

    async def _hand_over(self) -> None:
        for media in self._live.all():
            if media.role is MediaRole.PUBLISHER and media.ended is None:
                owner = await self._rooms.session(media.app_id, media.owner.session_id)
                if owner is not None and owner.node_id != self._rooms.node.node_id:
                    self._live.end(media, MediaEnd.NODE_STOPPED)

    async def _withdraw_silent(self, local: LocalStream, now: int) -> None:
        """Take a stream off the air whose publisher's media has not come back in time."""
        due, owner = local.withdraw_at, local.withdraw_owner

        def changed() -> bool:
            return local.withdraw_at != due or local.withdraw_owner is not owner

        stream = await self._rooms.stream(local.app_id, local.stream_id)
        if changed():
            return  # its media was back meanwhile; if it is lost again, that has a grace of its own
        # Its owner may publish it here again, or on another node, or may have left: then it is not ours to take away.
        here = stream is not None and stream.node_id in ("", self._rooms.node.node_id)
        if owner is not None and stream is not None and here and owns(owner, stream) and local.publisher is None:
            try:
                if is_operators(owner):
                    await self._rooms.moderation.delist_stream(owner.app_id, owner.room_id, owner.user_id, local.stream_id)
                else:
                    removed = await self._rooms.unpublish(owner, local.stream_id, local.withdraw_reason)
                    if removed is not None:
                        self.announcements.add(local.app_id, removed, now)
            except StoreUnavailable:
                raise
            except RoomError:
                log.debug("withdrawn_already", app_id=local.app_id, stream_id=local.stream_id)
        if local.publisher is None and stream is None:
            self._live.stream_over(local)  # in no room, so that no event says it
        if not changed():
            local.withdraw_at = local.withdraw_owner = None
            self._live.drop_if_empty(local)

    async def _announce_again(self, now: int) -> None:
        """Put streams on the air whose media is back; their clients do not know that they were off it."""
        for (app_id, stream_id), kept in list(self.announcements.current(now).items()):
            local = self._live.stream(app_id, stream_id)
            publisher = local.publisher if local is not None else None
            if publisher is None or not publisher.connected or publisher.owner.session_id != kept.session_id:
                continue
            try:
                await self._rooms.publish(publisher.owner, stream_id, kept.extra_info)
            except StoreUnavailable:
                raise
            except RoomError as error:
                log.info("announcement_void", app_id=app_id, stream_id=stream_id, reason=type(error).__name__)
            else:
                if publisher.ended in (MediaEnd.STREAM_ENDED, MediaEnd.RESERVATION_ENDED):
                    # Its owner has withdrawn it meanwhile, and the registry may have heard of that first.
                    await self._rooms.unpublish(publisher.owner, stream_id, StreamEnd.STOPPED)
            self.announcements.forget(app_id, stream_id)

    async def _forget_who_left(self, now: int) -> None:
        """What a session announced that is over counts no more. Without media here, no event says that it is."""
        for (app_id, stream_id), kept in list(self.announcements.current(now).items()):
            if await self._rooms.session(app_id, kept.session_id) is None:
                self.announcements.forget(app_id, stream_id)

    async def _reconcile(self, watch: RoomWatch) -> None:
        """Events of a room were lost: end the media of whoever is not there any more."""
        watch.must_reconcile = False
        try:
            for media in list(watch.holders):
                if not is_operators(media.owner) and await self._rooms.session(media.app_id, media.owner.session_id) is None:
                    self._live.end(media, MediaEnd.SESSION_LOST)
                elif media.role is MediaRole.PUBLISHER and media.stream_sid:
                    stream = await self._rooms.stream(media.app_id, media.stream_id)
                    if stream is None or stream.stream_sid != media.stream_sid:
                        self._live.end(media, MediaEnd.STREAM_LOST)
                    else:
                        self._live.stream_located(media.app_id, stream)
        except StoreUnavailable:
            watch.must_reconcile = True
            raise

    async def _locate(self, local: LocalStream) -> None:
        stream = await self._rooms.stream(local.app_id, local.stream_id)
        if stream is not None:
            self._live.stream_located(local.app_id, stream)
