"""The token that a media login returns and SDKs show when they come back (``tokenType`` 1, ``sdk-3x.md`` §6.5).

It is the right to media of a room session, as in the addresses of the other dialects: with it a client is known again before it has
come back to its room.
"""

from __future__ import annotations

import re

from calls.addresses import MediaCredential
from rooms.model import Session

_TOKEN = re.compile(r"([1-9][0-9]{0,15})\.([0-9A-Za-z_-]{1,128})")

ROOM_TOKEN = 0
RETURNED_TOKEN = 1
"""``tokenType``."""


def credential_of(session: Session) -> MediaCredential:
    return MediaCredential(session.app_id, session.session_id, session.media_key)


def write_token(session: Session) -> str:
    return f"{session.session_id}.{session.media_key}"


def read_token(app_id: int, token: str) -> MediaCredential | None:
    """None if this is no token of ours."""
    found = _TOKEN.fullmatch(token)
    return MediaCredential(app_id, int(found[1]), found[2]) if found else None
