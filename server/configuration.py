"""How a configuration file, the environment and the command line become one ``Settings``, and how a mistake is told.

Look-up of the file: ``--config``, ``HEARTH_CONFIG``, ``./hearth.toml``, ``./.hearth/hearth.toml``. A key in the environment
(``HEARTH_<SECTION>__<KEY>``, ``HEARTH_APPS`` as JSON) goes over the file, the command line over both.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, SettingsError

from server.settings import Settings

Tree = dict[str, Any]

_PREFIX = "HEARTH_"
_SECRET_KEYS = frozenset({"server_secrets", "callback_secret", "app_sign", "metrics_token", "shared_secret"})
_OUTSIDE_SETTINGS = frozenset({"HEARTH_CONFIG"})
MASK = "********"


class ConfigurationError(Exception):
    """The configuration cannot be used. The text names the key, the value (masked if secret) and what is allowed."""


@dataclass(frozen=True)
class Configuration:
    """Settings and where they came from."""

    settings: Settings
    path: Path | None
    """The file that was read; None = none was found."""


def find_config(explicit: Path | None, environment: Mapping[str, str], directory: Path) -> Path | None:
    """The configuration file to use, or None. A file that was asked for by name must be there."""
    named = explicit or (Path(environment["HEARTH_CONFIG"]) if environment.get("HEARTH_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            source = "--config" if explicit else "HEARTH_CONFIG"
            raise ConfigurationError(f"{source}: there is no file {named}")
        return named
    return next((path for path in (directory / "hearth.toml", directory / ".hearth" / "hearth.toml") if path.is_file()), None)


def load_configuration(
    explicit: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    arguments: Tree | None = None,
) -> Configuration:
    """Find, read and check everything. ``arguments``: values of the command line, by section. Raises ``ConfigurationError``."""
    environment = os.environ if environment is None else environment
    path = find_config(explicit, environment, directory or Path())
    return Configuration(read_settings(path, environment=environment, arguments=arguments), path)


def read_settings(path: Path | None, *, environment: Mapping[str, str], arguments: Tree | None = None) -> Settings:
    """The settings of this file under this environment and these arguments. Raises ``ConfigurationError``."""
    from_file = _read_toml(path) if path is not None else {}
    from_environment = _read_environment(environment)
    merged = _merge(_merge(from_file, from_environment), arguments or {})
    try:
        return Settings(**merged)
    except ValidationError as error:
        sources = [("the command line", arguments or {}), ("the environment", from_environment), (str(path), from_file)]
        lines = [_explain(detail, sources) for detail in error.errors()]
        raise ConfigurationError("\n".join(dict.fromkeys(lines))) from None
    except TypeError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _read_toml(path: Path) -> Tree:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not TOML: {error}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None


def _read_environment(environment: Mapping[str, str]) -> Tree:
    for name in environment:
        if name.upper().startswith(_PREFIX) and "__" in name:
            section = name[len(_PREFIX) :].split("__")[0].lower()
            if section not in Settings.model_fields or section == "apps":
                known = ", ".join(f"{_PREFIX}{field.upper()}__…" for field in Settings.model_fields if field != "apps")
                raise ConfigurationError(f"{name}: unknown key (from the environment); allowed: {known}, HEARTH_APPS (JSON)")
    source = EnvSettingsSource(Settings, env_prefix=_PREFIX, env_nested_delimiter="__", case_sensitive=False)
    # An empty variable is none: compose files and units pass on what is not set as "".
    source.env_vars = {name.lower(): value for name, value in environment.items() if value and name not in _OUTSIDE_SETTINGS}
    try:
        return source()
    except SettingsError as error:
        found = re.search(r'field "(\w+)"', str(error))
        name = f"{_PREFIX}{found[1].upper()}" if found else "environment"
        cause = f": {error.__cause__}" if isinstance(error.__cause__, json.JSONDecodeError) else ""
        raise ConfigurationError(f"{name}: not JSON{cause}; a list of Apps looks like {_APPS_EXAMPLE}") from None


_APPS_EXAMPLE = '[{"app_id": 1234567890, "server_secrets": ["(32 characters)"]}]'


def _merge(below: Tree, above: Tree) -> Tree:
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        merged[key] = _merge(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


# --- telling a mistake ---------------------------------------------------------------------------------------------------------


def _explain(detail: ErrorDetails, sources: Iterable[tuple[str, Tree]]) -> str:
    location = [part for part in detail["loc"] if not (isinstance(part, str) and "[" in part)]
    key = _key_path(location)
    if not key:
        return str(detail["msg"]).removeprefix("Value error, ")
    origin = next((name for name, tree in sources if _holds(tree, location)), "")
    where = f" (from {origin})" if origin else ""
    if detail["type"] == "extra_forbidden":
        model = _model_at(location[:-1])
        known = sorted(model.model_fields) if model else []
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{key}: unknown key{where}{hint or '; allowed: ' + ', '.join(known)}"
    if detail["type"] == "missing":
        return f"{key}: missing; {_description(location)}".rstrip("; ")
    # An App that is no table is a text with all of it inside.
    is_secret = any(part in _SECRET_KEYS for part in location) or (location[0] == "apps" and len(location) <= 2)
    value = MASK if is_secret else _shown(key, detail["input"])
    rule = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    meaning = _description(location)
    return f"{key} = {value}{where}: {rule[:1].lower() + rule[1:]}" + (f"\n    {key}: {meaning}" if meaning else "")


def _key_path(location: Iterable[object]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _holds(tree: object, location: list[Any]) -> bool:
    for part in location:
        if (isinstance(tree, dict) and part in tree) or (isinstance(tree, list) and isinstance(part, int) and part < len(tree)):
            tree = tree[part]
        else:
            return isinstance(tree, str) and isinstance(part, int)
    return True


def _shown(key: str, value: object) -> str:
    if key == "store.url" and isinstance(value, str):
        value = without_password(value)
    if isinstance(value, (dict, list)):
        return "{…}" if isinstance(value, dict) else "[…]"  # may hold secrets further down
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "…"


def _model_at(location: Iterable[object]) -> type[BaseModel] | None:
    model: type[BaseModel] | None = Settings
    for part in location:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(str(part)) if model else None
        model = model_in(field.annotation) if field else None
    return model


def model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in get_args(annotation) if (found := model_in(argument))), None)


def _description(location: list[Any]) -> str:
    named = [part for part in location if isinstance(part, str)]
    model = _model_at(named[:-1])
    field = model.model_fields.get(named[-1]) if model else None
    return " ".join((field.description or "").split()) if field else ""


# --- showing the effective configuration ---------------------------------------------------------------------------------------


def without_password(url: str) -> str:
    """A store URL as it may be shown: ``redis://:********@host/0``."""
    # Not by urlsplit: what is no address, for example for a "/" or "[" in its password, is shown too.
    scheme, separator, rest = re.sub(r"(?i)([?&]password=)[^&#]*", rf"\g<1>{MASK}", url).partition("://")
    credentials, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{credentials.partition(':')[0]}:{MASK}@{host}" if at else f"{scheme}{separator}{rest}"


def describe(settings: Settings, *, explain: bool = False) -> str:
    """The effective settings as TOML, secrets masked; ``explain`` puts each key's meaning above it."""
    lines: list[str] = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        for table in value if isinstance(value, list) else [value]:
            lines += [*_comment(field.description, explain), f"[[{name}]]" if isinstance(value, list) else f"[{name}]"]
            lines += [*_table_lines(table, explain), ""]
    return "\n".join(lines)


def _comment(text: str | None, explain: bool) -> list[str]:
    return [f"# {line.strip()}" for line in (text or "").splitlines()] if explain else []


def _table_lines(table: BaseModel, explain: bool) -> Iterator[str]:
    for key, field in type(table).model_fields.items():
        value = getattr(table, key)
        yield from _comment(field.description, explain)
        if value is None:
            yield f"# {key} is not set"
        elif key == "url" and isinstance(value, str):
            yield f"{key} = {json.dumps(without_password(value))}"
        else:
            yield f"{key} = {_toml(value)}"


def _toml(value: object) -> str:
    if isinstance(value, SecretStr):
        return json.dumps(MASK if value.get_secret_value() else "")
    if isinstance(value, BaseModel):
        inner = (f"{key} = {_toml(getattr(value, key))}" for key in type(value).model_fields if getattr(value, key) is not None)
        return "{ " + ", ".join(inner) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return json.dumps(str(value), ensure_ascii=False)
