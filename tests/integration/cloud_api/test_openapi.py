"""Whatever fits ``/openapi.json``, and much that does not: no 500, answers as described, and nothing happens without a signature."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from server.cloud_api.openapi import openapi_document
from server.cloud_api.table import ACTIONS
from tests.unit.server.cloud_api.house import ApiHouse, api_house

T = TypeVar("T")

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
INTERNAL_ERROR = 100000015

document: Any = openapi_document(ACTIONS.values(), "1.2.3")
schema = schemathesis.openapi.from_dict(document)
# Hundreds of systematic variants per action: minutes. The table test has those that matter, here it is about the unforeseen.
schema.config.phases.coverage.enabled = False


class ServedHouse:
    """The API served on a port of its own by a thread: schemathesis talks to it like any client."""

    def __init__(self) -> None:
        self.url = ""
        self.house: ApiHouse
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run()))

    async def _run(self) -> None:
        async with api_house(rtmp_url="rtmp://127.0.0.1:1935") as self.house:
            alice, _ = await self.house.enter("alice"), await self.house.enter("bob")
            await self.house.rooms.publish(alice, "alice-1")
            self._server = uvicorn.Server(uvicorn.Config(self.house.app, port=0, log_level="warning", lifespan="off"))
            serving = asyncio.create_task(self._server.serve())
            while not self._server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
                await asyncio.sleep(0.01)
            self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
            self._ready.set()
            await serving

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def __enter__(self) -> ServedHouse:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)


@pytest.fixture(scope="module")
def served() -> Iterator[ServedHouse]:
    with ServedHouse() as served:
        yield served


def test_document_is_served_and_valid(served: ServedHouse) -> None:
    answer = httpx.get(f"{served.url}/openapi.json")
    assert answer.json() == document
    assert set(document["paths"]) == {f"/v2/{name}" for name in ACTIONS}


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_request_is_answered_as_described(case: schemathesis.Case, served: ServedHouse) -> None:
    before = served.run(served.house.state())
    answer = case.call(base_url=served.url)
    case.validate_response(answer, checks=CHECKS)
    if case.method not in ("GET", "POST"):
        assert answer.status_code == 405
        return
    assert answer.json()["Code"] not in (0, INTERNAL_ERROR), answer.text
    assert served.run(served.house.state()) == before

    action = case.path.removeprefix("/v2/")
    case.query = {**(case.query or {}), **served.house.signed(action)}
    case.query.pop("IsTest", None)
    answer = case.call(base_url=served.url)
    case.validate_response(answer, checks=CHECKS)
    assert answer.json()["Code"] < 100000000 or answer.json()["Code"] == 100000012, answer.text
