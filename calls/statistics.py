"""Quality of this node's media sessions, sampled into bounded time series.

Every session is looked at once per interval, wherever its media runs (``follow`` is told how to read it). A look is O(1), nothing is done
per packet, and the looks of many sessions are spread over the ticks by the moment at which each began.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from calls.figures import QualityReport, SessionFigures, StreamFigures, bridge_figures, history_of, known
from calls.media_session import MediaRole, plane_name
from media.bridge.statistics import BridgeStatistics
from media.figures import UNKNOWN, MediaFigures, MediaTransport, Meter, Sample
from media.series import Series
from rooms.model import Client, Clock

MOST_SAMPLES = 2_000
"""Looks in one tick; the rest waits for the next one, so that signalling and media are not held up."""
MOST_PLAYERS = 100
"""Players of a stream whose figures are told, the worst ones."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose media it is."""

    media_session_id: int
    """uint32, unique on the node."""
    role: MediaRole
    app_id: int
    room_id: str
    user_id: str
    stream_id: str
    client: Client
    opened_at: int
    """Epoch ms."""


Read = Callable[[], MediaFigures | None]
"""The session's counters now; None when it is gone."""


class Kind(NamedTuple):
    """What sessions are counted by."""

    app_id: int
    role: MediaRole
    transport: str


@dataclass(slots=True)
class Load:
    """All sessions of a kind together, as they were last sampled."""

    sessions: int = 0
    silent: int = 0
    bitrate: float = 0.0
    """bit/s."""


@dataclass(eq=False, slots=True)
class _Followed:
    subject: Subject
    read: Read
    meter: Meter
    series: Series
    last: Sample | None = None
    report: QualityReport | None = None
    reports: Series | None = None
    transport: str = ""


@dataclass(eq=False, slots=True)
class _StreamSessions:
    publishers: dict[int, _Followed] = field(default_factory=dict)
    players: dict[int, _Followed] = field(default_factory=dict)


class MediaStatistics:
    """See the module."""

    def __init__(self, *, interval: int, points: int, clock: Clock) -> None:
        """``interval``: ms between two looks at a session. ``points``: samples kept of each."""
        self._interval = interval
        self._points = points
        self._clock = clock
        self._followed: dict[int, _Followed] = {}
        self._streams: dict[tuple[int, str], _StreamSessions] = {}
        self._due: deque[tuple[int, int]] = deque()
        """When (epoch ms) which session is due. All wait equally long, so the order in which they came is that in which they are due."""
        self.on_sample: Callable[[Subject, Sample], None] = lambda subject, sample: None
        """Hears of every sample."""
        self.on_report: Callable[[Subject, QualityReport], None] = lambda subject, report: None
        """Hears of every quality report."""
        self.bridges: Callable[[str], list[BridgeStatistics]] = lambda stream: []
        """The conversions of a stream, by its name in the media plane."""

    def __len__(self) -> int:
        return len(self._followed)

    def follow(self, subject: Subject, read: Read) -> None:
        """Sample this session from now on, until ``forget``."""
        now = self._clock()
        followed = _Followed(subject, read, Meter(now), Series(self._points))
        self._followed[subject.media_session_id] = followed
        of_stream = self._streams.setdefault((subject.app_id, subject.stream_id), _StreamSessions())
        self._of_role(of_stream, subject.role)[subject.media_session_id] = followed
        self._due.append((now + self._interval, subject.media_session_id))

    def forget(self, media_session_id: int) -> None:
        """The session is over. Unknown ones are ignored."""
        followed = self._followed.pop(media_session_id, None)
        if followed is None:
            return
        key = followed.subject.app_id, followed.subject.stream_id
        of_stream = self._streams[key]
        del self._of_role(of_stream, followed.subject.role)[media_session_id]
        if not of_stream.publishers and not of_stream.players:
            del self._streams[key]

    @staticmethod
    def _of_role(of_stream: _StreamSessions, role: MediaRole) -> dict[int, _Followed]:
        return of_stream.publishers if role is MediaRole.PUBLISHER else of_stream.players

    def tick(self, now: int) -> None:
        """Look at the sessions that are due."""
        for _ in range(min(len(self._due), MOST_SAMPLES)):
            due, media_session_id = self._due[0]
            if due > now:
                return
            self._due.popleft()
            followed = self._followed.get(media_session_id)
            if followed is not None:
                self._sample(followed, now)
                self._due.append((now + self._interval, media_session_id))

    def _sample(self, followed: _Followed, now: int) -> None:
        figures = followed.read()
        if figures is None or not figures.connected:
            return
        sample = followed.meter.measure(figures, now, incoming=followed.subject.role is MediaRole.PUBLISHER)
        followed.last = sample
        followed.transport = figures.transport.value
        followed.series.add(now, sample)
        self.on_sample(followed.subject, sample)

    def reported(self, media_session_id: int, report: QualityReport) -> None:
        """The session's client has sent a quality report. Ignored for a session that is over."""
        followed = self._followed.get(media_session_id)
        if followed is None:
            return
        followed.report = report
        if followed.reports is None:
            followed.reports = Series(self._points)
        followed.reports.add(
            report.at,
            Sample(
                _or_unknown(report.bitrate), _or_unknown(report.loss), _or_unknown(report.jitter_ms), _or_unknown(report.rtt_ms),
                UNKNOWN, UNKNOWN,
            ),
        )  # fmt: skip
        self.on_report(followed.subject, report)

    # --- for people

    def stream(self, app_id: int, stream_id: str, *, history: bool, most_players: int = MOST_PLAYERS) -> StreamFigures:
        """A stream's sessions on this node; without any, an empty answer."""
        of_stream = self._streams.get((app_id, stream_id), _StreamSessions())
        players = sorted(of_stream.players.values(), key=_loss, reverse=True)
        newest = next(reversed(of_stream.publishers.values()), None)
        return StreamFigures(
            publisher=None if newest is None else _told(newest, history),
            player_count=len(players),
            players=[_told(player, history) for player in players[:most_players]],
            bridges=[bridge_figures(bridge) for bridge in self.bridges(plane_name(app_id, stream_id))],
        )

    def loads(self) -> dict[Kind, Load]:
        """Sums by App, role and transport, for metrics."""
        found: dict[Kind, Load] = {}
        for followed in self._sampled():
            kind = Kind(followed.subject.app_id, followed.subject.role, followed.transport)
            load = found.setdefault(kind, Load())
            load.sessions += 1
            load.silent += bool(followed.meter.silent)
            load.bitrate += followed.last.bitrate if followed.last else 0.0
        return found

    def _sampled(self) -> Iterator[_Followed]:
        return (followed for followed in self._followed.values() if followed.last is not None)


def _loss(followed: _Followed) -> float:
    """For sorting; a session of which it is not known comes last."""
    return -1.0 if followed.last is None or math.isnan(followed.last.loss) else followed.last.loss


_NOTHING = MediaFigures(MediaTransport.WEBRTC, packets=0, bytes=0)
"""Of a session that is just ending."""


def _told(followed: _Followed, history: bool) -> SessionFigures:
    subject, last = followed.subject, followed.last
    figures = followed.read() or _NOTHING
    return SessionFigures(
        media_session_id=subject.media_session_id,
        user_id=subject.user_id,
        room_id=subject.room_id,
        transport=figures.transport.value,
        client=subject.client.kind,
        version=subject.client.version,
        address=figures.address,
        srtp_profile=figures.srtp_profile,
        opened_at=subject.opened_at,
        connected=figures.connected,
        forwarding=figures.forwarding,
        bitrate=known(last.bitrate) if last else None,
        loss=known(last.loss) if last else None,
        jitter_ms=_rounded(figures.jitter_ms),
        rtt_ms=_rounded(figures.rtt_ms),
        audio_level=figures.audio_level,
        silent=followed.meter.silent,
        packets=figures.packets,
        bytes=figures.bytes,
        lost=figures.lost,
        rejected=figures.rejected,
        send_failures=figures.send_failures,
        players_loss=_rounded(figures.players_loss),
        nacked=figures.nacked,
        retransmitted=figures.retransmitted,
        redundant=figures.redundant,
        rate_limited=figures.rate_limited,
        queue_ms=_rounded(figures.queue_ms),
        dropped=figures.dropped,
        drift_ms=_rounded(figures.drift_ms),
        reported=followed.report,
        history=history_of(followed.series) if history else None,
        reported_history=history_of(followed.reports) if history and followed.reports else None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _or_unknown(value: float | None) -> float:
    return UNKNOWN if value is None else value
