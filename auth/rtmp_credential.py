"""What an address of RTMPDispatchV2 carries: the right to begin to push or pull one stream, until a time.

In the query of the address, which OBS and ffmpeg send as part of the stream name::

    expires=<Unix seconds>&right=push|pull[&room=<room id>&user=<user id>&name=<user name>]&sign=<hex HMAC-SHA256 by ServerSecret>

What is signed is ``rtmp``, the AppID, the stream id and these parameters, a line each. With a room, what is pushed goes on the air there
in the name of that user.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlencode

from auth.claims import AppKeys
from auth.comparison import same_text
from auth.errors import TokenBadSignature, TokenExpired, TokenMalformed

RtmpRight = Literal["push", "pull"]


@dataclass(frozen=True, slots=True)
class RtmpGrant:
    """What the signature vouches for."""

    right: RtmpRight
    expires_at: int
    """Unix seconds."""
    room_id: str = ""
    """Where the pushed stream is listed; empty = nowhere."""
    user_id: str = ""
    user_name: str = ""


def sign_rtmp(keys: AppKeys, stream_id: str, grant: RtmpGrant) -> str:
    """The query, without "?". Signed with the first ServerSecret."""
    named: dict[str, str | int] = {"expires": grant.expires_at, "right": grant.right}
    named |= {"room": grant.room_id, "user": grant.user_id, "name": grant.user_name} if grant.room_id else {}
    return urlencode(named | {"sign": _sign(keys.server_secrets[0], keys.app_id, stream_id, grant)})


def verify_rtmp(query: str, keys: AppKeys, stream_id: str, right: RtmpRight, now: int) -> RtmpGrant:
    """What ``query`` allows, which includes ``right`` on ``stream_id`` at ``now`` (Unix seconds).

    Parameters of others are passed over. Raises ``TokenMalformed``, ``TokenBadSignature`` (also for another stream or right),
    ``TokenExpired``.
    """
    try:
        values = {name: found[0] for name, found in parse_qs(query, max_num_fields=16).items()}
    except ValueError:
        raise TokenMalformed("rtmp: too many parameters") from None
    expires = values.get("expires", "")
    if not expires.isascii() or not expires.isdecimal() or len(expires) > 12:
        raise TokenMalformed("rtmp: no expiry")
    grant = RtmpGrant(right, int(expires), values.get("room", ""), values.get("user", ""), values.get("name", ""))
    sign = values.get("sign", "")
    # A list, not a generator: every comparison is made.
    if not any([same_text(sign, _sign(secret, keys.app_id, stream_id, grant)) for secret in keys.server_secrets]):
        raise TokenBadSignature("rtmp: the signature does not fit this stream and right")
    if now >= grant.expires_at:
        raise TokenExpired("rtmp: the address has expired")
    return grant


def _sign(secret: str, app_id: int, stream_id: str, grant: RtmpGrant) -> str:
    lines = ["rtmp", app_id, stream_id, grant.right, grant.expires_at, grant.room_id, grant.user_id, grant.user_name]
    text = "\n".join(str(line) for line in lines)
    return hmac.new(secret.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
