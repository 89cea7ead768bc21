"""What happens in a room, as it reaches every node that has somebody there.

An event is published by the same atomic script that makes the change. ``rev`` is its place in the room's history: it rises by
one per event, so a node notices a hole and repairs it (``rooms/view.py``). ``RoomView`` applies an event first and delivers
it afterwards: a receiver that looks at the view sees the state after the event.
"""

from __future__ import annotations

import enum
from typing import Protocol

import msgspec

from rooms.model import ExtraInfo, Stream, User


class EndReason(enum.StrEnum):
    """Why a session ended. ``server/callbacks`` and the dialects map it to their own numbers."""

    LOGOUT = "logout"
    REPLACED = "replaced"
    """The same user logged in elsewhere."""
    KICKED = "kicked"
    ROOM_CLOSED = "room_closed"
    TIMEOUT = "timeout"
    """No heartbeat for ``session_timeout``."""
    LOST = "lost"
    """The socket was lost and the grace period ran out."""
    TOKEN_EXPIRED = "token_expired"


class StreamEnd(enum.StrEnum):
    """Why a stream went off the air."""

    STOPPED = "stopped"
    OWNER_LEFT = "owner_left"
    MEDIA_LOST = "media_lost"
    NODE_LOST = "node_lost"
    REMOVED = "removed"
    """Taken off the air by the operator."""
    DELISTED = "delisted"
    """Taken out of the list by the operator; its media is not touched."""
    FORBIDDEN = "forbidden"
    """The operator has forbidden the stream: nobody may publish or play it."""


class Event(msgspec.Struct, frozen=True, tag_field="t", kw_only=True):
    rev: int
    """Starts at 1 in each life of a room; 0 = best effort, outside the history (``Barrage``)."""


class UserJoined(Event, frozen=True, tag="join"):
    user: User


class UserLeft(Event, frozen=True, tag="leave"):
    """A session ended. Also tells the session itself: ``user.session_id`` and ``reason`` (kick, replaced, …)."""

    user: User
    reason: EndReason
    message: str = ""
    """Custom text of a kick."""


class StreamAdded(Event, frozen=True, tag="stream+"):
    stream: Stream


class StreamUpdated(Event, frozen=True, tag="stream~"):
    """New ``extra_info``, or the same owner publishes from another node or session."""

    stream: Stream


class StreamRemoved(Event, frozen=True, tag="stream-"):
    stream: Stream
    reason: StreamEnd


class ReservationEnded(Event, frozen=True, tag="reserve-"):
    """A reserved stream never went on the air, or was given up. Nobody is told; media of it ends."""

    stream: Stream


class Broadcast(Event, frozen=True, tag="im"):
    """``sendBroadcastMessage``: reliable, to everybody but the sender."""

    message_id: int
    user_id: str
    user_name: str
    content: str
    sent_at: int
    category: int = 1
    type: int = 1
    priority: int = 1


class Barrage(Event, frozen=True, tag="barrage"):
    """``sendBarrageMessage``: best effort."""

    message_id: str
    user_id: str
    user_name: str
    content: str
    sent_at: int
    category: int = 1
    type: int = 1


class CustomCommand(Event, frozen=True, tag="command"):
    """``sendCustomCommand``: ``content`` is passed on byte for byte."""

    user_id: str
    to: tuple[str, ...]
    """Receivers' userIDs; empty = everybody but the sender. With a list only these receivers get it delivered."""
    content: str
    user_name: str = ""
    from_server: bool = False
    """Sent by the operator: ``content`` is the app's bare text, each dialect wraps it as its clients expect it."""


class TransparentMessage(Event, frozen=True, tag="transparent"):
    """``sendTransparentMessage``: bytes for the users named (as with ``CustomCommand``)."""

    user_id: str
    user_name: str
    to: tuple[str, ...]
    content: bytes
    order: int
    """The sender's own number of it, rising where the order matters; 0 = it does not."""


class ChannelMessage(Event, frozen=True, tag="channel"):
    """``sendRoomChannelMessage``: text for the users named (as with ``CustomCommand``)."""

    user_id: str
    user_name: str
    to: tuple[str, ...]
    content: str
    type: int
    """The app's own number."""


Addressed = CustomCommand | TransparentMessage | ChannelMessage
"""What ``to`` limits the delivery of."""


class ExtraInfoSet(Event, frozen=True, tag="extra"):
    info: ExtraInfo


class StreamMuted(Event, frozen=True, tag="mute"):
    """The operator has muted a stream, on the air or not, or taken that back. Its members are not told: the sound just stops."""

    stream_id: str
    audio_until: int
    """Epoch ms; 0 = not muted."""
    video_until: int


class SessionMoved(Event, frozen=True, tag="moved"):
    """A session was taken over by another connection; the older attachment closes its socket without a word to the room."""

    session_id: int
    attachment: int
    node_id: str


class RoomClosed(Event, frozen=True, tag="closed"):
    """The room's lifetime ended."""

    lifetime_id: int


AnyEvent = (
    UserJoined
    | UserLeft
    | StreamAdded
    | StreamUpdated
    | StreamRemoved
    | ReservationEnded
    | Broadcast
    | Barrage
    | CustomCommand
    | TransparentMessage
    | ChannelMessage
    | ExtraInfoSet
    | StreamMuted
    | SessionMoved
    | RoomClosed
)


class Delivery:
    """One event on its way to many receivers. ``memo`` lets a dialect encode once what is the same for all of them."""

    __slots__ = ("event", "memo")

    def __init__(self, event: AnyEvent) -> None:
        self.event = event
        self.memo: dict[object, object] = {}


class Receiver(Protocol):
    """A connection's end of a session, given to ``RoomService.login``. Called on the event loop, must not block or raise."""

    def deliver(self, delivery: Delivery) -> None:
        """An event of the room, after the view has applied it. Own changes are delivered too: the dialect filters.

        ``UserLeft`` of the session itself is the last one it gets.
        """

    def resync(self) -> None:
        """Events were lost and could not be replayed: the view has jumped. Bring the client up to date from the view."""

    def superseded(self) -> bytes:
        """Another connection has taken the session over: close the socket. Returns what ``detach`` would have been given."""


class Watcher(Protocol):
    """Somebody who follows a room without being in it (``calls``, for media on this node)."""

    def deliver(self, delivery: Delivery) -> None: ...

    def resync(self) -> None: ...
