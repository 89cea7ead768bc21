"""A session whose connection is on this node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from rooms.buckets import TokenBucket
from rooms.errors import RateLimited, SessionUnknown
from rooms.events import Receiver
from rooms.limits import RoomLimits
from rooms.model import Session

if TYPE_CHECKING:
    from rooms.following import FollowedRoom

Rate = Literal["broadcast_rate", "barrage_rate", "command_rate", "command_many_rate", "extra_info_rate"]


class HeldSession:
    __slots__ = ("_buckets", "heard_at", "receiver", "room", "session")

    def __init__(self, session: Session, receiver: Receiver, room: FollowedRoom, now: int) -> None:
        self.session = session
        self.receiver = receiver
        self.room = room
        self.heard_at = now
        """When its client last sent something, epoch ms."""
        self._buckets: dict[Rate, TokenBucket] = {}

    def spend(self, rate: Rate, limits: RoomLimits, now: int) -> None:
        """Raises ``RateLimited``."""
        bucket = self._buckets.get(rate)
        if bucket is None:
            bucket = self._buckets[rate] = TokenBucket(getattr(limits, rate), now)
        if not bucket.take(now):
            raise RateLimited(f"{rate}: too many per second")


def speaker(held: Mapping[int, HeldSession], session: Session) -> HeldSession:
    """The session as its connection here has it. Raises ``SessionUnknown``."""
    found = held.get(session.session_id)
    if found is None:
        raise SessionUnknown("the session has no connection here")
    return found
