"""``/healthz``: the process lives. ``/readyz``: it can take new clients, and its ports. ``/metrics``: figures for Prometheus."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from server.metrics import CONTENT_TYPE, Metrics

Readiness = Callable[[], Mapping[str, bool]]
"""What has to hold for new clients to be welcome: name → holds."""
Ports = Callable[[], Mapping[str, int]]
"""What is listened on beside HTTP: ``media`` and ``turn`` (UDP), ``rtmp`` (TCP); without what is switched off."""


def health_routes(readiness: Readiness, ports: Ports, metrics: Metrics, metrics_token: str) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @router.get("/readyz")
    async def readyz() -> Response:
        checks = dict(readiness())
        ready = all(checks.values())
        return JSONResponse({"ready": ready, **checks, "ports": dict(ports())}, status_code=200 if ready else 503)

    @router.get("/metrics")
    async def figures(request: Request) -> Response:
        if metrics_token:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), metrics_token.encode()):
                return PlainTextResponse("this needs server.metrics_token\n", status_code=401, headers={"WWW-Authenticate": "Bearer"})
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return router
