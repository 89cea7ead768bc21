"""Bodies of the ``/media`` dialect (``web-1x-2x.md`` §3–§8), as the wire names them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

SessionId = Annotated[int, Meta(ge=0, le=2**32 - 1)]
"""Media session id, uint32; 0 = none."""
StreamId = Annotated[str, Meta(max_length=512)]
Secret = Annotated[str, Meta(max_length=256)]
Status = Annotated[int, Meta(ge=0, le=0xFFFF)]
"""Microphone or camera: 0 on, 2 off, others are kinds of on and off of later SDKs."""

MAX_HELD = 256
"""Sessions that one client claims at once."""

PUBLISH, PLAY, PROBE = 0, 1, 2
"""``type`` of a session request."""

STARTED = 0
"""``event`` of PublishEventPush and PlayEventPush."""


# --- client to server


class Held(Struct, frozen=True):
    session_id: SessionId
    session_token: Secret = ""


class LoginReq(Struct, frozen=True):
    token: Annotated[str, Meta(max_length=4096)] = ""
    """Room token first, later what ``LoginRsp`` returned, which is the same: it counts where the socket's address does not any more."""
    roomid: Annotated[str, Meta(max_length=512)] = ""
    sdkversion: Annotated[str, Meta(max_length=64)] = ""
    sessions: Annotated[list[Held], Meta(max_length=MAX_HELD)] | None = None
    """Sessions that outlived an earlier socket."""


class CreateSessionReq(Struct, frozen=True):
    """First generation, and the second one's last resort: the server names a TURN server, the offer comes later."""

    type: int = PUBLISH
    stream_id: StreamId = ""
    sdk_version: int = 0
    """1040 for 1.4.0, 2050 for 2.5.0."""


class MediaDescReq(Struct, frozen=True):
    """The offer of a session from ``CreateSessionReq``."""

    sdp: str
    type: int = 0


class CreateSessionWithSdpReq(Struct, frozen=True):
    type: int
    stream_id: StreamId
    sdp: str


class StreamStatusNotify(Struct, frozen=True):
    mic_status: Status
    camera_status: Status


class ActivatePlayStreamReq(Struct, frozen=True):
    active: int
    """1 = forward, 0 = muted."""


class ClientHBReq(Struct, frozen=True):
    session_ids: Annotated[list[SessionId], Meta(max_length=MAX_HELD)] | None = None


class CloseSessionReq(Struct, frozen=True):
    reason: int = 0
    """0 = the user's wish, 1 = the client will open it again."""


Measure = float | None
"""A figure of a quality report. Not every version has each, and browsers leave out what they cannot tell."""


class StreamQuality(Struct, frozen=True, rename="camel"):
    """One stream of a ``QualityReportReq``: what the SDK has computed from getStats. SDKs up to 2.13.0 send such reports."""

    stream_type: Annotated[str, Meta(max_length=16)] = msgspec.field(default="", name="stream_type")
    """``publish`` or ``play``."""
    audio_bitrate: Measure = None
    """kbit/s; 0 in the first report of 1.4.0, which has nothing to compare with yet."""
    audio_packets_lost: Measure = None
    """Since the session began."""
    audio_packets_lost_rate: Measure = None
    """Of players from 1.19.0 on: 0…1. Of 1.4.0: packets per millisecond."""
    audio_jitter: Measure = None
    """Seconds."""
    current_round_trip_time: Measure = None
    """Seconds; 0 = not measured."""
    audio_level: Measure = None
    """Linear, 0…1."""
    audio_quality: Measure = None
    """Grade of players: 0 unknown … 5."""


class QualityReportReq(Struct, frozen=True):
    streams: Annotated[list[StreamQuality], Meta(max_length=16)]
    """One: that of the session in the header."""


class PeerReq(Struct, frozen=True):
    """``Peer2PeerNetStatsGetReq`` and ``CmdReq``."""

    peer_id: int = 0
    cmd_id: int = 0


# --- server to client


class Result(Struct, frozen=True):
    result: int = 0
    error: str | UnsetType = msgspec.field(default=UNSET, name="strError")


class LoginRsp(Struct, frozen=True, rename={"token_type": "tokenType", "nego_interval": "negoInterval"}):
    token: str
    """Replaces the client's."""
    nego_interval: int
    result: int = 0
    token_type: int = 1
    report: bool = False
    """False: no QualityReportReq wanted."""
    report_interval_ms: int = 10_000


class CreateSessionRsp(Struct, frozen=True):
    """``turn_server`` must be a string in a refusal too: 2.14.0 splits it before it looks at the result."""

    result: int
    session_id: int = 0
    session_token: str = ""
    turn_server: str = ""
    """One URL; for SDKs from 2.18.0 several, with ``;`` between them, each with ``udp`` in it."""
    turn_username: str = ""
    turn_auth_key: str = ""
    clientip: str = ""


class MediaDescPush(Struct, frozen=True):
    """The answer to ``MediaDescReq``."""

    sdp: str
    type: int = 1


class CandidateInfo(Struct, frozen=True, rename="camel"):
    candidate: str
    """As in SDP, without ``a=``."""
    sdp_mid: str
    sdp_m_line_index: int = msgspec.field(name="sdpMLineIndex")


class CandidateInfoPush(Struct, frozen=True):
    """The server's candidates, all at once: a second one is ignored, and without one clients keep theirs for themselves (§4)."""

    infos: tuple[CandidateInfo, ...]


class CreateSessionWithSdpRsp(Struct, frozen=True):
    session_id: int
    session_token: str
    sdp: str
    clientip: str
    result: int = 0


class ClientHBRsp(Struct, frozen=True):
    hb_interval: int
    result: int = 0


class QualityReportRsp(Struct, frozen=True):
    result: int = 0
    report: bool = False
    report_interval_ms: int = 10_000


class Peer2PeerNetStatsGetRsp(Struct, frozen=True):
    peer_id: int
    result: int = 0


class CmdRsp(Struct, frozen=True):
    """Without a base64 ``body`` 2.26.2 throws an uncaught TypeError (``web-1x-2x.md`` §3); this one it understands."""

    peer_id: int
    cmd_id: int
    result: int = 0
    body: str = "MgIIAA=="


class EventPush(Struct, frozen=True):
    """``PublishEventPush``, ``PlayEventPush``."""

    stream_id: str
    event: int = STARTED


class StreamStatusNotifyPush(Struct, frozen=True):
    stream_id: str
    mic_status: int
    camera_status: int


class CloseSessionPush(Struct, frozen=True):
    reason: int
    err_info: str
    """JSON text: ``{"action": …, "err": …}``."""


class SessionResetPush(Struct, frozen=True, rename={"kind": "cResetType"}):
    session_ids: tuple[int, ...]
    kind: int = 1
    """1 = those in ``session_ids``."""
