"""How long an HTTP connection may take to send a request.

uvicorn waits without end for the first one and for a body, so connections that send nothing, or a byte now and then, could take all the
files of the process; ``server/connections.py`` counts WebSockets only.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from server.transports import with_transport


def with_request_deadline(seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's HTTP/1.1, with connections closed whose next request, body included, is not there in time. WebSockets are not touched."""

    class RequestDeadline(H11Protocol):
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self.app_state = with_transport(self.app_state, transport)
            super().connection_made(transport)
            self._begin()

        def connection_lost(self, exc: Exception | None) -> None:
            self._end()
            super().connection_lost(exc)

        def handle_websocket_upgrade(self, event: h11.Request) -> None:
            self._end()
            super().handle_websocket_upgrade(event)

        def on_response_complete(self) -> None:
            self._begin()
            super().on_response_complete()

        def _begin(self) -> None:
            self._end()
            self._timer = self.loop.call_later(seconds, self._late)

        def _end(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _late(self) -> None:
            # A request that is there and being answered takes what it takes.
            if not self.cycle or self.cycle.response_complete or self.cycle.more_body:
                self.transport.close()

    return RequestDeadline
