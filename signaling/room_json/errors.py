"""The number that says to which client why it is refused (``miniprogram-2.11.0.md`` §13, ``zego-cloud.md`` §2.3).

Codes below 1 000 000 are SDK-known ones; 1 000 000 000 + n carries a code n of the room service, and reaches the app unchanged.
"""

from __future__ import annotations

import enum
import re
from typing import Final

from rooms.model import Client
from signaling.refusals import Kind, kind_of


class Code(enum.IntEnum):
    """``err_code`` of an answer."""

    OK = 0
    PARSE_ERROR = 1
    """→ 1102011"""
    REQUEST_ERROR = 1002
    """→ 1102013. Web 1.4.0 and 1.12.0 retry a login on it, and on nothing else that suits."""
    WRONG_STATE = 1006
    """→ 1102015"""
    TOKEN_ERROR = 1008
    """→ 1102016"""
    DISPATCH_ERROR = 1009
    """→ 1102017"""
    TOKEN_EXPIRED = 1010
    """→ 1102018, and fatal at a re-login"""
    LOGIN_NOT_ALLOWED = 1101
    """→ 1102020"""
    FAILED = 1_000_000_001
    BAD_PARAMETER = 1_000_000_002
    NOT_OFFERED = 1_000_000_009
    APP_UNKNOWN = 1_000_000_101
    ROOM_UNKNOWN = 1_000_000_104
    SESSION_UNKNOWN = 1_000_000_105
    """In a heartbeat's answer: log in again. 1000002001 should mean that too but disconnects SDK 2.11.0 (§15 no. 6)."""
    STREAM_UNKNOWN = 1_000_000_138
    MIXING_NOT_OFFERED = 1_000_000_157
    """→ 1005000. Mixing codes must be above 10⁹, or the promise of SDK 2.11.0 never settles (§15 no. 16)."""
    TOO_FREQUENT = 1_000_000_207
    MESSAGE_EMPTY = 1_000_001_008
    STREAM_FORBIDDEN = 1_000_001_011
    STREAM_TAKEN = 1_000_001_012
    MULTI_ROOM_DISABLED = 1_000_001_016
    """→ 1002036"""
    ROOM_FULL = 1_000_001_105
    """→ 1002034"""
    EXTRA_INFO_UNKNOWN = 1_000_001_109
    """Per key in ``trans_fetch``."""
    TOKEN_REFUSED = 1_000_002_002
    """→ 1102016, and fatal at a re-login"""
    USER_DENIED = 1_000_005_030
    """Fatal at a re-login, too: the SDKs count it with the tokens' codes (§13.2)."""
    TOO_MANY_ROOMS = 1_000_005_022
    """→ 1002001"""
    MESSAGE_TOO_LONG = 1_000_050_012
    RETRY_LOGIN = 1_100_040_001
    """SDKs from web 1.19.0 and mini-program 2.x on go on trying to log in."""


_CODES: Final[dict[Kind, Code]] = {kind: Code[kind.value.upper()] for kind in Kind}

_OLD_WEB: Final[dict[Code, Code]] = {Code.TOKEN_REFUSED: Code.TOKEN_ERROR, Code.RETRY_LOGIN: Code.REQUEST_ERROR}
"""Web 1.4.0 and 1.12.0 know neither 1000002002 nor 1100040001 (both are in the source from 1.19.0 on)."""

_OLD_WEB_VERSION = re.compile(r"1\.(\d{1,3})(\.|$)")


def code_for(error: Exception, client: Client) -> Code:
    """The number that tells this client about this refusal."""
    code = _CODES[kind_of(error)]
    return _OLD_WEB.get(code, code) if _is_old_web(client) else code


def _is_old_web(client: Client) -> bool:
    version = _OLD_WEB_VERSION.match(client.version)
    return client.kind == "web" and version is not None and int(version[1]) < 19
