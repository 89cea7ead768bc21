"""What ``/metrics`` shows. One registry per application, so that several can live in one process (tests, several nodes)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Reading(Protocol):
    """A group of figures that is read when somebody looks: name → (help, value)."""

    def __call__(self) -> Mapping[str, tuple[str, float]]: ...


class Metrics:
    """The figures of one server. Counters are raised where things happen; states are read at the moment of the scrape."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.connections = Gauge("hearth_connections", "Open WebSockets.", ["dialect"], registry=self.registry)
        self.connections_opened = Counter("hearth_connections_opened", "WebSockets opened.", ["dialect"], registry=self.registry)
        self.connections_refused = Counter("hearth_connections_refused", "WebSockets refused.", ["reason"], registry=self.registry)
        self.requests = Histogram(
            "hearth_request_seconds",
            "From a request to its answer, for requests that have to wait for something (the store, media).",
            ["dialect", "command"],
            buckets=_LATENCIES,
            registry=self.registry,
        )
        self.sdk_log_records = Counter("hearth_sdk_log_records", "Log records received from SDKs.", ["result"], registry=self.registry)
        self.cloud_api_requests = Counter(
            "hearth_cloud_api_requests", "Requests to the server API by result.", ["action", "code"], registry=self.registry
        )

        self.callbacks = Counter(
            "hearth_callbacks",
            "Callbacks by what became of them: delivered; failed (an attempt), then retried or dead; skipped (not configured any more).",
            ["event", "result"],
            registry=self.registry,
        )
        self.callback_seconds = Histogram(
            "hearth_callback_seconds", "From sending a callback to its answer.", buckets=_LATENCIES, registry=self.registry
        )

    def observe_state(self, gauges: Reading, counters: Reading | None = None) -> None:
        """Read these figures at each scrape: ``gauges`` go up and down, ``counters`` only rise."""
        self.registry.register(_StateCollector(gauges, counters))

    def observe_labelled(
        self, name: str, text: str, labels: Sequence[str], read: Callable[[], Mapping[tuple[str, ...], float]], *, rises: bool = True
    ) -> None:
        """Read a counter (not ``rises``: a gauge) of several parts at each scrape: the labels' values → value."""
        self.registry.register(_LabelledCollector(name, text, labels, read, rises=rises))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _StateCollector(Collector):
    def __init__(self, gauges: Reading, counters: Reading | None) -> None:
        self._gauges = gauges
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        for name, (text, value) in self._gauges().items():
            yield GaugeMetricFamily(name, text, value)
        for name, (text, value) in (self._counters() if self._counters else {}).items():
            yield CounterMetricFamily(name, text, value)


class _LabelledCollector(Collector):
    def __init__(
        self, name: str, text: str, labels: Sequence[str], read: Callable[[], Mapping[tuple[str, ...], float]], *, rises: bool
    ) -> None:
        self._family = CounterMetricFamily if rises else GaugeMetricFamily
        self._name = name
        self._text = text
        self._labels = labels
        self._read = read

    def collect(self) -> Iterator[Metric]:
        family = self._family(self._name, self._text, labels=self._labels)
        for values, count in self._read().items():
            family.add_metric(values, count)
        yield family
