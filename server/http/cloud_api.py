"""``/?Action=…``, ``/v2/{Action}`` and ``/openapi.json``: see ``server/cloud_api``."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from server.cloud_api.gateway import Answer, ApiRequest, Gateway
from server.cloud_api.openapi import openapi_document
from server.cloud_api.table import ACTIONS
from server.http.body import BodyTooLong, read_body
from server.proxies import TrustedProxies

MAX_BODY = 65_536


class _Json(Response):
    media_type = "application/json"


def cloud_api_routes(gateway: Gateway, proxies: TrustedProxies, version: str) -> APIRouter:
    router = APIRouter()
    document = msgspec.json.encode(openapi_document(ACTIONS.values(), version))

    async def answered(request: Request, path_action: str) -> Response:
        body: bytes | None = b""
        if request.method == "POST":
            try:
                body = await read_body(request, MAX_BODY)
            except BodyTooLong:
                body = None
        query: bytes = request.scope.get("query_string", b"")
        answer: Answer = await gateway.answer(ApiRequest(query, body, proxies.origin(request.scope).host, path_action))
        # What is answered depends on the signature: nobody in between may keep it.
        return _Json(msgspec.json.encode(answer), headers={"Cache-Control": "no-store"})

    @router.api_route("/", methods=["GET", "POST"])
    async def by_query(request: Request) -> Response:
        return await answered(request, "")

    @router.api_route("/v2/{action}", methods=["GET", "POST"])
    async def by_path(action: str, request: Request) -> Response:
        return await answered(request, action)

    @router.get("/openapi.json")
    async def openapi() -> Response:
        return _Json(document)

    return router
