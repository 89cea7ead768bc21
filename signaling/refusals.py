"""Why a request is refused, in kinds that every dialect tells apart; each maps them to its own numbers (``signaling/*/errors.py``)."""

from __future__ import annotations

import enum
from typing import Final

from auth.errors import TokenError, TokenExpired, TokenNotPermitted
from calls.errors import AppUnknown, CallError, MediaFull, StreamElsewhere
from rooms import errors as rooms


class Kind(enum.StrEnum):
    """The value is its name in metrics."""

    OK = "ok"
    PARSE_ERROR = "parse_error"
    WRONG_STATE = "wrong_state"
    """A command before the login, or in the name of somebody else."""
    TOKEN_REFUSED = "token_refused"
    TOKEN_EXPIRED = "token_expired"
    LOGIN_NOT_ALLOWED = "login_not_allowed"
    """The token's privileges do not cover this."""
    FAILED = "failed"
    BAD_PARAMETER = "bad_parameter"
    NOT_OFFERED = "not_offered"
    """The command is not offered here."""
    MIXING_NOT_OFFERED = "mixing_not_offered"
    APP_UNKNOWN = "app_unknown"
    ROOM_UNKNOWN = "room_unknown"
    SESSION_UNKNOWN = "session_unknown"
    STREAM_UNKNOWN = "stream_unknown"
    STREAM_FORBIDDEN = "stream_forbidden"
    STREAM_TAKEN = "stream_taken"
    NO_CAPACITY = "dispatch_error"
    """No node for this media just now."""
    TOO_FREQUENT = "too_frequent"
    MESSAGE_EMPTY = "message_empty"
    MESSAGE_TOO_LONG = "message_too_long"
    EXTRA_INFO_UNKNOWN = "extra_info_unknown"
    MULTI_ROOM_DISABLED = "multi_room_disabled"
    TOO_MANY_ROOMS = "too_many_rooms"
    ROOM_FULL = "room_full"
    USER_DENIED = "user_denied"
    RETRY_LOGIN = "retry_login"
    """Not now: this node drains, or the store is away."""


class Refused(Exception):
    """The dialect itself refuses a request. The text is for people."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


_KINDS: Final[dict[type[Exception], Kind]] = {
    TokenError: Kind.TOKEN_REFUSED,
    TokenExpired: Kind.TOKEN_EXPIRED,
    TokenNotPermitted: Kind.LOGIN_NOT_ALLOWED,
    CallError: Kind.FAILED,
    AppUnknown: Kind.APP_UNKNOWN,
    MediaFull: Kind.NO_CAPACITY,
    StreamElsewhere: Kind.NO_CAPACITY,
    rooms.RoomError: Kind.FAILED,
    rooms.InvalidRequest: Kind.BAD_PARAMETER,
    rooms.MessageTooLong: Kind.MESSAGE_TOO_LONG,
    rooms.MessageEmpty: Kind.MESSAGE_EMPTY,
    rooms.SessionUnknown: Kind.SESSION_UNKNOWN,
    rooms.RoomUnknown: Kind.ROOM_UNKNOWN,
    rooms.UserUnknown: Kind.SESSION_UNKNOWN,
    rooms.StreamUnknown: Kind.STREAM_UNKNOWN,
    rooms.NotOwner: Kind.STREAM_TAKEN,
    rooms.StreamTaken: Kind.STREAM_TAKEN,
    rooms.StreamForbidden: Kind.STREAM_FORBIDDEN,
    rooms.UserDenied: Kind.USER_DENIED,
    rooms.RoomFull: Kind.ROOM_FULL,
    rooms.MultiRoomDisabled: Kind.MULTI_ROOM_DISABLED,
    rooms.TooManyRooms: Kind.TOO_MANY_ROOMS,
    rooms.AlreadyInRoom: Kind.WRONG_STATE,
    rooms.RateLimited: Kind.TOO_FREQUENT,
    rooms.Draining: Kind.RETRY_LOGIN,
    rooms.StoreUnavailable: Kind.RETRY_LOGIN,
}
"""The nearest class in a refusal's line of descent counts."""

_RETRYABLE = (rooms.Draining, rooms.StoreUnavailable, rooms.RateLimited, MediaFull, StreamElsewhere)

Refusal = (TokenError, CallError, rooms.RoomError, Refused)
"""Everything that is answered with a number of its own. Anything else is a fault of the server."""


def kind_of(error: Exception) -> Kind:
    """The kind of this refusal; ``FAILED`` for a fault of the server."""
    if isinstance(error, Refused):
        return error.kind
    return next((_KINDS[line] for line in type(error).__mro__ if line in _KINDS), Kind.FAILED)


def is_retryable(error: Exception) -> bool:
    """Whether the same request may succeed a little later."""
    return isinstance(error, _RETRYABLE)
