"""Which ids, names and texts are accepted (``protocol/zego-cloud.md`` §4.1, §4.2)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NoReturn

from rooms.errors import (
    ExtraInfoRefused,
    InvalidRequest,
    InvalidRoomId,
    InvalidStreamId,
    InvalidUserId,
    InvalidUserName,
    MessageEmpty,
    MessageTooLong,
    RateLimited,
)
from rooms.limits import RoomLimits


@lru_cache(maxsize=32)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _check_id(value: str, field: str, most: int, pattern: str, refusal: type[InvalidRequest]) -> None:
    if not value:
        raise refusal(field, "must not be empty")
    if len(value.encode()) > most:
        raise refusal(field, f"must not be longer than {most} bytes")
    if not _pattern(pattern).fullmatch(value) or not value.isprintable():
        raise refusal(field, "has a character that is not allowed")


def check_room_id(room_id: str, limits: RoomLimits) -> None:
    """Raises ``InvalidRoomId``."""
    _check_id(room_id, "room_id", limits.room_id_bytes, limits.room_id_pattern, InvalidRoomId)


def check_user_id(user_id: str, limits: RoomLimits) -> None:
    """Raises ``InvalidUserId``."""
    _check_id(user_id, "user_id", limits.user_id_bytes, limits.user_id_pattern, InvalidUserId)


def check_user_name(user_name: str, limits: RoomLimits) -> None:
    """Raises ``InvalidUserName``."""
    if not user_name and not limits.user_name_may_be_empty:
        raise InvalidUserName("user_name", "must not be empty")
    if len(user_name.encode()) > limits.user_name_bytes:
        raise InvalidUserName("user_name", f"must not be longer than {limits.user_name_bytes} bytes")


def check_stream_id(stream_id: str, limits: RoomLimits) -> None:
    """Raises ``InvalidStreamId``."""
    _check_id(stream_id, "stream_id", limits.stream_id_bytes, limits.stream_id_pattern, InvalidStreamId)


def check_stream_extra_info(extra_info: str, limits: RoomLimits) -> None:
    """Raises ``MessageTooLong``."""
    if len(extra_info.encode()) > limits.stream_extra_info_bytes:
        raise MessageTooLong("extra_info", f"must not be longer than {limits.stream_extra_info_bytes} bytes")


def check_message(content: str | bytes, field: str, most: int) -> None:
    """Raises ``MessageEmpty``, ``MessageTooLong``."""
    if not content:
        raise MessageEmpty(field, "must not be empty")
    if len(content if isinstance(content, bytes) else content.encode()) > most:
        raise MessageTooLong(field, f"must not be longer than {most} bytes")


def check_extra_info(key: str, value: str, limits: RoomLimits) -> None:
    """Raises ``ExtraInfoRefused``."""
    if not key:
        raise ExtraInfoRefused("key", "must not be empty")
    if len(key.encode()) > limits.extra_info_key_bytes:
        raise ExtraInfoRefused("key", f"must not be longer than {limits.extra_info_key_bytes} bytes")
    if len(value.encode()) > limits.extra_info_value_bytes:
        raise ExtraInfoRefused("value", f"must not be longer than {limits.extra_info_value_bytes} bytes")


def refuse_rate(name: str) -> NoReturn:
    """Raises ``RateLimited``."""
    raise RateLimited(f"{name}: too many per second")
