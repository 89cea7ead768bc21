"""Takes credentials out of text that others wrote (SDK logs, addresses) before it is kept.

Login report records of the SDKs contain the token (``miniprogram-2.11.0.md`` §14), and newer ones put it into the addresses that they
report to (``sdk-3x.md``), so both names and shapes are looked for.
"""

from __future__ import annotations

import re
from typing import TypeAlias

JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"

REDACTED = "(removed)"

_NAMES = frozenset(
    {
        "token",
        "third_token",
        "thirdtoken",
        "access_token",
        "session_token",
        "sessiontoken",
        "authorization",
        "secret",
        "server_secret",
        "serversecret",
        "signature",
        "sign",
        "media_key",
        "key",
        "password",
        # Session ids authorise media (rooms/model.py).
        "session_id",
        "sessionid",
        "zgdid",
    }
)
_NAME = "|".join(sorted(_NAMES, key=len, reverse=True))

_SHAPES = re.compile(
    r"""
    (?<![A-Za-z0-9+/])0[34][A-Za-z0-9+/_-]{40,}={0,2}         # Token03, Token04
    | (?<!\w)hi1\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+            # IdentifyToken
    | eyJ(?:(?!eyJ)[A-Za-z0-9_-])*\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*   # JWT; each try ends where the next begins, or it takes n² steps
    | (?<![A-Za-z0-9+/])eyJ[A-Za-z0-9+/]{60,}={0,2}            # legacy token: Base64 of a JSON object
    """,
    re.VERBOSE,
)
_QUOTED = re.compile(rf"""(["']?\b(?:{_NAME})\b\\*["']\s*:\s*\\*["'])(?:[^"'\\]|\\+/)+""", re.IGNORECASE)
"""A JSON document inside a text, its quotes escaped or not, perhaps its slashes too."""
_PARAMETER = re.compile(rf"\b((?:{_NAME}|session)=)[^&\s\"'\\]+", re.IGNORECASE)
_PATH_KEY = re.compile(r"((?:rtmp://[^/\s]+|/live)/\d+/)[0-9A-Za-z_-]+\.\d+")
"""Credential in the path of a RTMP or FLV address (calls/addresses.py)."""


def redact_text(text: str) -> str:
    """The text without anything that looks like a credential."""
    text = _SHAPES.sub(REDACTED, text)
    text = _QUOTED.sub(rf"\g<1>{REDACTED}", text)
    text = _PARAMETER.sub(rf"\g<1>{REDACTED}", text)
    return _PATH_KEY.sub(rf"\g<1>{REDACTED}", text)


def redact(value: JSON, depth: int = 0) -> JSON:
    """A JSON value without credentials: those under a telling name, and those that look like one anywhere in a text."""
    if depth > 16:
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list):
        return [redact(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {
            redact_text(name): REDACTED if name.lower() in _NAMES and inner not in ("", None, 0) else redact(inner, depth + 1)
            for name, inner in value.items()
        }
    return value
