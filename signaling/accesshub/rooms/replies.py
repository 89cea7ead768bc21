"""Parts of answers that are in several of them."""

from __future__ import annotations

from typing import Final, TypedDict

from rooms.model import ExtraInfo, Stream, User
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.ports import View

EXTRA_INFO_CHANNEL: Final = b"clt"
"""``trans_channel`` of ``setRoomExtraInfo``; SDKs use no other."""


class StreamFields(TypedDict):
    """What the messages that show a stream have in common."""

    stream_id: bytes
    stream_sid: str
    id_name: bytes
    nick_name: bytes
    extra_info: bytes
    create_time: int
    stream_ver: int
    stream_nid: int


def stream_fields(stream: Stream) -> StreamFields:
    return StreamFields(
        stream_id=stream.stream_id.encode(),
        stream_sid=str(stream.stream_sid),
        id_name=stream.user_id.encode(),
        nick_name=stream.user_name.encode(),
        extra_info=stream.extra_info.encode(),
        create_time=stream.created_at,
        stream_ver=stream.version,
        stream_nid=1,
    )


def listed_user(user: User) -> pb.LrUserBaseInfo:
    return pb.LrUserBaseInfo(id_name=user.user_id.encode(), nick_name=user.user_name.encode(), role=user.role)


def list_seq(view: View) -> int:
    """Version of all room attributes together: rises with each of them."""
    return sum(info.seq for info in view.extra.values())


def extra_info_entry(info: ExtraInfo) -> pb.LrGetTransRspTransData:
    return pb.LrGetTransRspTransData(
        trans_type=info.key.encode(),
        trans_data=info.value.encode(),
        trans_send_time=info.updated_at,
        trans_seq=info.seq,
        id_name=info.user_id.encode(),
        nick_name=info.user_name.encode(),
        role=2,
    )
