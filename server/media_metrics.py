"""Figures of media quality: per App and role, never per user or stream, so their number is bounded by the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import Histogram

from calls.figures import QualityReport
from calls.statistics import Load, MediaStatistics, Subject
from media.figures import Sample
from server.metrics import Metrics

_LABELS = ("app_id", "role")
_RATIOS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
_JITTERS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5)
_ROUND_TRIPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0)


def observe_media(metrics: Metrics, statistics: MediaStatistics) -> None:
    """Show what is sampled of this node's media sessions, and what SDKs report of theirs."""

    def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, _LABELS, buckets=buckets, registry=metrics.registry)

    loss = histogram("hearth_media_loss_ratio", "Share of packets lost in each sample of each media session.", _RATIOS)
    jitter = histogram("hearth_media_jitter_seconds", "Jitter in each sample (RFC 3550).", _JITTERS)
    round_trip = histogram("hearth_media_round_trip_seconds", "Round trip in each sample of a player.", _ROUND_TRIPS)
    told_loss = histogram("hearth_sdk_loss_ratio", "Share of packets lost, from the quality reports of SDKs.", _RATIOS)
    told_round_trip = histogram("hearth_sdk_round_trip_seconds", "Round trip, from the quality reports of SDKs.", _ROUND_TRIPS)

    def observe(figure: Histogram, subject: Subject, value: float | None, per: float = 1) -> None:
        # A number that is not known is NaN in a sample, and not equal to itself.
        if value is not None and value == value:
            figure.labels(str(subject.app_id), subject.role.value).observe(value / per)

    def sampled(subject: Subject, sample: Sample) -> None:
        observe(loss, subject, sample.loss)
        observe(jitter, subject, sample.jitter_ms, 1000)
        observe(round_trip, subject, sample.rtt_ms, 1000)

    def reported(subject: Subject, report: QualityReport) -> None:
        observe(told_loss, subject, report.loss)
        observe(told_round_trip, subject, report.rtt_ms, 1000)

    statistics.on_sample = sampled
    statistics.on_report = reported

    def read(figure: Callable[[Load], float]) -> Callable[[], Mapping[tuple[str, ...], float]]:
        return lambda: {
            (str(kind.app_id), kind.role.value, kind.transport): figure(load) for kind, load in statistics.loads().items()
        }  # fmt: skip

    for name, text, figure in (
        ("hearth_media_sessions", "Media sessions that have been sampled.", lambda load: load.sessions),
        ("hearth_media_silent_sessions", "Those of them with nothing audible in the last sample.", lambda load: load.silent),
        ("hearth_media_bitrate_bits", "Their payload, bit/s.", lambda load: load.bitrate),
    ):
        metrics.observe_labelled(name, text, (*_LABELS, "transport"), read(figure), rises=False)
