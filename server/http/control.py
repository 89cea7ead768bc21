"""``POST /control/{action}``: see ``server/control.py``."""

from __future__ import annotations

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.control import Control, ControlRefused
from server.http.body import BodyTooLong, read_body

log = structlog.get_logger(__name__)

MAX_BODY = 65_536


def control_routes(control: Control) -> APIRouter:
    router = APIRouter()

    @router.post("/control/{action}")
    async def act(action: str, request: Request) -> Response:
        try:
            body = await read_body(request, MAX_BODY)
            # Signed over the path that we see; a proxy in front must not change it.
            data = await control.handle(action, request.url.path, request.headers, body)
        except BodyTooLong:
            return _refusal(413, "TooLong", f"the body is longer than {MAX_BODY} bytes")
        except ControlRefused as refusal:
            log.info("control_refused", action=action[:64], kind=refusal.kind)
            return _refusal(refusal.status, refusal.kind, str(refusal))
        return JSONResponse({"data": data})

    return router


def _refusal(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"error": {"type": kind, "message": message}}, status_code=status)
