"""What connections for live streams ask whoever decides, and what that one may do with them. ``calls`` decides."""

from __future__ import annotations

from typing import Protocol

from media.figures import MediaFigures


class LiveConnection(Protocol):
    """A connection that wants to publish or play, as whoever decides sees it. Called on the event loop; nothing here waits."""

    @property
    def silent_ms(self) -> int | None:
        """How long nothing has come from this publisher; None for a player, and before the first message."""
        ...

    def open(self, stream: str) -> None:
        """It may: publish or play the stream of this name from now on. A publisher takes it over from any other.

        Raises ``MediaFull``; ``LiveRefused`` if the connection is gone already.
        """
        ...

    def close(self, reason: str) -> None:
        """It may no longer. ``reason`` is told to the client. Nothing is said back."""
        ...

    def set_forwarding(self, *, audio: bool) -> None:
        """Whether a player gets the sound."""
        ...

    def figures(self) -> MediaFigures | None:
        """Its counters; None while it is not open."""
        ...


class LiveSession(Protocol):
    """What a connection says about what it was allowed."""

    def media_arrived(self) -> None:
        """The first message of a publisher, or to a player."""

    def ended(self, *, lost: bool) -> None:
        """It has stopped: the client said so, or (``lost``) it is just gone. The last word."""


class LiveAccess(Protocol):
    """Who decides. ``address`` is the path of an RTMP or FLV address, without the leading slash, with its query: it holds credentials.

    ``client`` is the IP address of the client, for the log. Both coroutines call ``connection.open`` before they return, or raise
    ``LiveRefused`` or ``MediaFull`` and leave nothing behind.
    """

    def serves(self, path: str) -> bool:
        """Whether an address that begins so can be one of ours: asked before the rest is known."""
        ...

    async def publish(self, address: str, client: str, connection: LiveConnection) -> LiveSession: ...

    async def play(self, address: str, client: str, connection: LiveConnection) -> LiveSession: ...
