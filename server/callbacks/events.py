"""What a callback says: an entry of the outbox turned into the fields of its event, with the names, types and numbers of the cloud.

Source: ``zego-cloud.md`` §3.2. All scalars are text, except in room_create and room_close, where AppID, times of signing, lifetime and
reason are numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from rooms.events import EndReason, StreamEnd
from rooms.model import Client, ClientKind, Grant, Stream, User
from rooms.outbox import CallbackEvent, Entry
from rooms.registry import SessionData

Fields: TypeAlias = "dict[str, str | int | Sequence[str]]"

LOGOUT_REASONS: Mapping[EndReason, int] = {
    EndReason.LOGOUT: 0,
    EndReason.TIMEOUT: 1,
    EndReason.LOST: 2,
    EndReason.REPLACED: 3,
    EndReason.KICKED: 3,
    # Not documented for CloseRoom; the SDK reports it to its app as being kicked out.
    EndReason.ROOM_CLOSED: 3,
    EndReason.TOKEN_EXPIRED: 4,
}
CLOSE_REASONS: Mapping[EndReason, int] = {
    EndReason.LOGOUT: 0,
    EndReason.TIMEOUT: 1,
    EndReason.LOST: 2,
    EndReason.REPLACED: 3,
    EndReason.KICKED: 3,
    EndReason.ROOM_CLOSED: 3,
    EndReason.TOKEN_EXPIRED: 3,
}
"""By how the last user left."""

STREAM_TYPES: Mapping[StreamEnd, int] = {
    StreamEnd.STOPPED: 0,
    # OWNER_LEFT: by how the owner left, below.
    StreamEnd.MEDIA_LOST: 4,
    StreamEnd.NODE_LOST: 4,
    StreamEnd.REMOVED: 100,
    StreamEnd.DELISTED: 100,
    StreamEnd.FORBIDDEN: 3,
}
OWNER_LEFT_TYPES: Mapping[EndReason, int] = {
    EndReason.LOGOUT: 0,
    EndReason.TIMEOUT: 1,
    EndReason.LOST: 4,
    EndReason.REPLACED: 2,
    EndReason.KICKED: 3,
    EndReason.ROOM_CLOSED: 5,
    EndReason.TOKEN_EXPIRED: 3,
}
TERM_TYPES: Mapping[ClientKind, int] = {"web": 6, "miniprogram": 7, "server": 0, "native": 32, "unknown": 32}
"""A native SDK does not say its system in what we read of it."""

_OLD_NUMBERS = frozenset({"timestamp", "login_time", "logout_time", "reason", "user_role"})
"""Numbers in room_login and room_logout until 2023."""

_user = msgspec.json.Decoder(User)
_stream = msgspec.json.Decoder(Stream)
_grant = msgspec.json.Decoder(Grant)
_client = msgspec.json.Decoder(Client)
_session_data = msgspec.json.Decoder(SessionData)


def session_number(media_key: str) -> int:
    """The ``session_id`` of a callback: the same at login and logout, below 2**53. It tells nothing of the real one, which is a secret."""
    return int.from_bytes(hashlib.sha256(f"callback session {media_key}".encode()).digest()[:7]) >> 3


def fields_of(entry: Entry, app_id: int) -> Fields:
    """The event's own fields, without the signature. Raises ``KeyError``, ``ValueError`` for an entry that is damaged."""
    event = CallbackEvent(entry.event)
    match event:
        case CallbackEvent.ROOM_CREATE:
            own = _room(entry) | {"room_create_time": str(entry.happened_at), "id_name": entry.fields["creator"]}
        case CallbackEvent.ROOM_CLOSE:
            reason = CLOSE_REASONS[EndReason(entry.fields["reason"])]
            own = _room(entry) | {"close_reason": reason, "room_close_time": str(entry.happened_at)}
        case CallbackEvent.ROOM_LOGIN:
            own = _login(entry)
        case CallbackEvent.ROOM_LOGOUT:
            reason = LOGOUT_REASONS[EndReason(entry.fields["reason"])]
            own = _member(entry) | {"logout_time": str(entry.happened_at), "reason": str(reason)}
        case CallbackEvent.STREAM_CREATE:
            own = _stream_create(entry)
        case CallbackEvent.STREAM_CLOSE:
            own = _stream_close(entry)
    in_numbers = event in (CallbackEvent.ROOM_CREATE, CallbackEvent.ROOM_CLOSE)
    return {"event": event.value, "appid": app_id if in_numbers else str(app_id), **own}


def signed(fields: Fields, *, timestamp: int, nonce: str, signature: str, numbers: bool) -> Fields:
    """All fields of a callback. ``timestamp``: Unix seconds. ``numbers``: as receivers of 2023 expect it."""
    in_numbers = fields["event"] in (CallbackEvent.ROOM_CREATE, CallbackEvent.ROOM_CLOSE)
    said = fields | {"timestamp": timestamp if in_numbers else str(timestamp), "nonce": nonce, "signature": signature}
    if numbers and fields["event"] in (CallbackEvent.ROOM_LOGIN, CallbackEvent.ROOM_LOGOUT):
        return {name: int(value) if name in _OLD_NUMBERS and isinstance(value, str) else value for name, value in said.items()}
    return said


def _room(entry: Entry) -> Fields:
    return {"room_id": entry.room_id, "room_session_id": int(entry.fields["life"])}


def _member(entry: Entry) -> Fields:
    user = _user.decode(entry.fields["user"])
    return {
        "room_id": entry.room_id,
        "room_seq": entry.fields["life"],
        "user_account": user.user_id,
        "user_nickname": user.user_name,
        "session_id": str(session_number(_session_data.decode(entry.fields["data"]).media_key)),
        "login_time": str(user.joined_at),
        "user_role": str(user.role),
        "user_update_seq": entry.fields["seq"],
    }


def _login(entry: Entry) -> Fields:
    return _member(entry) | {
        # What the SDKs give as the room's name is its id (miniprogram-2.11.0.md §4).
        "room_name": entry.room_id,
        "auth_level": str(_grant.decode(entry.fields["grant"]).auth_level),
        "relogin": entry.fields["again"],
        # Only native SDKs can give it.
        "callback_data": "",
        "term_type": str(TERM_TYPES[_client.decode(entry.fields["client"]).kind]),
    }


def _owned(entry: Entry, stream: Stream) -> Fields:
    return {
        "room_id": entry.room_id,
        "room_session_id": entry.fields["life"],
        "user_id": stream.user_id,
        "user_name": stream.user_name,
        # §8 row 20: what the text says, not what the samples show.
        "channel_id": entry.room_id,
        "stream_id": stream.stream_id,
        "stream_alias": stream.stream_id,
        "stream_sid": f"s-{stream.stream_sid}",
        "stream_seq": entry.fields["seq"],
        "create_time_ms": str(stream.created_at),
    }


def _stream_create(entry: Entry) -> Fields:
    stream = _stream.decode(entry.fields["stream"])
    return _owned(entry, stream) | {
        "title": "",
        "stream_attr": '{"cid":0}',
        "create_time": str(stream.created_at // 1000),
        "extra_info": stream.extra_info,
        "recreate": entry.fields["again"],
        "publish_id": stream.user_id,
        "publish_name": stream.user_name,
        # Addresses at a CDN, which there is none of.
        "rtmp_url": (),
        "hls_url": (),
        "hdl_url": (),
        "pic_url": (),
    }


def _stream_close(entry: Entry) -> Fields:
    stream = _stream.decode(entry.fields["stream"])
    reason, cause = StreamEnd(entry.fields["reason"]), entry.fields["cause"]
    if reason is StreamEnd.OWNER_LEFT:
        kind = OWNER_LEFT_TYPES[EndReason(cause or EndReason.LOGOUT)]
    else:
        kind = STREAM_TYPES[reason]
    return _owned(entry, stream) | {
        "type": str(kind),
        "third_define_data": stream.extra_info,
        "destroy_timemillis": str(entry.happened_at),
    }
