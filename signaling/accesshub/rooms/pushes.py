"""Pushes: what an event of the room looks like on this wire (``sdk-3x.md`` §5.3).

Each is encoded once for all who get it. What is a session's own (its sequence) is the last field, and so the last five bytes.
"""

from __future__ import annotations

import enum
from typing import Final

from google.protobuf.message import Message

from rooms.events import Barrage, Broadcast, ChannelMessage, CustomCommand, EndReason, ExtraInfoSet, TransparentMessage
from rooms.model import Stream, User
from signaling.accesshub.explicit_zeros import with_zeros
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.rooms.codec import KICKOUT, MERGED_PUSH, PUSH, SharedPush, shared_push
from signaling.accesshub.rooms.replies import stream_fields
from signaling.accesshub.varints import varint
from signaling.custom_command import command_text
from signaling.room_session import StreamChange, UserChange

SEQUENCE_BYTES: Final = 5
_SEQUENCE: Final = b"\x08"
"""Tag of the sequence in ``LrPushUserInfoUpdated`` and ``LrPushStream``: field 1, a varint."""
_MEMBER: Final = 2
"""``role`` of whoever speaks."""


class SubCommand(enum.IntEnum):
    USERS = 10001
    KICKED_FROM_ROOM = 10002
    CUSTOM_COMMAND = 11005
    TRANSPARENT = 11007
    CHANNEL_MESSAGE = 11008
    BROADCAST = 13001
    BARRAGE = 14001
    EXTRA_INFO = 15001


class KickReason(enum.IntEnum):
    SAME_USER = 1
    """→ 1002050"""
    BY_SERVER = 2
    """→ 1002055"""
    TOKEN_EXPIRED = 4


KICK_REASONS: Final = {
    EndReason.REPLACED: KickReason.SAME_USER,
    EndReason.KICKED: KickReason.BY_SERVER,
    EndReason.ROOM_CLOSED: KickReason.BY_SERVER,
    EndReason.TOKEN_EXPIRED: KickReason.TOKEN_EXPIRED,
}
"""A session that ended for another reason is not told: it left by itself, or its next heartbeat makes it log in again."""


def broadcast(event: Broadcast, now: int) -> SharedPush:
    message = pb.LrImData(
        id_name=event.user_id.encode(),
        nick_name=event.user_name.encode(),
        role=_MEMBER,
        msg_id=event.message_id,
        msg_category=event.category,
        msg_type=event.type,
        msg_content=event.content.encode(),
        send_time=event.sent_at,
    )
    body = pb.LrPushIm(server_msg_id=event.message_id, ret_msg_id=event.message_id, msg_list=[message])
    return _push(SubCommand.BROADCAST, _bytes(body), now)


def barrage(event: Barrage, now: int) -> SharedPush:
    message = pb.LrBigImData(
        id_name=event.user_id.encode(),
        nick_name=event.user_name.encode(),
        role=_MEMBER,
        msg_id=event.message_id.encode(),
        msg_category=event.category,
        msg_type=event.type,
        msg_content=event.content.encode(),
        msg_timestamp=event.sent_at,
    )
    info = pb.SwMergePushInfo(sub_cmd=SubCommand.BARRAGE, sub_seq=1, msg_body=_bytes(pb.LrPushBigIm(msg_list=[message])))
    merged = pb.SwMergePushReq(head=pb.SwMergePushHead(send_time=now), message_list=[info])
    return shared_push(MERGED_PUSH, _bytes(merged), now)


def custom_command(event: CustomCommand, room_id: str, now: int) -> SharedPush:
    return _push(SubCommand.CUSTOM_COMMAND, command_text(event, room_id).encode(), now)


def transparent(event: TransparentMessage, now: int) -> SharedPush:
    body = pb.LrPushTransparentMsg(msg_data=event.content, sender_idname=event.user_id.encode(), sender_nickname=event.user_name.encode())
    if event.order:
        # Never a zero: SDKs drop what has a number not above the sender's last one, a second 0, too. Without a number all are taken.
        body.client_seq = event.order
    return _push(SubCommand.TRANSPARENT, body.SerializeToString(), now)


def channel_message(event: ChannelMessage, now: int) -> SharedPush:
    body = pb.LrPushChannelMsg(
        sender_idname=event.user_id.encode(),
        sender_nickname=event.user_name.encode(),
        msg_type=event.type,
        msg_content=event.content.encode(),
    )
    return _push(SubCommand.CHANNEL_MESSAGE, _bytes(body), now)


def extra_info(event: ExtraInfoSet, channel: bytes, list_seq: int, now: int) -> SharedPush:
    info = event.info
    body = pb.LrPushTrans(
        id_name=info.user_id.encode(),
        nick_name=info.user_name.encode(),
        role=_MEMBER,
        trans_type=info.key.encode(),
        trans_data=info.value.encode(),
        trans_seq=info.seq,
        trans_send_time=info.updated_at,
        trans_channel=channel,
        trans_list_seq=list_seq,
    )
    return _push(SubCommand.EXTRA_INFO, _bytes(body), now)


def users(change: UserChange, changed: list[User], now: int) -> SharedPush:
    """The user sequence, raised by their number, follows in ``SEQUENCE_BYTES``."""
    body = b"".join(
        _repeated(
            2,
            pb.LrUserAction(
                action=change,
                id_name=user.user_id.encode(),
                nick_name=user.user_name.encode(),
                role=user.role,
                login_time=user.joined_at,
            ),
        )
        for user in changed
    )
    return _push(SubCommand.USERS, body + _SEQUENCE, now, trailing=SEQUENCE_BYTES)


def stream(change: StreamChange, changed: Stream, now: int) -> SharedPush:
    """One stream each: SDKs take a push only if its sequence is the next one. That follows in ``SEQUENCE_BYTES``."""
    entry = pb.LrPushStreamInfo(**stream_fields(changed))
    return _push(change, _repeated(2, entry) + _SEQUENCE, now, trailing=SEQUENCE_BYTES)


def kicked_from_room(user_id: str, session_id: int, reason: KickReason, message: str, now: int) -> SharedPush:
    """The client's other rooms go on."""
    body = pb.LrPushUserKickout(id_name=user_id.encode(), user_session_id=session_id, kickout_reason=reason, custom_reason=message.encode())
    return _push(SubCommand.KICKED_FROM_ROOM, _bytes(body), now)


def kicked(reason: KickReason, message: str, now: int) -> SharedPush:
    """All rooms of the client end."""
    return shared_push(KICKOUT, _bytes(pb.SwPushKickout(reason=reason, message=message)), now)


def _push(sub_command: int, body: bytes, now: int, *, trailing: int = 0) -> SharedPush:
    head = _repeated(1, pb.SwPushReqHead(sub_cmd=sub_command, send_time=now))
    return shared_push(PUSH, head + b"\x12" + varint(len(body) + trailing) + body, now, trailing=trailing)


def _repeated(field: int, message: Message) -> bytes:
    data = _bytes(message)
    return bytes((field << 3 | 2,)) + varint(len(data)) + data


def _bytes(message: Message) -> bytes:
    return with_zeros(message).SerializeToString()
