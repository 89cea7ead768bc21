"""What goes down a persistent channel: ``AhPCDownwardMessage`` in its frame, written by hand.

The payload comes last, so everything in front of it depends only on its length. Protobuf reads fields in any order.
"""

from __future__ import annotations

from signaling.accesshub.frames import HEADER_BYTES, MessageType, frame_header
from signaling.accesshub.varints import varint

_STREAM_AT = 8
_WSS_BINARY = b"\x10\x02"
"""``wss_message_type`` 2."""


def downward_message(payload_length: int, now: int) -> bytes:
    """An ``AhPCDownwardMessage`` up to its payload."""
    return _WSS_BINARY + b"\x18" + varint(now) + b"\x0a" + varint(payload_length)


def downward_frame(stream: int, payload: bytes, now: int) -> bytes:
    """A whole frame. ``now``: epoch ms."""
    message = downward_message(len(payload), now)
    return frame_header(MessageType.PC_DOWNWARD_MESSAGE, stream, len(message) + len(payload)) + message + payload


def frame_around_stream(payload_length: int, now: int) -> tuple[bytes, bytes]:
    """The bytes before the stream id, and those between it and the payload: for a payload that many channels get."""
    message = downward_message(payload_length, now)
    header = frame_header(MessageType.PC_DOWNWARD_MESSAGE, 0, len(message) + payload_length)
    return header[:_STREAM_AT], header[_STREAM_AT + 4 : HEADER_BYTES] + message
