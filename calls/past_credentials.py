"""Remembers which media addresses were good here, after their room sessions are over.

A client that was away for longer than the grace comes back to its room as a new session, but SDKs try the old media address for
minutes. Knowing it again, the server can tell that client to ask for a new one, without saying anything to somebody who guesses.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from calls.addresses import MediaCredential


class PastCredentials:
    """The newest ``limit`` of them; older ones are forgotten. Keeps digests, not keys."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def add(self, credential: MediaCredential, user_id: str) -> None:
        digest = _digest(credential, user_id)
        self._known[digest] = None
        self._known.move_to_end(digest)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)

    def __contains__(self, holder: tuple[MediaCredential, str]) -> bool:
        return _digest(*holder) in self._known


def _digest(credential: MediaCredential, user_id: str) -> bytes:
    parts = (str(credential.app_id), str(credential.session_id), credential.media_key, user_id)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()
