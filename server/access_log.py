"""One log entry per request, without credentials: the query string is left out, and so is the one in the path of a live stream."""

from __future__ import annotations

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.proxies import TrustedProxies
from server.redaction import redact_text

log = structlog.get_logger(__name__)


class AccessLog:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, proxies: TrustedProxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        status = 0
        began = time.monotonic()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                status = int(message["status"])
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            log.info(
                "request",
                method=scope.get("method", "WEBSOCKET"),
                path=redact_text(scope["path"]),
                status=status,
                address=self._proxies.origin(scope).client_address,
                milliseconds=round((time.monotonic() - began) * 1000),
            )
