"""A room as this node sees it: the state after the event ``rev`` of its life ``lifetime_id``."""

from __future__ import annotations

from collections.abc import Iterable

from rooms.events import (
    AnyEvent,
    ExtraInfoSet,
    RoomClosed,
    StreamAdded,
    StreamRemoved,
    StreamUpdated,
    UserJoined,
    UserLeft,
)
from rooms.model import ExtraInfo, Stream, User


class RoomView:
    """Kept up to date by ``rooms/following.py``. Read it, never change it; it is always a state the room really had."""

    __slots__ = ("app_id", "extra", "lifetime_id", "rev", "room_id", "streams", "users")

    def __init__(self, app_id: int, room_id: str) -> None:
        self.app_id = app_id
        self.room_id = room_id
        self.lifetime_id = 0
        """0 = there is no such room now."""
        self.rev = 0
        self.users: dict[str, User] = {}
        """By user id, in the order in which they came."""
        self.streams: dict[str, Stream] = {}
        """By stream id, only those on the air, in the order in which they went on the air."""
        self.extra: dict[str, ExtraInfo] = {}

    def begin(self, lifetime_id: int) -> None:
        """A new life: an empty room whose first event will have rev 1."""
        self.replace(lifetime_id, 0, (), (), ())

    def replace(self, lifetime_id: int, rev: int, users: Iterable[User], streams: Iterable[Stream], extra: Iterable[ExtraInfo]) -> None:
        """Jumps to another state (a snapshot). The dictionaries stay the same objects."""
        self.lifetime_id = lifetime_id
        self.rev = rev
        self.users.clear()
        self.users.update((user.user_id, user) for user in sorted(users, key=lambda user: (user.joined_at, user.user_id)))
        self.streams.clear()
        self.streams.update((s.stream_id, s) for s in sorted(streams, key=lambda s: (s.created_at, s.stream_sid)))
        self.extra.clear()
        self.extra.update((info.key, info) for info in extra)

    def apply(self, event: AnyEvent) -> None:
        """The next event of the history."""
        match event:
            case UserJoined(user=user):
                self.users[user.user_id] = user
            case UserLeft(user=user):
                known = self.users.get(user.user_id)
                if known is not None and known.session_id == user.session_id:
                    del self.users[user.user_id]
            case StreamAdded(stream=stream) | StreamUpdated(stream=stream):
                self.streams[stream.stream_id] = stream
            case StreamRemoved(stream=stream):
                self.streams.pop(stream.stream_id, None)
            case ExtraInfoSet(info=info):
                self.extra[info.key] = info
            case RoomClosed():
                self.replace(0, 0, (), (), ())
                return
            case _:
                pass
        self.rev = event.rev
