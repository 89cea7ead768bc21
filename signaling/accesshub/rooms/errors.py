"""The number that says why a request is refused (``sdk-3x.md`` §5.4): ``rsp_head.code``.

Numbers from 200 000 on are those of the room service plus 200 000, in which SDKs take it off again; the others SDKs know themselves.
"""

from __future__ import annotations

import enum
from typing import Final

from signaling.refusals import Kind, kind_of


class Code(enum.IntEnum):
    OK = 0
    SESSION_UNKNOWN = 105
    """To a command or a heartbeat: log in again."""
    WRONG_STATE = 1002
    """The same; to a login: final, 1002099."""
    MESSAGE_TOO_LONG = 50012
    KICKED = 50013
    """To a re-login: 1002050, final."""
    LOGIN_NOT_ALLOWED = 50116
    """→ 1102016"""
    TOKEN_EXPIRED = 50117
    """→ 1102018"""
    FAILED = 200001
    BAD_PARAMETER = 200002
    PARSE_ERROR = 200003
    NOT_OFFERED = 200009
    APP_UNKNOWN = 200101
    ROOM_UNKNOWN = 200104
    STREAM_UNKNOWN = 200138
    MIXING_NOT_OFFERED = 200157
    TOO_FREQUENT = 200207
    """A login is tried again, with the same session."""
    RETRY_LOGIN = 200208
    """The same. Not one of 40001 to 40100, at which SDKs forget their session first."""
    MESSAGE_EMPTY = 201008
    STREAM_FORBIDDEN = 201011
    STREAM_TAKEN = 201012
    MULTI_ROOM_DISABLED = 201016
    ROOM_FULL = 201105
    """→ 1002034"""
    EXTRA_INFO_UNKNOWN = 201109
    TOKEN_REFUSED = 202002
    """→ 1102016"""
    TOO_MANY_ROOMS = 205022
    USER_DENIED = 205030
    """→ 1002066"""
    DISPATCH_ERROR = 200210


_CODES: Final[dict[Kind, Code]] = {kind: Code[kind.value.upper()] for kind in Kind}


def code_for(error: Exception) -> Code:
    return _CODES[kind_of(error)]
