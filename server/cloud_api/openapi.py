"""The OpenAPI document of the API, written from the table: each action has a path of its own, ``/v2/{Action}``, for GET and POST."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from server.cloud_api.action import AnyAction
from server.cloud_api.codes import OK, GatewayCode
from server.cloud_api.parameters import Parameters, fields_of, is_list
from server.redaction import JSON

Schema = dict[str, JSON]

DESCRIPTION = """\
The cloud's server API v2. Every answer is HTTP 200 with a `Code`; 0 is success. The same actions are at `/?Action=…`.

Each request is signed anew: `Signature` is the lower-case hexadecimal MD5 of AppId, SignatureNonce, ServerSecret and Timestamp written one
after another.
"""

_SECONDS = "Unix seconds, within ten minutes of the server's clock."
_PREFIX = "Whether stream ids carry the prefix of the cloud's test environment."

_COMMON: tuple[tuple[str, Schema, str, bool], ...] = (
    ("AppId", {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}, "AppID.", True),
    ("SignatureNonce", {"type": "string", "minLength": 1}, "Random text, used once.", True),
    ("Timestamp", {"type": "integer", "minimum": 0, "maximum": 999_999_999_999}, _SECONDS, True),
    ("Signature", {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "MD5 as described above.", True),
    ("SignatureVersion", {"type": "string", "enum": ["2.0"]}, "Always 2.0.", True),
    ("IsTest", {"type": "string", "enum": ["true", "false"]}, _PREFIX, False),
)


def openapi_document(actions: Iterable[AnyAction], version: str) -> JSON:
    """OpenAPI 3.1."""
    listed = list(actions)
    kinds = [action.parameters for action in listed] + [action.data for action in listed if action.data is not None]
    # Two actions may share a parameter type; msgspec names each once.
    _, components = msgspec.json.schema_components(list(dict.fromkeys(kinds)), ref_template="#/components/schemas/{name}")
    paths: dict[str, JSON] = {f"/v2/{action.name}": _path(action, components) for action in listed}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hearth server API", "version": version, "description": DESCRIPTION, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": cast("dict[str, JSON]", dict(sorted(components.items()))),
            "parameters": {name: _parameter(name, schema, text, required) for name, schema, text, required in _COMMON},
        },
    }


def _path(action: AnyAction, components: Mapping[str, Any]) -> JSON:
    parameters: type[Parameters] = action.parameters
    schema = components[parameters.__name__]
    tag = "Hearth" if action.name.startswith("Hearth") else action.family.name.title()
    common: list[JSON] = [{"$ref": f"#/components/parameters/{name}"} for name, *_ in _COMMON]
    fields = fields_of(parameters)
    query: list[JSON] = [
        _parameter(
            f"{field.encode_name}[]" if is_list(field) else field.encode_name,
            _in_query(schema["properties"][field.encode_name]),
            "",
            field.required,
        )
        for field in fields
    ]
    about: Schema = {"summary": action.summary, "description": _about(action), "tags": [tag]}
    answer: JSON = {"200": {"description": "Done (Code 0) or refused.", "content": {"application/json": {"schema": _answer(action)}}}}
    body: JSON = {
        "required": any(field.required for field in fields),
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{parameters.__name__}"}}},
    }
    return {
        "parameters": common,
        "get": {**about, "operationId": action.name, "parameters": query, "responses": answer},
        "post": {**about, "operationId": f"{action.name}Post", "requestBody": body, "responses": answer},
    }


def _in_query(schema: Schema) -> Schema:
    """A list that may be absent cannot be null in a query."""
    choices = schema.get("anyOf")
    if isinstance(choices, list):
        kept = [choice for choice in choices if choice != {"type": "null"}]
        if len(kept) == 1 and isinstance(kept[0], dict):
            return kept[0]
    return schema


def _parameter(name: str, schema: Schema, text: str, required: bool) -> JSON:
    described: Schema = {"name": name, "in": "query", "required": required, "schema": schema}
    if text:
        described["description"] = text
    if schema.get("type") == "array":
        described |= {"style": "form", "explode": True}
    return described


def _about(action: AnyAction) -> str:
    limits = []
    if action.rate:
        limits.append(f"{action.rate:g} per second")
    if action.room_rate:
        limits.append(f"{action.room_rate:g} per second for one room")
    codes = {OK: action.family.value, **action.codes}
    lines = [f"Rate: {', '.join(limits) or 'unlimited'} (a setting).", ""]
    lines += [f"* `{int(code)}` {text}" for code, text in codes.items()]
    lines.append(f"* `{GatewayCode.BAD_HOST:d}` to `{GatewayCode.SERVICE_NOT_ENABLED:d}`: refused by the gateway")
    return "\n".join(lines)


def _answer(action: AnyAction) -> JSON:
    properties: dict[str, JSON] = {
        "Code": {"type": "integer", "description": "0 = success."},
        "Message": {"type": "string"},
        "RequestId": {"type": "string", "pattern": "^[0-9]+$"},
    }
    if action.data is not None:
        properties["Data"] = cast(JSON, msgspec.json.schema_components([action.data], ref_template="#/components/schemas/{name}")[0][0])
    return {"type": "object", "properties": properties, "required": ["Code", "Message", "RequestId"]}
