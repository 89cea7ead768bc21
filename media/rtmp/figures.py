"""Counters of live sessions, in the form that all media has (``media.figures``)."""

from __future__ import annotations

from media.figures import MediaFigures, MediaTransport
from media.rtmp.backlog import Backlog
from media.rtmp.live import LiveStream


def publisher_figures(stream: LiveStream | None, *, address: str) -> MediaFigures | None:
    """Of the publisher that feeds a stream; None if none does."""
    if stream is None or stream.feed is None:
        return None
    return MediaFigures(
        MediaTransport.RTMP,
        stream.sound_messages,
        stream.sound_bytes,
        connected=stream.last_arrival is not None,
        address=address,
        drift_ms=stream.ahead_ms,
    )


class PlayerTally:
    """What a player gets is not counted message by message: it is what its stream has passed on since the player came, but for what was
    dropped."""

    def __init__(self, stream: LiveStream) -> None:
        self._stream = stream
        self._messages = stream.sound_messages
        self._bytes = stream.sound_bytes

    def figures(self, transport: MediaTransport, backlog: Backlog, *, address: str, forwarding: bool) -> MediaFigures:
        stream = self._stream
        return MediaFigures(
            transport,
            max(0, stream.sound_messages - self._messages - backlog.dropped),
            max(0, stream.sound_bytes - self._bytes),
            connected=stream.feed is not None,
            address=address,
            forwarding=forwarding,
            queue_ms=float(backlog.ms),
            dropped=backlog.dropped,
        )
