"""The Lua scripts of the registry (``rooms/lua``): one file per mutation, shared parts in files that begin with ``_``.

A script names the parts it needs in its first line (``-- uses: _history _streams``), as does a part that needs others; they are put in
front of it. Only what is needed goes in: the embedded store compiles the text at every call.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "lua"
_USES = "-- uses:"


@dataclass(frozen=True)
class Script:
    """A script's text and the name under which the store caches it."""

    name: str
    text: str
    sha: str
    """Lower-case hex SHA-1 of the text (EVALSHA)."""


def _compact(text: str) -> str:
    """Without comments and indentation, which only the embedded store's compiler would pay for."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("--"))


def _with_parts(name: str, text: str, found: dict[str, str]) -> None:
    """Adds a file to ``found``, what it needs before itself, each once."""
    first = text.partition("\n")[0]
    for part in first.removeprefix(_USES).split() if first.startswith(_USES) else []:
        if part not in found:
            _with_parts(part, (_FOLDER / f"{part}.lua").read_text(encoding="utf-8"), found)
    found[name] = _compact(text)


@cache
def script(name: str) -> Script:
    """The script ``rooms/lua/<name>.lua`` with its shared parts. Raises ``FileNotFoundError``."""
    parts: dict[str, str] = {}
    _with_parts(name, (_FOLDER / f"{name}.lua").read_text(encoding="utf-8"), parts)
    text = "\n".join(parts.values())
    return Script(name, text, hashlib.sha1(text.encode()).hexdigest())
