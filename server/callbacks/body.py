"""The body of a callback's request."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from server.callbacks.events import Fields

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def json_body(fields: Fields) -> bytes:
    """As JSON that stays the same JSON when a receiver decodes it like a URL first, as the cloud's pages tell it to (§3.1).

    "%" and "+" only occur inside texts, where they can be written as escapes.
    """
    return msgspec.json.encode(fields).replace(b"%", b"\\u0025").replace(b"+", b"\\u002b")


def form_body(fields: Fields) -> bytes:
    """As a form; lists as PHP reads them: ``name[0]=…``, an empty one not at all."""
    pairs: list[tuple[str, str]] = []
    for name, value in fields.items():
        if isinstance(value, str | int):
            pairs.append((name, str(value)))
        else:
            pairs += [(f"{name}[{place}]", item) for place, item in enumerate(value)]
    return urlencode(pairs, errors="surrogatepass").encode()
