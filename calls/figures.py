"""What an operator is told of a stream's quality: plain records, the same between nodes, in the API and in the console."""

from __future__ import annotations

import math

from msgspec import Struct

from media.bridge.statistics import BridgeStatistics
from media.figures import Sample
from media.series import Series


class QualityReport(Struct, frozen=True, rename="pascal"):
    """What an SDK itself says about a stream it publishes or plays. None where it says nothing."""

    at: int
    """When it came, epoch ms."""
    bitrate: float | None = None
    """bit/s of sound."""
    loss: float | None = None
    """Share of packets lost, 0…1."""
    packets_lost: int | None = None
    """Since the session began."""
    jitter_ms: float | None = None
    rtt_ms: float | None = None
    audio_level: float | None = None
    """Linear, 0…1, as WebRTC's getStats has it."""
    quality: int | None = None
    """The SDK's own grade: 0 unknown … 5, as its app sees it."""


class History(Struct, frozen=True, rename="pascal"):
    """Columns of a time series, the oldest point first. A number that could not be known is null."""

    at: list[int]
    """Epoch ms; each point is about the time since the one before it."""
    bitrate: list[float | None]
    """bit/s of payload."""
    loss: list[float | None]
    """0…1."""
    jitter_ms: list[float | None]
    rtt_ms: list[float | None]
    audio_level: list[float | None]
    """-dBov: 0 (loudest) … 127 (silence)."""
    queue_ms: list[float | None]


class SessionFigures(Struct, frozen=True, rename="pascal"):
    """One media session: a publisher or one of its players. Rates are of the newest sample; totals are since the session began."""

    media_session_id: int
    user_id: str
    room_id: str
    transport: str
    """``webrtc``, ``rtmp``, ``flv``."""
    client: str
    """Kind of SDK: ``web``, ``miniprogram``, ``native``, ``server``, ``unknown``."""
    version: str
    """SDK version as the client says it."""
    address: str
    srtp_profile: str
    opened_at: int
    """Epoch ms."""
    connected: bool
    forwarding: bool
    """False: a player that has muted the stream, or whose stream the operator has."""
    bitrate: float | None
    """bit/s; None, as all of these, before the first sample."""
    loss: float | None
    """0…1."""
    jitter_ms: float | None
    rtt_ms: float | None
    audio_level: int | None
    """-dBov: 0 (loudest) … 127 (silence)."""
    silent: bool | None
    packets: int
    bytes: int
    lost: int
    rejected: int
    send_failures: int
    players_loss: float | None
    """Share of a publisher's packets that its players lose, as the publisher is told, 0…1."""
    nacked: int
    retransmitted: int
    redundant: bool
    """Redundant audio data (RFC 2198) is in use."""
    rate_limited: int
    """Datagrams dropped because the client sent more than its share."""
    queue_ms: float | None = None
    dropped: int = 0
    drift_ms: float | None = None
    reported: QualityReport | None = None
    """The newest quality report of the SDK."""
    history: History | None = None
    reported_history: History | None = None


class BridgeFigures(Struct, frozen=True, rename="pascal"):
    """A stream's conversion between RTMP or FLV and WebRTC. Totals are since it began."""

    direction: str
    """``rtmp_to_webrtc``, ``webrtc_to_rtmp``."""
    began_at: int
    """Epoch ms."""
    frames_in: int
    frames_out: int
    queue_ms: float
    """Sound that waits in it now."""
    delay_ms: float
    """Of its jitter buffer now; 0 towards WebRTC, as the three that follow."""
    target_ms: float
    """What the publisher's network needs."""
    drift_ppm: float
    """By how much the sound is played faster to keep the delay."""
    recovered: int
    """Lost packets repaired from the in-band FEC of the next, if it had any."""
    concealed_ms: int
    late: int
    dropped: int
    broken: int
    """Frames or packets that a codec refused."""
    codec_seconds: float
    """CPU time."""


class StreamFigures(Struct, frozen=True, rename="pascal"):
    """A stream as the node that holds it knows it."""

    publisher: SessionFigures | None
    """None while its owner's media is away."""
    player_count: int
    """Players on this node."""
    players: list[SessionFigures]
    """The worst by loss first, not more than the limit that was asked for."""
    bridges: list[BridgeFigures] = []
    """While it is heard by other means than it is published by."""


def history_of(series: Series) -> History:
    return History(series.times(), **{field: [known(value) for value in series.column(field)] for field in Sample._fields})


def bridge_figures(bridge: BridgeStatistics) -> BridgeFigures:
    return BridgeFigures(
        direction=bridge.direction.value,
        began_at=bridge.began_at,
        frames_in=bridge.frames_in,
        frames_out=bridge.frames_out,
        queue_ms=round(bridge.queue_ms, 1),
        delay_ms=round(bridge.delay_ms, 1),
        target_ms=round(bridge.target_ms, 1),
        drift_ppm=round(bridge.drift_ppm, 1),
        recovered=bridge.recovered,
        concealed_ms=bridge.concealed_ms,
        late=bridge.late,
        dropped=bridge.dropped,
        broken=bridge.broken,
        codec_seconds=round(bridge.codec_seconds, 3),
    )


def known(value: float) -> float | None:
    """A sample's number rounded for people, None for one that could not be known."""
    return None if math.isnan(value) else round(value, 4)
