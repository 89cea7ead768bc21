"""The addresses that clients are sent to for media, made and read in this one place.

``<ws base>/media?app=<appid>&session=<session id>&key=<media key>``
    The media WebSocket. One per room session, whatever the stream, so that an SDK opens one socket for all
    (``web-1x-2x.md`` §1 "Reuse").

``rtmp://<host>[:port]/<appid>/<media key>.<session id>/<stream id>``
    RTMP. The credential sits in the path because the SDK appends its own ``?zgseq=…&zgdid=…``, and makes a second ``?`` if there
    is one already (``miniprogram-2.11.0.md`` §8.1).

``<http or ws base>/live/<appid>/<media key>.<session id>/<stream id>.flv``
    The same stream to play as FLV, over HTTP or a WebSocket. For both kinds of address the credential may also be the parameter
    ``credential`` of ``<appid>/<stream id>``.

``rtmp://<host>/<appid>/<stream id>?expires=…&right=…&sign=…``
    What RTMPDispatchV2 gives out (``auth.rtmp_credential``).

``rtmp://<host>/<appid>/<stream id>?zgseq=…&zgdid=<session id>``
    What mini-program SDK 3.x makes by itself of a host (``sdk-3x.md`` §6.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from calls.errors import AddressInvalid

MEDIA_PATH = "/media"
LIVE_PATH = "/live"

_DECIMAL = re.compile(r"[1-9][0-9]{0,15}")
_KEY = re.compile(r"[0-9A-Za-z_-]{1,128}")
_STREAM = re.compile(r"[0-9A-Za-z_-]{1,256}")


@dataclass(frozen=True, slots=True)
class MediaCredential:
    """Who may use media, as an address carries it: a room session and the secret that goes with it."""

    app_id: int
    session_id: int = field(repr=False)
    media_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedQuery:
    """Parameters that ``auth.rtmp_credential`` reads."""

    text: str = field(repr=False)


Right = MediaCredential | int | SignedQuery
"""By what right somebody asks for a stream: a room session and its key, its id alone (``zgdid``), or the operator's signature."""


@dataclass(frozen=True, slots=True)
class LiveAddress:
    """What an RTMP or FLV client asks for: a stream, and by what right."""

    app_id: int
    stream_id: str
    right: Right = field(repr=False)


def media_url(ws_base: str, credential: MediaCredential) -> str:
    """Address of the media WebSocket. ``ws_base`` is ``ws://host:port`` or ``wss://…``, with or without a path before ours."""
    query = urlencode({"app": credential.app_id, "session": credential.session_id, "key": credential.media_key})
    return f"{ws_base.rstrip('/')}{MEDIA_PATH}?{query}"


def parse_media_query(query: str) -> MediaCredential:
    """Read the query of a media WebSocket's address. Raises ``AddressInvalid``.

    Parameters of others are passed over: networks and SDKs like to append some.
    """
    try:
        values = parse_qs(query, max_num_fields=16)
    except ValueError:
        raise AddressInvalid("too many parameters") from None
    return _credential(_single(values, "app"), _single(values, "session"), _single(values, "key"))


def rtmp_base(ws_base: str, port: int) -> str:
    """RTMP base URL on the host of ``ws_base``, for a node that has no configured one."""
    host = urlsplit(ws_base).hostname or ""
    if ":" in host:
        host = f"[{host}]"
    return f"rtmp://{host}:{port}"


def path_credential(credential: MediaCredential) -> str:
    """The part of an RTMP or FLV address that is its holder's right."""
    return f"{credential.media_key}.{credential.session_id}"


def rtmp_url(base: str, credential: MediaCredential, stream_id: str) -> str:
    """Address of a stream over RTMP. ``base`` is ``rtmp://host[:port]``."""
    return f"{base.rstrip('/')}/{credential.app_id}/{path_credential(credential)}/{stream_id}"


def flv_url(base: str, credential: MediaCredential, stream_id: str) -> str:
    """Address of a stream as FLV. ``base`` is ``http://host[:port]``, or of scheme https, ws or wss."""
    return f"{base.rstrip('/')}{LIVE_PATH}/{credential.app_id}/{path_credential(credential)}/{stream_id}.flv"


def parse_live_address(address: str) -> LiveAddress:
    """Read ``<appid>/<key>.<session>/<stream>[?…]`` or ``<appid>/<stream>?…``: for RTMP the client's ``app`` and stream name joined by
    ``/``, for FLV the path behind ``/live/`` without ``.flv``.

    Raises ``AddressInvalid``.
    """
    path, _, query = address.partition("?")
    parts = path.strip("/").split("/")
    if len(parts) not in (2, 3):
        raise AddressInvalid("an address has two or three parts: App, credential, stream")
    app_id, stream_id = parts[0], parts[-1]
    if not _DECIMAL.fullmatch(app_id):
        raise AddressInvalid("App")
    if not _STREAM.fullmatch(stream_id):
        raise AddressInvalid("stream id")
    right = _parse_path_credential(app_id, parts[1]) if len(parts) == 3 else _query_right(app_id, query)
    return LiveAddress(int(app_id), stream_id, right)


def _parse_path_credential(app_id: str, text: str) -> MediaCredential:
    key, _, session_id = text.rpartition(".")
    return _credential(app_id, session_id, key)


def _query_right(app_id: str, query: str) -> Right:
    # The SDK appends to what the app gave it, and does not see a "?" that is there already.
    try:
        values = parse_qs(query.replace("?", "&"), max_num_fields=16)
    except ValueError:
        raise AddressInvalid("too many parameters") from None
    if "credential" in values:
        return _parse_path_credential(app_id, _single(values, "credential"))
    if "sign" in values:
        return SignedQuery(query)
    session_id = _single(values, "zgdid")
    if not _DECIMAL.fullmatch(session_id):
        raise AddressInvalid("zgdid")
    return int(session_id)


def _single(values: dict[str, list[str]], name: str) -> str:
    found = values.get(name, [])
    if len(found) != 1:
        raise AddressInvalid(f"parameter {name}")
    return found[0]


def _credential(app_id: str, session_id: str, key: str) -> MediaCredential:
    if not _DECIMAL.fullmatch(app_id) or not _DECIMAL.fullmatch(session_id) or not _KEY.fullmatch(key):
        raise AddressInvalid("credential")
    return MediaCredential(int(app_id), int(session_id), key)
