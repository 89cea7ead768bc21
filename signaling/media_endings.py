"""How media is refused and ended, in the words that both media dialects have in common, and what each SDK makes of them.

(``web-1x-2x.md`` §8, ``sdk-3x.md`` §6.2.) Two ways to refuse a session request:

* ``result`` ≠ 0: the client tries the same again for up to 300 s. Right for what may pass.
* An answer that rejects all media, followed by ``CloseSessionPush``: the client does what the push says. Right for what will not pass
  (the app gets a final error) and for "ask for the address again".

A push carries a reason, an action and a detail. The SDKs keep a list of reasons and one of actions with which they try again; anything
else is final. None of the reasons used here is on such a list, so it is the action alone that decides (``AFTER_CLOSE``).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

import msgspec

from auth import TokenError, TokenExpired
from calls.errors import AddressStale, CallError, MediaEnded, MediaFull, NoRelay, SdpRefused, StreamElsewhere
from calls.media_session import MediaEnd, MediaRole
from rooms.errors import InvalidRequest, NodeUnreachable, RateLimited, RoomError, SessionUnknown, StoreUnavailable, StreamUnknown


class MediaResult(enum.IntEnum):
    """``result`` of an answer."""

    OK = 0
    FAILED = 1
    """A server's mistake, or something not served here; no code of its own is known."""
    BAD_REQUEST = 2
    NOT_LOGGED_IN = 3
    BAD_SDP = 105
    STREAM_UNKNOWN = 1004
    TOKEN_REFUSED = 1008
    """Of a login: final, 2.14.0 tells its app 1102018 (token expired)."""
    NO_CAPACITY = 2016


class Reason(enum.IntEnum):
    """``reason`` of ``CloseSessionPush``, as 2.26.2 names them."""

    NORMAL = 0
    STATE_ERROR = 5
    PUBLISH_DENIED = 15
    BAD_SDP = 23


class Action(enum.IntEnum):
    """What the client is to do."""

    STOP = 1
    NEXT_ADDRESS = 2
    """Go to the next address that the room gave; with one address, to the same again. 1.4.0 gives up after three rounds."""
    REDIRECT = 3
    DISPATCH = 4
    RETRY = 5
    """Open the session again. 1.4.0 and 1.12.0 do so at once, however often they are told; 2.x with growing pauses, for up to 300 s."""
    ASK_AGAIN = 6
    """Ask the room for an address again."""


class Detail(enum.IntEnum):
    """``err``: which error the app is told. 0 = the general one."""

    NONE = 0
    FORBIDDEN = 1011
    """From 2.9.1: 1003025, forbidden by the media server."""
    TOKEN_EXPIRED = 1014
    """From 2.13.0: 1102018."""


@dataclass(frozen=True, slots=True)
class AfterClose:
    """With which reasons and actions an SDK opens a closed session again; read from the packages."""

    since: tuple[int, int, int]
    """The first version that does so; good up to the next entry of ``AFTER_CLOSE``."""
    actions: frozenset[int]
    publisher_reasons: frozenset[int]
    player_reasons: frozenset[int]

    def knows(self, action: Action) -> bool:
        return action in self.actions

    def tries_again(self, role: MediaRole, close: Close) -> bool:
        reasons = self.publisher_reasons if role is MediaRole.PUBLISHER else self.player_reasons
        return close.action in self.actions or close.reason in reasons


_ANY = frozenset({4, 8, 10, 11, 12, 26, 27})
_PLAY = frozenset({24, 28})
_FIRST_ACTIONS = frozenset({Action.NEXT_ADDRESS, Action.RETRY})

AFTER_CLOSE = (
    AfterClose((1, 4, 0), _FIRST_ACTIONS, _ANY, _ANY | _PLAY),
    AfterClose((1, 19, 0), _FIRST_ACTIONS, _ANY | {14}, _ANY | _PLAY | {14}),
    AfterClose((2, 5, 0), _FIRST_ACTIONS | {Action.ASK_AGAIN}, _ANY | {14}, _ANY | _PLAY | {14}),
    AfterClose((2, 17, 0), _FIRST_ACTIONS | {Action.ASK_AGAIN}, _ANY | _PLAY | {14, 18}, _ANY | _PLAY | {14}),
    AfterClose((2, 22, 0), frozenset(Action) - {Action.STOP}, _ANY | _PLAY | {14, 18}, _ANY | _PLAY | {14}),
    AfterClose((2, 25, 1), frozenset(Action) - {Action.STOP}, _ANY | _PLAY | {14, 18, 32}, _ANY | _PLAY | {14, 32}),
)
"""In rising order; the last one holds for 3.x, too. ``docs/troubleshooting.md`` shows it."""


def after_close(sdk_version: str) -> AfterClose:
    """What this version does; for one that cannot be read, what the earliest does, which all others understand."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", sdk_version)
    version = (int(found[1]), int(found[2]), int(found[3])) if found else AFTER_CLOSE[0].since
    return next((entry for entry in reversed(AFTER_CLOSE) if entry.since <= version), AFTER_CLOSE[0])


@dataclass(frozen=True, slots=True)
class Close:
    """How a session is closed."""

    reason: Reason
    action: Action
    err: Detail = Detail.NONE

    def understood_by(self, sdk_version: str) -> Close:
        """The same for a client that gives up on actions that it does not know: it takes the next address."""
        if self.action is Action.STOP or after_close(sdk_version).knows(self.action):
            return self
        return Close(self.reason, Action.NEXT_ADDRESS, self.err)

    @property
    def err_info(self) -> str:
        """``err_info`` of ``CloseSessionPush``: JSON text."""
        info = {"action": int(self.action), "err": int(self.err)} if self.err else {"action": int(self.action)}
        return msgspec.json.encode(info).decode()


DENIED = Close(Reason.PUBLISH_DENIED, Action.STOP, Detail.FORBIDDEN)
EXPIRED = Close(Reason.PUBLISH_DENIED, Action.STOP, Detail.TOKEN_EXPIRED)
BAD_OFFER = Close(Reason.BAD_SDP, Action.STOP)
STOPPED = Close(Reason.NORMAL, Action.STOP)
ASK_AGAIN = Close(Reason.STATE_ERROR, Action.ASK_AGAIN)
RETRY = Close(Reason.STATE_ERROR, Action.RETRY)
FULL = Close(Reason.STATE_ERROR, Action.NEXT_ADDRESS)

CLOSES = {
    MediaEnd.CLOSED: STOPPED,
    MediaEnd.SUPERSEDED: STOPPED,
    MediaEnd.MEDIA_LOST: RETRY,
    MediaEnd.SOCKET_LOST: RETRY,
    MediaEnd.LEFT: STOPPED,
    MediaEnd.KICKED: STOPPED,
    MediaEnd.SESSION_LOST: ASK_AGAIN,
    MediaEnd.STREAM_ENDED: STOPPED,
    MediaEnd.STREAM_REMOVED: DENIED,
    MediaEnd.STREAM_FORBIDDEN: DENIED,
    MediaEnd.STREAM_LOST: RETRY,
    # The client believes that it is announced and nobody knows of it (2.9.1 after an absence longer than the grace). To try again would
    # repeat that; a final error lets its app begin anew.
    MediaEnd.RESERVATION_ENDED: STOPPED,
    MediaEnd.STREAM_MOVED: ASK_AGAIN,
    MediaEnd.NODE_STOPPED: ASK_AGAIN,
}
"""How each end of a session is told."""


def refusal(error: CallError | RoomError | TokenError | SdpRefused | MediaFull) -> MediaResult | Close:
    """How a refused session request is answered: a ``result``, or an accepted session that is closed at once."""
    if isinstance(error, StreamUnknown):
        return MediaResult.STREAM_UNKNOWN
    if isinstance(error, SdpRefused):
        return MediaResult.BAD_SDP
    if isinstance(error, NoRelay):
        return MediaResult.FAILED
    if isinstance(error, MediaFull | StoreUnavailable | NodeUnreachable | RateLimited):
        return MediaResult.NO_CAPACITY
    if isinstance(error, InvalidRequest):
        return MediaResult.BAD_REQUEST
    if isinstance(error, TokenExpired):
        return EXPIRED
    if isinstance(error, StreamElsewhere | SessionUnknown | AddressStale | MediaEnded):
        return ASK_AGAIN
    # StreamTaken, TokenNotPermitted, TooManyMediaSessions and whatever else the room forbids.
    return DENIED


def described_refusal(verdict: MediaResult | Close) -> Close:
    """How a session is closed whose offer was refused in the first style: what may pass is tried again, the rest is final."""
    if isinstance(verdict, Close):
        return verdict
    return FULL if verdict is MediaResult.NO_CAPACITY else BAD_OFFER
