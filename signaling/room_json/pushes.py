"""Pushes: what an event of the room looks like on this wire (``miniprogram-2.11.0.md`` §6.2, §7.2, §9, §10).

Each ``…_body`` is the text after ``header_tail``; where it ends in ``_seq":`` the session's own number and ``}}`` follow.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

import msgspec

from calls.stream_addresses import ListedAddresses
from rooms.events import Barrage, Broadcast, CustomCommand, EndReason, ExtraInfoSet
from rooms.model import ExtraInfo, Stream, User
from signaling.custom_command import command_text
from signaling.room_json.codec import encode_body, push_head
from signaling.room_json.replies import FetchedExtraInfo, StreamEntry
from signaling.room_session import StreamChange, UserChange
from signaling.wire_state import ToldStream

IM_CHAT: Final = push_head("push_im_chat")
MERGE_MESSAGE: Final = push_head("push_merge_message")
CUSTOM_MESSAGE: Final = push_head("push_custommsg")
TRANS: Final = push_head("push_trans")
USER_LIST: Final = push_head("push_userlist_update")
STREAM_UPDATE: Final = push_head("push_stream_update")
KICKOUT: Final = push_head("push_kickout")
ALIGN: Final = push_head("stream")


class KickReason(enum.IntEnum):
    """``reason`` of ``push_kickout`` (§10)."""

    SAME_USER = 1
    """→ 1002050"""
    BY_SERVER = 2
    """→ 1002055"""
    TOKEN_EXPIRED = 5
    """→ 1102018"""


KICK_REASONS: Final = {
    EndReason.REPLACED: KickReason.SAME_USER,
    EndReason.KICKED: KickReason.BY_SERVER,
    EndReason.ROOM_CLOSED: KickReason.BY_SERVER,
    EndReason.TOKEN_EXPIRED: KickReason.TOKEN_EXPIRED,
}
"""A session that ended for another reason is not told: it left by itself, or its next heartbeat makes it log in again."""


class _ChatMessage(msgspec.Struct):
    id_name: str
    nick_name: str
    role: int
    msg_id: int
    msg_category: int
    msg_type: int
    msg_priority: int
    msg_content: str
    send_time: int


class _Chat(msgspec.Struct):
    server_msg_id: int
    ret_msg_id: int
    chat_data: tuple[_ChatMessage]


class _BarrageMessage(msgspec.Struct):
    id_name: str
    nick_name: str
    bigmsg_id: str
    msg_category: int
    msg_type: int
    msg_content: str
    send_time: int


class _BarrageData(msgspec.Struct):
    room_id: str
    msg_data: tuple[_BarrageMessage]


class _Merged(msgspec.Struct):
    msg_body: str
    sub_cmd: int = 14001


class _MergeMessage(msgspec.Struct):
    messages: tuple[_Merged]


class _CustomMessage(msgspec.Struct):
    custommsg: str


class _UserAction(msgspec.Struct, rename="pascal"):
    action: int
    id_name: str
    nick_name: str
    role: int
    login_time: str


class _UserList(msgspec.Struct):
    room_id: str
    user_actions: list[_UserAction]


class _StreamUpdate(msgspec.Struct):
    room_id: str
    stream_cmd: int
    stream_info: list[StreamEntry]


class _Nothing(msgspec.Struct):
    pass


class _Poke(msgspec.Struct):
    room_id: str
    stream_cmd: int = StreamChange.UPDATED
    stream_info: tuple[_Nothing] = (_Nothing(),)
    stream_seq: int = -1


class _Kickout(msgspec.Struct, omit_defaults=True):
    reason: int
    custom_reason: str
    session_id: str
    protocol: int = 1


def broadcast_body(event: Broadcast) -> str:
    message = _ChatMessage(
        event.user_id, event.user_name, 2, event.message_id, event.category, event.type, event.priority, event.content, event.sent_at
    )
    return encode_body(_Chat(event.message_id, event.message_id, (message,))) + "}"


def barrage_body(event: Barrage, room_id: str) -> str:
    message = _BarrageMessage(event.user_id, event.user_name, event.message_id, event.category, event.type, event.content, event.sent_at)
    return encode_body(_MergeMessage((_Merged(encode_body(_BarrageData(room_id, (message,)))),))) + "}"


def custom_command_body(event: CustomCommand, room_id: str) -> str:
    return encode_body(_CustomMessage(command_text(event, room_id))) + "}"


def extra_info_body(event: ExtraInfoSet) -> str:
    return encode_body(extra_info_entry(event.info)) + "}"


def extra_info_entry(info: ExtraInfo) -> FetchedExtraInfo:
    return FetchedExtraInfo(
        trans_type=info.key,
        trans_seq=info.seq,
        trans_data=info.value,
        trans_idname=info.user_id,
        trans_user_idname=info.user_id,
        trans_nickname=info.user_name,
        trans_send_time=info.updated_at,
    )


def users_body(room_id: str, change: UserChange, users: Sequence[User]) -> str:
    """Continues with the session's user sequence."""
    actions = [_UserAction(change, user.user_id, user.user_name, user.role, str(user.joined_at)) for user in users]
    return f'{encode_body(_UserList(room_id, actions))[:-1]},"user_list_seq":'


def stream_entry(stream: Stream, addresses: ListedAddresses | None = None) -> StreamEntry:
    """``addresses``: by which its receiver plays it."""
    flv = (addresses.flv,) if addresses else ()
    return StreamEntry(
        urls_rtmp=(addresses.rtmp,) if addresses else (),
        urls_flv=flv,
        urls_https_flv=flv if addresses and addresses.flv.startswith("https:") else msgspec.UNSET,
        stream_id=stream.stream_id,
        stream_sid=str(stream.stream_sid),
        anchor_id_name=stream.user_id,
        anchor_nick_name=stream.user_name,
        extra_info=stream.extra_info,
        stream_ver=stream.version,
    )


def gone_entry(stream_id: str, known: ToldStream) -> StreamEntry:
    """A stream that ended while the client was away. A push of it needs little more than the name (§5.3)."""
    return StreamEntry(
        stream_id=stream_id,
        stream_sid=str(known.stream_sid),
        anchor_id_name=known.user_id,
        anchor_nick_name=known.user_name,
        extra_info="",
        stream_ver=known.version,
    )


def streams_body(room_id: str, change: StreamChange, entries: list[StreamEntry]) -> str:
    """Continues with the session's stream sequence. ``entries`` is never empty: SDKs pass over such a push, its number with it."""
    return f'{encode_body(_StreamUpdate(room_id, change, entries))[:-1]},"stream_seq":'


def poke_body(room_id: str) -> str:
    """A push whose number can never fit: the client asks for the whole list, whatever it holds (§5.4)."""
    return encode_body(_Poke(room_id)) + "}"


def align_body(stream_seq: int) -> str:
    """An answer to ``stream`` that nobody asked for: SDKs take over its sequence and do nothing else.

    So a client that may have missed pushes (they were on their way when its socket died) gets the number on which those that
    follow are built. Read in the source of mini-program 2.11.0 (``handleStreamUpdateRsp``, routed by ``cmd``).
    """
    return f'{{"err_code":0,"err_message":"success","stream_seq":{stream_seq},"stream_info":[]}}}}'


def kickout_body(reason: KickReason, message: str, session_id: str, *, only_this_room: bool) -> str:
    """``protocol`` other than 1 leaves the client's further rooms alone (§10)."""
    return encode_body(_Kickout(reason, message, session_id, 2 if only_this_room else 1)) + "}"
