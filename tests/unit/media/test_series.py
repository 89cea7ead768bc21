"""Time series of quality: what a sample says, and that memory stays within the ring."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from media.figures import UNKNOWN, MediaFigures, MediaTransport, Meter, Sample
from media.series import Series


def figures(packets: int, size: int, lost: int = 0, level: int | None = None) -> MediaFigures:
    return MediaFigures(MediaTransport.WEBRTC, packets, size, lost=lost, audio_level=level)


def test_a_sample_is_about_the_interval_since_the_last_one() -> None:
    meter = Meter(0)
    meter.measure(figures(100, 10_000, 0), 2_000, incoming=True)
    sample = meter.measure(figures(190, 20_000, 10), 4_000, incoming=True)
    assert (sample.bitrate, sample.loss) == (40_000, 0.1)
    assert all(math.isnan(value) for value in (sample.jitter_ms, sample.rtt_ms, sample.audio_level, sample.queue_ms))


def test_what_a_player_lost_is_among_what_it_was_sent() -> None:
    meter = Meter(0)
    assert meter.measure(figures(100, 10_000, 25), 1_000, incoming=False).loss == 0.25


def test_nothing_expected_is_no_loss_that_could_be_told() -> None:
    meter = Meter(0)
    assert math.isnan(meter.measure(figures(0, 0), 1_000, incoming=True).loss)
    assert math.isnan(meter.measure(figures(0, 0, 3), 2_000, incoming=False).loss)


def test_silence_is_no_packets_or_no_level() -> None:
    meter = Meter(0)
    assert meter.silent is None
    for packets, level, silent in ((50, 30, False), (100, 127, True), (150, None, False), (150, 30, True)):
        meter.measure(figures(packets, packets, level=level), packets, incoming=True)
        assert meter.silent is silent


@given(st.integers(1, 8), st.lists(st.tuples(st.integers(0, 2**52), st.integers(0, 1000)), max_size=40))
def test_series_keeps_the_newest_in_order(most: int, added: list[tuple[int, int]]) -> None:
    series = Series(most)
    for at, value in added:
        series.add(at, Sample(value, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, -value))
    kept = added[-most:]
    assert len(series) == len(kept)
    assert series.times() == [at for at, _ in kept]
    assert series.column("bitrate") == [value for _, value in kept]
    assert series.column("queue_ms") == [-value for _, value in kept]
    assert all(math.isnan(value) for value in series.column("loss"))
