"""Follows the rooms that media of this node depends on: somebody leaves, a stream ends or moves, and its media follows at once."""

from __future__ import annotations

import asyncio

from calls.live_media import OWNER_GONE, LiveMedia
from calls.media_session import MediaEnd, MediaSession
from calls.ports import Rooms
from rooms.events import Delivery, ReservationEnded, StreamAdded, StreamEnd, StreamMuted, StreamRemoved, StreamUpdated, UserLeft


class RoomWatch:
    """One room, watched for the media sessions that hold it."""

    def __init__(self, app_id: int, room_id: str, live: LiveMedia) -> None:
        self.app_id = app_id
        self.room_id = room_id
        self.holders: set[MediaSession] = set()
        self.starting = asyncio.Lock()
        self.started = False
        self.must_reconcile = False
        """Events were lost: the sessions here have to be compared with the registry."""
        self._live = live

    def deliver(self, delivery: Delivery) -> None:
        event = delivery.event
        if isinstance(event, UserLeft):
            # All media of a room session holds the watch of its room. Its streams the room takes off the air itself.
            for media in [media for media in self.holders if media.owner.session_id == event.user.session_id]:
                self._live.end(media, OWNER_GONE[event.reason])
        elif isinstance(event, StreamRemoved) and event.reason is StreamEnd.NODE_LOST:
            # Said of a node that could not be heard for a while. If it is this one, the registry may already have the stream again.
            self.must_reconcile = True
        elif isinstance(event, StreamRemoved) and event.reason is StreamEnd.FORBIDDEN:
            self._live.stream_forbidden(self.app_id, event.stream.stream_id)
        elif isinstance(event, StreamMuted):
            self._live.stream_muted(self.app_id, self.room_id, event.stream_id, event.audio_until)
        elif isinstance(event, StreamRemoved) and event.reason not in (StreamEnd.OWNER_LEFT, StreamEnd.DELISTED):
            # When its owner has left, the event that says so comes next and knows why. Delisting does not touch media.
            end = MediaEnd.STREAM_REMOVED if event.reason is StreamEnd.REMOVED else MediaEnd.STREAM_ENDED
            self._live.stream_ended(self.app_id, event.stream, end)
        elif isinstance(event, ReservationEnded):
            self._live.stream_ended(self.app_id, event.stream, MediaEnd.RESERVATION_ENDED)
        elif isinstance(event, StreamAdded | StreamUpdated):
            self._live.stream_located(self.app_id, event.stream)

    def resync(self) -> None:
        self.must_reconcile = True


class RoomWatches:
    """All rooms watched for media of this node; a room is followed while a media session holds it."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._watches: dict[tuple[int, str], RoomWatch] = {}

    async def hold(self, media: MediaSession, room_id: str, live: LiveMedia) -> None:
        """Follow a room for ``media`` until ``release``. After it returns no event of the room is missed. Raises ``RoomError``."""
        key = media.app_id, room_id
        watch = self._watches.get(key)
        if watch is None:
            watch = self._watches[key] = RoomWatch(*key, live)
        watch.holders.add(media)
        try:
            async with watch.starting:
                if not watch.started:
                    await self._rooms.watch(watch.app_id, watch.room_id, watch)
                    watch.started = True
        finally:
            if media.ended is not None:
                watch.holders.discard(media)
            self._stop_if_idle(watch)

    def release(self, media: MediaSession) -> None:
        """``media`` has ended."""
        for watch in [watch for watch in self._watches.values() if media in watch.holders]:
            watch.holders.discard(media)
            self._stop_if_idle(watch)

    def in_doubt(self) -> list[RoomWatch]:
        return [watch for watch in self._watches.values() if watch.must_reconcile]

    def _stop_if_idle(self, watch: RoomWatch) -> None:
        # While it starts, it stays: hold() looks again afterwards.
        if watch.holders or watch.starting.locked():
            return
        if self._watches.get((watch.app_id, watch.room_id)) is watch:
            del self._watches[watch.app_id, watch.room_id]
            if watch.started:
                watch.started = False
                self._rooms.unwatch(watch.app_id, watch.room_id, watch)
