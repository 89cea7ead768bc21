"""Refusals. Each is a type; a dialect maps it to its own number in one table (``signaling/*/errors.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rooms.events import EndReason


class RoomError(Exception):
    """A request that the room refuses. The text is for people; it never holds a secret."""


class InvalidRequest(RoomError):
    """A value that breaks a rule: ``field`` and ``rule`` say which."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class InvalidRoomId(InvalidRequest): ...


class InvalidUserId(InvalidRequest): ...


class InvalidUserName(InvalidRequest): ...


class InvalidStreamId(InvalidRequest): ...


class ExtraInfoRefused(InvalidRequest):
    """Key or value too long, empty key, or a second key in the room."""


class MessageTooLong(InvalidRequest): ...


class MessageEmpty(InvalidRequest): ...


class SessionUnknown(RoomError):
    """The session does not exist (any more): log in again."""


class SessionEnded(SessionUnknown):
    """A client came back with a session that somebody else ended on purpose while it was away (another login of the user, a kick,
    a closed room). It must be told so, not let in as a new login: it would end the newer one.
    """

    def __init__(self, reason: EndReason, message: str) -> None:
        super().__init__(f"the session was ended: {reason}")
        self.reason = reason
        self.message = message
        """Custom text of the kick."""


class RoomUnknown(RoomError): ...


class UserUnknown(RoomError): ...


class StreamUnknown(RoomError): ...


class NotOwner(RoomError):
    """The stream belongs to somebody else."""


class StreamTaken(RoomError):
    """The stream id is reserved or on the air for another session."""


class TooManyStreams(RoomError):
    """The session holds as many streams and reservations as it may."""


class UserDenied(RoomError):
    """A rule of the operator denies logging in, or publishing, to this address, room or user."""


class StreamForbidden(RoomError):
    """The operator has forbidden the stream."""


class SequenceStale(RoomError):
    """A later request about the stream has been carried out already."""


class TooManyRules(RoomError): ...


class RuleUnknown(RoomError): ...


class RoomFull(RoomError): ...


class MultiRoomDisabled(RoomError):
    """A second room was entered without the App's or the login's multi-room mode."""


class TooManyRooms(RoomError): ...


class AlreadyInRoom(RoomError):
    """The same login enters a room in which it already is."""


class RateLimited(RoomError): ...


class Draining(RoomError):
    """This node takes no new sessions: another one does."""


class NodeUnreachable(RoomError):
    """Another node did not answer a question (``rooms/node_requests.py``)."""


class StoreUnavailable(RoomError):
    """The registry cannot be reached. Retryable."""
