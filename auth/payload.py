"""The privilege fields, as Token04 carries them in its payload, Token03 and JWT among their own fields (zego-cloud.md §1.2)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from auth.claims import Privileges

LOGIN_ROOM = "1"
PUBLISH_STREAM = "2"


def parse_payload(payload: str) -> Privileges | None:
    """The privileges in a Token04's payload; None when it has none that can be understood.

    The payload is the application's own text as long as the App checks no privileges, so nothing in it is an error here;
    an App that does check them refuses a token without.
    """
    if not payload:
        return None
    try:
        fields = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return privileges_from(fields) if isinstance(fields, dict) else None


def privileges_from(fields: Mapping[str, object]) -> Privileges | None:
    """Read ``room_id``, ``privilege`` and ``stream_id_list``; None when there are none or they are not of the documented types.

    Only the number 1 allows; a missing key denies. ``room_id`` absent, null or ``""`` = any room. ``stream_id_list`` absent, null or
    ``[]`` = no check of the stream id. A list that cannot be read makes the whole thing unreadable rather than unchecked.
    """
    room_id, privilege, stream_ids = fields.get("room_id"), fields.get("privilege"), fields.get("stream_id_list")
    if not isinstance(privilege, dict):
        return None
    if not isinstance(room_id, str | None) or not isinstance(stream_ids, list | None):
        return None
    streams = tuple(stream for stream in stream_ids or () if isinstance(stream, str))
    if len(streams) != len(stream_ids or ()):
        return None
    return Privileges(room_id or None, _allows(privilege, LOGIN_ROOM), _allows(privilege, PUBLISH_STREAM), streams or None)


def privilege_bits(privileges: Privileges) -> dict[str, int]:
    """The ``privilege`` object: ``{"1": 0 or 1, "2": 0 or 1}``."""
    return {LOGIN_ROOM: int(privileges.login), PUBLISH_STREAM: int(privileges.publish)}


def privilege_fields(privileges: Privileges) -> dict[str, object]:
    """The fields ``privileges_from`` reads, in the order the official generators write them."""
    return {
        "room_id": privileges.room_id or "",
        "privilege": privilege_bits(privileges),
        "stream_id_list": list(privileges.stream_ids) if privileges.stream_ids else None,
    }


def dump_payload(privileges: Privileges | None) -> str:
    """The payload text of a Token04; ``""`` for an identity token."""
    return "" if privileges is None else msgspec.json.encode(privilege_fields(privileges)).decode()


def _allows(privilege: Mapping[str, object], key: str) -> bool:
    value = privilege.get(key)
    return type(value) is int and value == 1
