"""What an address of RTMPDispatchV2 carries: the right to begin to push or pull one stream, until a time.

In the query of the address, which OBS and ffmpeg send as part of the stream name::

    expires=<Unix seconds>&right=push|pull&sign=<hex HMAC-SHA256(ServerSecret, "rtmp\\n<AppId>\\n<stream id>\\n<right>\\n<expires>")>
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal
from urllib.parse import parse_qs, urlencode

from auth.claims import AppKeys
from auth.comparison import same_text
from auth.errors import TokenBadSignature, TokenExpired, TokenMalformed

RtmpRight = Literal["push", "pull"]


def sign_rtmp(keys: AppKeys, stream_id: str, right: RtmpRight, expires_at: int) -> str:
    """The query, without "?". Signed with the first ServerSecret."""
    sign = _sign(keys.server_secrets[0], keys.app_id, stream_id, right, expires_at)
    return urlencode({"expires": expires_at, "right": right, "sign": sign})


def verify_rtmp(query: str, keys: AppKeys, stream_id: str, right: RtmpRight, now: int) -> int:
    """Whether ``query`` gives ``right`` on ``stream_id`` at ``now`` (Unix seconds); returns until when.

    Parameters of others are passed over. Raises ``TokenMalformed``, ``TokenBadSignature`` (also for another stream or right),
    ``TokenExpired``.
    """
    try:
        values = parse_qs(query, max_num_fields=16)
    except ValueError:
        raise TokenMalformed("rtmp: too many parameters") from None
    expires, sign = values.get("expires", [""])[0], values.get("sign", [""])[0]
    if not expires.isascii() or not expires.isdecimal() or len(expires) > 12:
        raise TokenMalformed("rtmp: no expiry")
    expires_at = int(expires)
    # A list, not a generator: every comparison is made.
    if not any([same_text(sign, _sign(secret, keys.app_id, stream_id, right, expires_at)) for secret in keys.server_secrets]):
        raise TokenBadSignature("rtmp: the signature does not fit this stream and right")
    if now >= expires_at:
        raise TokenExpired("rtmp: the address has expired")
    return expires_at


def _sign(secret: str, app_id: int, stream_id: str, right: RtmpRight, expires_at: int) -> str:
    text = f"rtmp\n{app_id}\n{stream_id}\n{right}\n{expires_at}"
    return hmac.new(secret.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
