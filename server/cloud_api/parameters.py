"""The parameters of actions: their types with the documented limits, and how they are read from a query or a JSON body.

An action's parameters are a ``msgspec.Struct`` with the cloud's PascalCase names. Missing or of a wrong type is code 2; what is too long
has a code of its own, which the type carries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, inspect

from server.cloud_api.codes import GatewayCode, MediaCode, RoomCode
from server.cloud_api.errors import Refused

MAX_FIELDS = 200
"""Query parameters of one request."""

RawParameters = Mapping[str, object]
"""By name: texts and lists of texts from a query, anything from a JSON body."""


@dataclass(frozen=True)
class _TextRule:
    most: int
    too_long: int
    empty: int
    """Code for an empty text; 0 = it may be empty."""


@dataclass(frozen=True)
class _ListRule:
    most: int
    too_many: int


def text(most: int, *, too_long: int = RoomCode.TOO_LONG, empty: int = RoomCode.BAD_PARAMETER) -> Meta:
    """A text of at most so many bytes of UTF-8."""
    schema: dict[str, object] = {"maxLength": most, "description": f"At most {most} bytes of UTF-8."}
    if empty:
        schema["minLength"] = 1
    return Meta(extra_json_schema=schema, extra={"rule": _TextRule(most, int(too_long), int(empty))})


def items(most: int, *, too_many: int = RoomCode.TOO_LONG) -> Meta:
    """A list of one to so many values."""
    return Meta(extra_json_schema={"minItems": 1, "maxItems": most}, extra={"rule": _ListRule(most, int(too_many))})


RoomId = Annotated[str, text(128)]
UserId = Annotated[str, text(64)]
UserName = Annotated[str, text(256, empty=0)]
StreamId = Annotated[str, text(256)]
Reason = Annotated[str, text(256, empty=0)]
"""CustomReason."""
Message = Annotated[str, text(1024, too_long=RoomCode.MESSAGE_TOO_LONG, empty=RoomCode.MESSAGE_EMPTY)]
StreamIds = Annotated[list[StreamId], items(20, too_many=MediaCode.STREAM_LIST)]
Sequence64 = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""Sequence: the docs call it a string in some places, a number in others; both are read."""
Seconds = Annotated[int, Meta(ge=1, le=86_400)]


class Parameters(msgspec.Struct, frozen=True, rename="pascal", kw_only=True):
    """What every action's parameters derive from."""


P = TypeVar("P", bound=Parameters)


def parse_query(query: bytes) -> RawParameters:
    """``Name=v`` as text, ``Name[]=v`` (also ``Name[0]=v``) and what is there several times as lists. Raises ``Refused``."""
    values: dict[str, object] = {}
    try:
        pairs = parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Refused(GatewayCode.BODY_UNREADABLE, f"more than {MAX_FIELDS} parameters") from None
    for name, value in pairs:
        base, bracket, index = name.partition("[")
        is_item = bool(bracket) and index.endswith("]") and (not index[:-1] or index[:-1].isdecimal())
        key = base if is_item else name
        if key not in values:
            values[key] = [value] if is_item else value
        else:
            known = values[key]
            values[key] = [*known, value] if isinstance(known, list) else [known, value]
    return values


def parse_body(body: bytes) -> RawParameters:
    """A JSON object; null is as good as absent. Raises ``Refused``."""
    if not body.strip():
        return {}
    try:
        values = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        raise Refused(GatewayCode.BODY_UNREADABLE, "the body is not a JSON object") from None
    return {name.removesuffix("[]"): value for name, value in values.items() if value is not None}


def read(kind: type[P], raw: RawParameters) -> P:
    """The typed parameters of an action. Raises ``Refused``."""
    lists = _list_names(kind)
    wrapped = {name: [value] if name in lists and isinstance(value, str) else value for name, value in raw.items()}
    try:
        # Not strict: in a query every number is a text.
        parameters = msgspec.convert(wrapped, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(RoomCode.BAD_PARAMETER, _readable(str(error))) from None
    for attribute, name, own, each in _rules(kind):
        value = getattr(parameters, attribute)
        if value is not None:
            _check(name, value, own, each)
    return parameters


def _readable(problem: str) -> str:
    """msgspec's message without its path syntax: "Mode: invalid enum value 7"."""
    what, found, where = problem.partition(" - at `$.")
    if found:
        return f"{where.rstrip('`')}: {what[:1].lower()}{what[1:]}"
    return what.replace("Object missing required field", "missing parameter")


def _check(name: str, value: object, own: _TextRule | _ListRule | None, each: _TextRule | None) -> None:
    if isinstance(value, str):
        if isinstance(own, _TextRule):
            _check_text(name, value, own)
    elif isinstance(value, list):
        if not value and isinstance(own, _ListRule):
            raise Refused(RoomCode.BAD_PARAMETER, f"{name}: must not be empty")
        if isinstance(own, _ListRule) and len(value) > own.most:
            raise Refused(own.too_many, f"{name}: at most {own.most}")
        if each is not None:
            for item in value:
                _check_text(name, item, each)


def _check_text(name: str, value: str, rule: _TextRule) -> None:
    if not value and rule.empty:
        raise Refused(rule.empty, f"{name}: must not be empty")
    if len(value) > rule.most or len(value.encode("utf-8", "surrogatepass")) > rule.most:
        raise Refused(rule.too_long, f"{name}: at most {rule.most} bytes")


# --- what a parameter class says about itself ------------------------------------------------------------------------------------


@cache
def fields_of(kind: type[Parameters]) -> Sequence[inspect.Field]:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return described.fields


def is_list(field: inspect.Field) -> bool:
    return any(isinstance(part, inspect.ListType) for part in _alternatives(field.type))


@cache
def _list_names(kind: type[Parameters]) -> frozenset[str]:
    return frozenset(field.encode_name for field in fields_of(kind) if is_list(field))


@cache
def _rules(kind: type[Parameters]) -> Sequence[tuple[str, str, _TextRule | _ListRule | None, _TextRule | None]]:
    """(attribute, name, rule of the value, rule of each item of a list) of each parameter that has one."""
    found: list[tuple[str, str, _TextRule | _ListRule | None, _TextRule | None]] = []
    for field in fields_of(kind):
        own = _rule(field.type)
        each = next((_rule(part.item_type) for part in _alternatives(field.type) if isinstance(part, inspect.ListType)), None)
        if own is not None or each is not None:
            found.append((field.name, field.encode_name, own, each if isinstance(each, _TextRule) else None))
    return found


def _alternatives(kind: inspect.Type) -> Sequence[inspect.Type]:
    """The types a value may have, without what is said about them."""
    if isinstance(kind, inspect.Metadata):
        return _alternatives(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [part for inner in kind.types for part in _alternatives(inner)]
    return [kind]


def _rule(kind: inspect.Type) -> _TextRule | _ListRule | None:
    if isinstance(kind, inspect.Metadata):
        rule = (kind.extra or {}).get("rule")
        return rule if isinstance(rule, (_TextRule, _ListRule)) else _rule(kind.type)
    if isinstance(kind, inspect.UnionType):
        return next((rule for part in kind.types if (rule := _rule(part)) is not None), None)
    return None
