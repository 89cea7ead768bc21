"""Where mini-program users send and fetch streams over RTMP: an HTTP request through the hub (service 1, ``sdk-3x.md`` §6.1).

The SDK (3.6.0) makes ``rtmp://<host>/<app>/<stream>?zgseq=…&zgdid=<session id>`` of each host in the answer. It tries again for up to
300 s unless the status is 200, so a refusal that is final is a 200 with a code.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec
import structlog

from rooms.errors import SessionUnknown
from rooms.model import Session
from signaling.accesshub.services import HttpAnswer, HttpRequest
from signaling.ports import Calls
from signaling.refusals import Refusal, is_retryable

log = structlog.get_logger()

_LOCATION = re.compile(r"/v1/jsrtmp/dispatch/[^/]+/([0-9A-Za-z_-]{1,256})/(push|pull)/[^/]*")
OK = 0
REFUSED = 1
"""Any code that the SDK does not know: publishing or playing fails."""
NO_RTMP = 2
_BAD_REQUEST, _TRY_LATER = 400, 503


class DispatchAnswer(msgspec.Struct, frozen=True):
    code: int
    message: str = ""
    hosts: tuple[str, ...] = ()
    """``host[:port]``, best first."""


class RtmpDispatch:
    """``services.HttpService``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def answer(self, request: HttpRequest) -> HttpAnswer:
        found = _LOCATION.fullmatch(request.location)
        if found is None:
            return HttpAnswer(_BAD_REQUEST)
        sessions = [held.session for held in request.hub.sessions.values()]
        try:
            answer = await self._dispatch(sessions, found[1], found[2], request.hub.base_url)
        except Refusal as error:
            log.info("rtmp_dispatch_refused", stream_id=found[1], reason=type(error).__name__)
            if is_retryable(error):
                return HttpAnswer(_TRY_LATER)
            answer = DispatchAnswer(REFUSED, str(error))
        return HttpAnswer(200, msgspec.json.encode(answer))

    async def _dispatch(self, sessions: list[Session], stream_id: str, action: str, base: str) -> DispatchAnswer:
        if not sessions:
            raise SessionUnknown("not in a room")
        # In several rooms the request does not say for which of them it is; the address that the SDK makes does (``zgdid``), so the stream
        # is kept when it arrives there.
        publishes = action == "push" and len(sessions) == 1
        find = self._calls.publish_urls if publishes else self._calls.play_urls
        urls = await find(sessions[0], stream_id, "rtmp", base)
        if not urls:
            return DispatchAnswer(NO_RTMP, "no RTMP server here")
        return DispatchAnswer(OK, hosts=tuple(urlsplit(url).netloc for url in urls))
