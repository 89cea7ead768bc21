"""The versions of the official web SDK below 3.0, every one that npm has, by what they need of a server (``web-1x-2x.md`` §0)."""

from __future__ import annotations

FIRST_STYLE = ("1.4.0", "1.12.0", "1.19.0", "2.5.0")
"""Open a session in two steps and send everything through a TURN server."""

OFFER_AT_ONCE = ("2.9.1", "2.13.0", "2.14.0")
"""Open a session with its offer and need no TURN server."""

CLOUD_SERVICE = (
    "2.16.1",
    "2.17.0",
    "2.18.0",
    "2.22.0",
    "2.23.0",
    "2.24.0",
    "2.24.5",
    "2.25.1",
    "2.25.2",
    "2.25.5",
    "2.25.6",
    "2.26.0",
    "2.26.2",
)
"""As the second, once the app has said ``engine.zegoWebRTC.setAccess(false)``."""

WHOLE_CALL = ("1.4.0", "2.5.0", "2.14.0", "2.26.2")
"""One of each kind, and the last: everything that belongs to a call is tried with these."""

NEWEST = "3.12.0"
"""Of the versions that know the accesshub only."""

COUNTS_QUALITY = ("1.4.0", "2.26.2")
"""Of those, the ones whose statistics work in today's Chromium (§7)."""


def session_request(version: str) -> str:
    """The command with which this version opens a media session."""
    return "CreateSessionReq" if version in FIRST_STYLE else "CreateSessionWithSdpReq"
