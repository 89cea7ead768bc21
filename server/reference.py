"""The reference of all settings, written from their docstrings: the table of ``docs/configure.md`` and ``hearth.example.toml``.

``python -m server.reference`` brings both up to date; a test holds them to it.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from server.configuration import model_in
from server.settings import Settings

BEGIN = "<!-- written by `python -m server.reference`: change server/settings.py -->"
END = "<!-- end of what is written -->"
_WIDTH = 130

_EXAMPLE_HEAD = """\
# Every setting of Hearth with its default. A line that begins with "#" can stay as it is: that is the default.
# Copy to hearth.toml, keep what you change. How it is found and checked: docs/configure.md.
# Each key can also be set in the environment: HEARTH_<SECTION>__<KEY>, e.g. HEARTH_SERVER__PORT=9000; HEARTH_APPS takes JSON.
"""

_EXAMPLE_APP = """\
[[apps]]
app_id = 1234567890
server_secrets = ["make one: openssl rand -hex 16"]
"""


_KINDS: tuple[tuple[object, str], ...] = (
    (bool, "true, false"),
    (int, "number"),
    (float, "number"),
    (Path, "path"),
    (SecretStr, "secret text"),
)


def _sections() -> Iterator[tuple[str, str, type[BaseModel], bool]]:
    for name, field in Settings.model_fields.items():
        model = model_in(field.annotation)
        assert model is not None
        yield name, _words(field), model, get_origin(field.annotation) is list


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """The keys of a table, those of inner tables with a dot."""
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if inner is None:
            yield prefix + name, field
        else:
            yield from _keys(inner, f"{prefix}{name}.")


def all_keys() -> list[str]:
    """``section.key`` of every setting."""
    return [f"{section}.{key}" for section, _, model, _ in _sections() for key, _ in _keys(model)]


def _words(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def _default(field: FieldInfo) -> str | None:
    """The default as TOML; None = there is none."""
    value = field.get_default(call_default_factory=True, validated_data={})
    if field.is_required() or value is None:
        return None
    if isinstance(value, SecretStr):
        return json.dumps(value.get_secret_value())
    if isinstance(value, (bool, int, float, list)):
        return json.dumps(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {json.dumps(inner)}" for key, inner in value.items()) + " }" if value else "{}"
    return json.dumps(str(value))


def _allowed(annotation: object) -> str:
    """What a key takes, in words short enough for a table."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _allowed(arguments[0])
    if origin is Literal:
        return ", ".join(json.dumps(choice) for choice in arguments)
    if origin in (Union, UnionType):
        return _allowed(next(argument for argument in arguments if argument is not type(None)))
    if origin is list:
        return f"list of {_allowed(arguments[0])}"
    if origin is dict:
        return f"table of {_allowed(arguments[1])}s"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return ", ".join(json.dumps(choice.value) for choice in annotation)
    for kind, words in _KINDS:
        if annotation is kind:
            return words
    return "text"


def _range(field: FieldInfo) -> str:
    bounds: dict[str, object] = {}
    for rule in field.metadata:
        for name in ("ge", "gt", "le"):
            bound = getattr(rule, name, None)
            if bound is not None:
                bounds[name] = bound
    low = f"{bounds['ge']}" if "ge" in bounds else f"more than {bounds['gt']}" if "gt" in bounds else ""
    return f"{low} … {bounds['le']}" if "le" in bounds else f"from {low}" if low else ""


def table() -> str:
    """The reference as Markdown."""
    lines = [BEGIN, ""]
    for section, meaning, model, repeated in _sections():
        lines += [f"### `[[{section}]]`" if repeated else f"### `[{section}]`", "", meaning, ""]
        lines += ["| key | default | takes | meaning |", "|---|---|---|---|"]
        for key, field in _keys(model):
            default = _default(field)
            takes = "; ".join(part for part in (_allowed(field.annotation), _range(field)) if part)
            shown = f"`{default}`" if default is not None else "required" if field.is_required() else "not set"
            lines.append(f"| `{key}` | {shown} | {takes} | {_words(field)} |")
        lines.append("")
    return "\n".join([*lines, END])


def example() -> str:
    """The annotated sample file."""
    parts = [_EXAMPLE_HEAD]
    for section, meaning, model, repeated in _sections():
        parts.append(_comment(meaning))
        if repeated:
            parts.append(_EXAMPLE_APP.rstrip())
        else:
            parts.append(f"[{section}]")
        for key, field in _keys(model):
            if field.is_required():
                continue
            parts.append(_comment(_words(field)))
            default = _default(field)
            parts.append(f"# {key} = {default}" if default is not None else f"# {key} =")
        parts.append("")
    return "\n".join(parts)


def _comment(text: str) -> str:
    return "\n".join(f"## {line}" for line in textwrap.wrap(text, _WIDTH))


def with_table(document: str) -> str:
    """``docs/configure.md`` with the table of today."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + table() + after


def main() -> None:
    guide = Path("docs/configure.md")
    guide.write_text(with_table(guide.read_text(encoding="utf-8")), encoding="utf-8")
    Path("hearth.example.toml").write_text(example(), encoding="utf-8")


if __name__ == "__main__":
    main()
