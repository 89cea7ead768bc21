"""Comparison in constant time."""

from __future__ import annotations

import hmac


def same_text(left: str, right: str) -> bool:
    """Whether two texts are equal, taking no longer for a longer common beginning. Lone surrogates are compared like any character."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))
