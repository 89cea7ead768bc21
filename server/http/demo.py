"""``/demo``: a page to try the server with, and tokens for it. Only in development, only for this machine.

Whoever may ask ``/demo/token`` needs no secret to enter any room, so it is served on the loopback interface alone: the peer, the
``Host`` header (a page of another site can make its own name point here: DNS rebinding) and the absence of a proxy's headers are
all looked at. No CORS header is sent, so pages of other sites cannot read the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files

from fastapi import APIRouter
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Scope

from auth.claims import TokenKind
from auth.tokens import issue_token
from calls.apps import App
from rooms.model import Clock
from server.proxies import is_loopback

TOKEN_SECONDS = 3600

_FILES = {
    "index.html": "text/html; charset=utf-8",
    "demo.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "room.js": "text/javascript; charset=utf-8",
    "gateway.js": "text/javascript; charset=utf-8",
    "wire.js": "text/javascript; charset=utf-8",
    "flame.svg": "image/svg+xml",
}

# Another node on this machine listens on another port: its media socket is another origin.
_LOOPBACK_SOCKETS = "ws://127.0.0.1:* wss://127.0.0.1:* ws://localhost:* wss://localhost:*"

_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {_LOOPBACK_SOCKETS}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_REFUSAL = "The demo is only for the machine that Hearth runs on: open it there, as 127.0.0.1 or localhost, not through a proxy.\n"


def demo_routes(apps: Callable[[], Sequence[App]], clock: Clock) -> APIRouter:
    """The routes. ``apps``: those served now; the demo uses the first."""
    router = APIRouter()
    folder = files("server") / "demo"

    def page(request: Request, name: str) -> Response:
        if not _from_this_machine(request.scope):
            return PlainTextResponse(_REFUSAL, status_code=403)
        return Response((folder / name).read_bytes(), media_type=_FILES[name], headers=_HEADERS)

    @router.get("/demo")
    async def index(request: Request) -> Response:
        return page(request, "index.html")

    @router.get("/demo/token")
    async def token(request: Request, user_id: str, room_id: str) -> Response:
        if not _from_this_machine(request.scope):
            return PlainTextResponse(_REFUSAL, status_code=403)
        served = apps()
        if not served:
            return PlainTextResponse("No App is configured: add an [[apps]] table to hearth.toml.\n", status_code=503)
        app = served[0]
        try:
            text = issue_token(
                TokenKind.TOKEN04, keys=app.keys, user_id=user_id, now=clock() // 1000, ttl=TOKEN_SECONDS, room_id=room_id or None
            )
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", status_code=400)
        return JSONResponse({"app_id": app.app_id, "token": text}, headers=_HEADERS)

    @router.get("/demo/{name}")
    async def part(request: Request, name: str) -> Response:
        return page(request, name) if name in _FILES else PlainTextResponse("not found\n", status_code=404)

    return router


def _from_this_machine(scope: Scope) -> bool:
    client: tuple[str, int] | None = scope.get("client")
    headers = Headers(scope=scope)
    if "x-forwarded-for" in headers or "forwarded" in headers or "x-real-ip" in headers:
        return False
    host = headers.get("host", "")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return client is not None and is_loopback(client[0]) and (name == "localhost" or is_loopback(name))
