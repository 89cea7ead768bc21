"""A publisher inside this process, with its own numbering."""

from __future__ import annotations

from media.stream import Stream


class Feed:
    """See the module."""

    __slots__ = ("sequence", "stream")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.sequence = 0
        """Of its next packet, 0 … 65535."""
