"""What a refusal and the end of a session look like to a client (``web-1x-2x.md`` §8; the effects are those of 2.14.0).

Two ways to refuse a session request:

* ``result`` ≠ 0: the client tries the same again for up to 300 s. Right for what may pass.
* An answer that rejects all media, followed by ``CloseSessionPush``: the client does what the push says. Right for what will not pass
  (the app gets a final error) and for "ask for the address again".
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from auth import TokenError, TokenExpired
from calls.errors import AppUnknown, CallError, MediaEnded, MediaFull, NoRelay, SdpRefused, StreamElsewhere
from calls.media_session import MediaEnd
from rooms.errors import InvalidRequest, RateLimited, RoomError, SessionUnknown, StoreUnavailable, StreamUnknown
from signaling.media_json.messages import CloseSessionPush

OK = 0
FAILED = 1
"""A server's mistake, or something not served here; no code of its own is known."""
BAD_REQUEST = 2
NOT_LOGGED_IN = 3
BAD_SDP = 105
STREAM_UNKNOWN = 1004
TOKEN_REFUSED = 1008
"""In ``LoginRsp``: final, 2.14.0 tells its app 1102018 (token expired)."""
NO_CAPACITY = 2016

_NORMAL, _STATE_ERROR, _DENIED, _BAD_SDP = 0, 5, 15, 23
"""``reason``."""
_STOP, _NEXT_ADDRESS, _RETRY, _ASK_AGAIN = 1, 2, 5, 6
"""``action``: give up; go to the next address of the room's answer; open the session again; ask the room for an address again."""
_FORBIDDEN, _TOKEN_EXPIRED = 1011, 1014
"""``err``: 2.14.0 tells its app 1003025 (forbidden by the media server) or 1102018 (token expired)."""


DEAF_AT_FIRST = "1.4."
"""SDKs that drop a first error without a word while they negotiate, and then wait for ever; the second one they tell their app. Told to try
again, they count that as the first (``publishStateUpdateError`` with ``negoTryCount`` and ``negoTryMaxCount`` in 1.4.0)."""


@dataclass(frozen=True, slots=True)
class Close:
    """How a session is closed."""

    reason: int
    action: int
    err: int = 0

    def push(self, sdk_version: str = "") -> CloseSessionPush:
        """``sdk_version``: what the client is, as its ``LoginReq`` says."""
        # SDKs of the 1.x line do not know how to ask again, and give up on what they do not know (§8).
        action = _NEXT_ADDRESS if self.action == _ASK_AGAIN and sdk_version.startswith("1.") else self.action
        info = {"action": action, "err": self.err} if self.err else {"action": action}
        return CloseSessionPush(self.reason, msgspec.json.encode(info).decode())


DENIED = Close(_DENIED, _STOP, _FORBIDDEN)
EXPIRED = Close(_DENIED, _STOP, _TOKEN_EXPIRED)
BAD_OFFER = Close(_BAD_SDP, _STOP)
STOPPED = Close(_NORMAL, _STOP)
ASK_AGAIN = Close(_STATE_ERROR, _ASK_AGAIN)
RETRY = Close(_STATE_ERROR, _RETRY)

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


def refusal(error: CallError | RoomError | TokenError | SdpRefused | MediaFull) -> int | Close:
    """How a refused session request is answered: a ``result``, or an accepted session that is closed at once."""
    if isinstance(error, StreamUnknown):
        return STREAM_UNKNOWN
    if isinstance(error, SdpRefused):
        return BAD_SDP
    if isinstance(error, NoRelay):
        return FAILED
    if isinstance(error, MediaFull | StoreUnavailable | RateLimited):
        return NO_CAPACITY
    if isinstance(error, InvalidRequest):
        return BAD_REQUEST
    if isinstance(error, TokenExpired):
        return EXPIRED
    if isinstance(error, StreamElsewhere | SessionUnknown | MediaEnded):
        return ASK_AGAIN
    # StreamTaken, TokenNotPermitted, TooManyMediaSessions and whatever else the room forbids.
    return DENIED


def described_refusal(verdict: int | Close) -> Close:
    """How a session of the first style is closed whose offer was refused: what may pass is tried again, the rest is final."""
    if isinstance(verdict, Close):
        return verdict
    return RETRY if verdict == NO_CAPACITY else BAD_OFFER


def login_result(error: Exception) -> int:
    """``result`` of a refused LoginReq. Only an App that is not served is final: a session may come back under a new address."""
    return TOKEN_REFUSED if isinstance(error, AppUnknown) else FAILED
