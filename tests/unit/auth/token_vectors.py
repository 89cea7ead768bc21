"""The vectors of ``vectors/tokens.json``: tokens made by the official generators, cases to refuse, and documented signatures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from auth.claims import AppKeys

Vector = dict[str, Any]

SECRET = "0123456789abcdef0123456789abcdef"
OTHER_SECRET = "ffffffffffffffffffffffffffffffff"
APP_SIGN = "0123456789abcdef" * 4
APP_ID = 1234567890
NOW = 1_700_000_000

_DATA: dict[str, list[Vector]] = json.loads((Path(__file__).parent / "vectors" / "tokens.json").read_text("utf-8"))

TOKENS = {vector["id"]: vector for vector in _DATA["tokens"]}
NEGATIVE = {vector["id"]: vector for vector in _DATA["negative"]}
SIGNATURES = {vector["id"]: vector for vector in _DATA["signatures"]}


def keys_of(vector: Vector, *secrets: str) -> AppKeys:
    """The keys of the App a vector was made for; ``secrets`` in place of its own."""
    own = (vector["secret"],) if "secret" in vector else ()
    return AppKeys(vector["app_id"], secrets or own, app_sign=vector.get("app_sign"))


def app_keys(app_id: int = APP_ID) -> AppKeys:
    return AppKeys(app_id, (SECRET,), app_sign=APP_SIGN)


def bytes_from(*chunks: bytes) -> Callable[[int], bytes]:
    """A source of "random" bytes that gives ``chunks`` in turn and insists on the length asked for."""
    rest: Iterator[bytes] = iter(chunks)

    def take(length: int) -> bytes:
        chunk = next(rest)
        assert len(chunk) == length
        return chunk

    return take
