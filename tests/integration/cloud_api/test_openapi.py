"""Whatever fits ``/openapi.json``, and much that does not: no 500, answers as described, and nothing happens without a signature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from server.cloud_api.openapi import openapi_document
from server.cloud_api.table import ACTIONS
from tests.integration.cloud_api.served_house import ServedHouse

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
INTERNAL_ERROR = 100000015

document: Any = openapi_document(ACTIONS.values(), "1.2.3")
schema = schemathesis.openapi.from_dict(document)
# Hundreds of systematic variants per action: minutes. The table test has those that matter, here it is about the unforeseen.
schema.config.phases.coverage.enabled = False


@pytest.fixture(scope="module")
def served() -> Iterator[ServedHouse]:
    with ServedHouse() as served:
        alice, _ = served.run(served.house.enter("alice")), served.run(served.house.enter("bob"))
        served.run(served.house.rooms.publish(alice, "alice-1"))
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
