"""What a publisher's packet holds, and its place in the stream: between decryption and the players' headers."""

from __future__ import annotations

from media import red, rtp
from media.player import Shape


class Sound:
    """A packet's payload and level. Never changes: sending it again sends the same bytes (see ``media.history``)."""

    __slots__ = ("_red_of", "level", "opus", "payload")

    def __init__(self, payload: bytes, level: int | None = None, red_of: int | None = None) -> None:
        """``red_of``: the payload is RED whose blocks are of this payload type. Raises ``RedMalformed``."""
        self.payload = payload
        self.level = level
        """Level byte of RFC 6464 as the publisher sent it, voice bit included; None = it sent none."""
        self.opus = payload if red_of is None else red.primary(payload, red_of)
        """The payload without redundancy."""
        self._red_of = red_of

    def shaped(self, shape: Shape) -> tuple[int, int, bytes, int]:
        """First byte of the header, payload type, all that follows the fixed header, and how many of these bytes are payload."""
        if self._red_of is None or shape.red_payload_type is None:
            payload_type, payload = shape.payload_type, self.opus
        else:
            payload_type, payload = shape.red_payload_type, self.payload
            if self._red_of != shape.payload_type:
                payload = red.renamed(payload, shape.payload_type)
        if self.level is None or shape.audio_level_id is None:
            return rtp.VERSION_2, payload_type, payload, len(payload)
        extension = rtp.audio_level_extension(shape.audio_level_id, self.level)
        return rtp.VERSION_2 | rtp.EXTENSION, payload_type, extension + payload, len(payload)


class StreamPacket:
    """A sound at its place in the stream. Never changes either."""

    __slots__ = ("marker", "place", "sound", "timestamp")

    def __init__(self, place: int, timestamp: int, marker: int, sound: Sound) -> None:
        self.place = place
        """Sequence number in the stream."""
        self.timestamp = timestamp
        """In the stream's clock."""
        self.marker = marker
        """``rtp.MARKER`` or 0."""
        self.sound = sound
