"""What ``media`` refuses, as types. Signalling dialects map them to their own numbers."""

from __future__ import annotations


class MediaError(Exception):
    """Base of everything that ``media`` raises on purpose."""


class SdpRefused(MediaError):
    """The offer cannot be answered. ``reason`` is one plain sentence that names what is wrong; it never repeats the offer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MediaFull(MediaError):
    """The node's limit of streams or of players is reached (``MediaConfig.max_streams``, ``MediaConfig.max_players``)."""


class SessionInUse(MediaError):
    """The media session id is already open. The caller chooses the ids, so this is a mistake of the caller."""


class StreamInUse(MediaError):
    """The live stream has a publisher already."""


class LiveRefused(MediaError):
    """A publish or play of a live stream that may not be. ``reason`` is for the client and holds no secret."""

    def __init__(self, reason: str, *, unknown: bool = False) -> None:
        """``unknown``: there is no such stream, as far as this client is told."""
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown


class TurnPortTaken(MediaError, OSError):
    """The TURN server's UDP port cannot be bound; ``errno`` says why."""
