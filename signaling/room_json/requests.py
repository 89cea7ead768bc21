"""What clients send: the header and one body per command (``miniprogram-2.11.0.md`` §2–§12, ``web-1x-2x.md`` §2).

Fields that the server has no use for are left out; the codec passes over unknown ones.
"""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

Text = Annotated[str, msgspec.Meta(max_length=256)]
"""An id or a short name. The rules of the ids themselves are those of ``rooms``."""

Number = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
"""A number that others are told: no longer than JavaScript's are exact. Without a bound one may have thousands of digits."""


class ClientType(enum.IntEnum):
    """``client_type`` of ``login``."""

    MINIPROGRAM = 2
    WEB = 3


class Header(msgspec.Struct, frozen=True):
    """Every request has it. ``user_id``, ``session_id`` and ``room_session_id`` are what the last login answer gave."""

    cmd: Annotated[str, msgspec.Meta(max_length=64)]
    appid: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    user_id: Text | None = None
    """Absent or empty before the first login of an engine; the old value after a break of the network."""
    session_id: Text | None = None
    """``"0"`` (or empty, web up to 2.5.0) on a fresh login."""
    room_id: Text | None = None
    room_session_id: Text | None = None


class LoginBody(msgspec.Struct, frozen=True):
    """``login``, and ``enter`` for a further room."""

    id_name: Text
    token: Annotated[str, msgspec.Meta(max_length=16_384)]
    nick_name: Text | None = None
    role: Number = 2
    version: Annotated[str, msgspec.Meta(max_length=32)] = ""
    user_state_flag: int = 0
    client_type: int = 0
    user_count_limit: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    login_logic: int = 1


class LeaveBody(msgspec.Struct, frozen=True):
    """``logout`` (the whole login) and ``quit`` (one room)."""


class HeartbeatBody(msgspec.Struct, frozen=True):
    """``hb``."""


class UserListBody(msgspec.Struct, frozen=True):
    """``user_list``."""

    user_index: Annotated[int, msgspec.Meta(ge=0)] = 0


class StreamInfoBody(msgspec.Struct, frozen=True):
    """``stream_info``: the client asks for the whole stream list."""


class StreamCommand(enum.IntEnum):
    """``sub_cmd`` of ``stream``."""

    CREATE = 2001
    DELETE = 2002
    UPDATE = 2003


class StreamBody(msgspec.Struct, frozen=True):
    """``stream``. Its ``third_token`` is not looked at: SDK 2.11.0 never refreshes it (§15 no. 19)."""

    sub_cmd: StreamCommand
    stream_msg: Annotated[str, msgspec.Meta(max_length=65_536)]
    """JSON text of ``StreamMessage``."""


class StreamMessage(msgspec.Struct, frozen=True):
    """Inside ``StreamBody.stream_msg``. ``stream_sid`` is not looked at: it is empty after a wipe (§15 no. 4)."""

    stream_id: Text
    extra_info: str | None = None


class StreamPublishBody(msgspec.Struct, frozen=True):
    """``stream_publish``: the mini-program asks where to push by RTMP."""

    stream_id: Text


class StreamUrlBody(msgspec.Struct, frozen=True):
    """``stream_url``: the mini-program asks where to play from by RTMP."""

    stream_ids: Annotated[list[Text], msgspec.Meta(min_length=1, max_length=32)]


class PushOrPull(enum.StrEnum):
    """``ptype`` of ``webrtc_url``."""

    PUSH = "push"
    PULL = "pull"


class WebrtcUrlBody(msgspec.Struct, frozen=True):
    """``webrtc_url``: a web client asks for the address of its media socket."""

    stream_id: Text
    ptype: PushOrPull


class BroadcastBody(msgspec.Struct, frozen=True):
    """``im_chat``. Web 1.4.0 sends no ``msg_priority``."""

    msg_content: str
    msg_category: Number = 1
    msg_type: Number = 1
    msg_priority: Number = 1


class BarrageMessage(msgspec.Struct, frozen=True):
    msg_content: str
    msg_category: Number = 1
    msg_type: Number = 1
    bigmsg_client_id: Text | Number = ""


class BarrageBody(msgspec.Struct, frozen=True):
    """``bigim_chat``."""

    msgs: Annotated[list[BarrageMessage], msgspec.Meta(min_length=1, max_length=20)]


class CustomCommandBody(msgspec.Struct, frozen=True):
    """``custommsg``."""

    dest_id_name: Annotated[list[Text], msgspec.Meta(max_length=1000)]
    custom_msg: str
    """JSON text, passed on byte for byte (``signaling/custom_command.py``)."""


class SetExtraInfoBody(msgspec.Struct, frozen=True):
    """``trans``: set a room attribute."""

    trans_type: str
    trans_data: str
    trans_channel: str = "clt"


class WantedExtraInfo(msgspec.Struct, frozen=True):
    """``trans_local_seq`` is not looked at: SDK 2.11.0 sends the server's own version back (§15 no. 11)."""

    trans_type: Annotated[str, msgspec.Meta(max_length=1024)]


class FetchExtraInfoBody(msgspec.Struct, frozen=True):
    """``trans_fetch``."""

    fetch_array: Annotated[list[WantedExtraInfo], msgspec.Meta(max_length=64)]
    trans_channel: str = "clt"


class RenewTokenBody(msgspec.Struct, frozen=True):
    """``renew_token``."""

    token: Annotated[str, msgspec.Meta(max_length=16_384)]


class BizChannelBody(msgspec.Struct, frozen=True):
    """``biz_channel``: CDN relay (``media``) and stream mixing (``zeus``)."""

    channel: Text = ""
    cmd: Text = ""


class UnsupportedBody(msgspec.Struct, frozen=True):
    """A command that this server does not know."""


Body = (
    LoginBody
    | LeaveBody
    | HeartbeatBody
    | UserListBody
    | StreamInfoBody
    | StreamBody
    | StreamPublishBody
    | StreamUrlBody
    | WebrtcUrlBody
    | BroadcastBody
    | BarrageBody
    | CustomCommandBody
    | SetExtraInfoBody
    | FetchExtraInfoBody
    | RenewTokenBody
    | BizChannelBody
    | UnsupportedBody
)


class Request(msgspec.Struct, frozen=True):
    """One frame from a client."""

    header: Header
    body: Body


BODIES: dict[str, type[Body]] = {
    "login": LoginBody,
    "enter": LoginBody,
    "logout": LeaveBody,
    "quit": LeaveBody,
    "hb": HeartbeatBody,
    "user_list": UserListBody,
    "stream_info": StreamInfoBody,
    "stream": StreamBody,
    "stream_publish": StreamPublishBody,
    "stream_url": StreamUrlBody,
    "webrtc_url": WebrtcUrlBody,
    "im_chat": BroadcastBody,
    "bigim_chat": BarrageBody,
    "custommsg": CustomCommandBody,
    "trans": SetExtraInfoBody,
    "trans_fetch": FetchExtraInfoBody,
    "renew_token": RenewTokenBody,
    "biz_channel": BizChannelBody,
}
"""Command → its body. Any other command gets ``UnsupportedBody`` and a refusal."""
