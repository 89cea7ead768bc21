"""The bound on a peer's packets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.packet_rate import PacketRate


def test_an_even_stream_at_the_limit_passes_and_one_above_it_is_cut_to_it() -> None:
    even, double = PacketRate(50, burst_ms=1_000), PacketRate(50, burst_ms=1_000)
    assert all(even.allows(1_000_000 + 20 * number) for number in range(1_000))
    passed = sum(double.allows(1_000_000 + 10 * number) for number in range(2_000))
    assert 1_000 <= passed <= 1_000 + 50


def test_what_was_kept_for_a_second_passes_at_once() -> None:
    rate = PacketRate(100, burst_ms=1_000)
    assert [rate.allows(5_000) for _ in range(101)] == [True] * 100 + [False]


def test_several_at_once_are_all_counted_or_none() -> None:
    rate = PacketRate(100, burst_ms=1_000)
    assert [rate.allows(5_000, count) for count in (60, 41, 40, 0, 1)] == [True, False, True, True, False]


@given(st.integers(1, 500), st.lists(st.integers(0, 3_000), max_size=300))
def test_no_pattern_passes_more_than_rate_and_burst(per_second: int, pauses: list[int]) -> None:
    rate, now, passed, start = PacketRate(per_second, burst_ms=1_000), 1_700_000_000_000, 0, 1_700_000_000_000
    for pause in pauses:
        now += pause
        passed += rate.allows(now)
    assert passed <= per_second * 1.003 * (1 + (now - start) / 1_000) + 1
