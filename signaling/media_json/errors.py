"""What only the JSON dialect's clients need in a refusal; the rest is in ``signaling.media_endings``."""

from __future__ import annotations

from calls.errors import AppUnknown
from signaling.media_endings import MediaResult

DEAF_AT_FIRST = "1.4."
"""SDKs that drop a first error without a word while they negotiate, and then wait for ever; the second one they tell their app. Told to try
again, they count that as the first (``publishStateUpdateError`` with ``negoTryCount`` and ``negoTryMaxCount`` in 1.4.0)."""


def login_result(error: Exception) -> MediaResult:
    """``result`` of a refused LoginReq. Only an App that is not served is final: a session may come back under a new address."""
    return MediaResult.TOKEN_REFUSED if isinstance(error, AppUnknown) else MediaResult.FAILED
