"""``sendCustomCommand``: the JSON that SDKs of all dialects wrap an app's text in, passed on byte for byte.

Receiving SDKs believe who it says it is from, so that must be true.
"""

from __future__ import annotations

import msgspec

from rooms.errors import MessageTooLong
from rooms.events import CustomCommand
from rooms.limits import RoomLimits
from rooms.model import Session
from signaling.refusals import Kind, Refused


class _Sender(msgspec.Struct, frozen=True):
    from_userid: str
    from_username: str
    room_id: str
    custom_content: str = ""
    """What the app sent; its length is limited, not that of the wrapping."""


class _ServerCommand(msgspec.Struct, frozen=True):
    from_userid: str
    from_username: str
    request_id: str
    custom_content: str
    room_id: str


_decode = msgspec.json.Decoder(_Sender).decode
_encode = msgspec.json.Encoder().encode


def check_command(wrapped: str | bytes, session: Session, limits: RoomLimits) -> None:
    """Raises ``Refused`` if the text is not such JSON or not from this user in this room, ``MessageTooLong``."""
    try:
        sender = _decode(wrapped)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise Refused(Kind.PARSE_ERROR, f"custom command: {reason}") from None
    if (sender.from_userid, sender.from_username, sender.room_id) != (session.user_id, session.user_name, session.room_id):
        raise Refused(Kind.BAD_PARAMETER, "custom command: not from this user in this room")
    if len(sender.custom_content.encode()) > limits.command_bytes:
        raise MessageTooLong("custom_content", f"at most {limits.command_bytes} bytes")


def command_text(event: CustomCommand, room_id: str) -> str:
    """A client's text as it came; the operator's in the form in which SDKs send theirs."""
    if not event.from_server:
        return event.content
    return _encode(_ServerCommand(event.user_id, event.user_name, "", event.content, room_id)).decode()
