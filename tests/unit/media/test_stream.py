"""The numbering of a stream and of its players."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.plane import SinkFormat, SourceFormat
from media.player import Group, Player
from media.publisher import Publisher
from media.reception import Reception
from media.stream import FOR_NOBODY, REORDER_WINDOW, RESTART_JUMP, Stream


def test_a_jump_that_loss_cannot_explain_is_a_restart() -> None:
    stream = Stream("s")
    stream.place(1, 100, 5_000, 0)
    assert stream.place(1, 100 + 2_999, 9_000, 20)[0] == 1 + 2_999
    place, timestamp, restarted = stream.place(1, 40_000, 777, 40)
    assert (place, restarted) == (1 + 3_000, True)
    assert timestamp == 9_000 + 20 * 48


def test_numbers_go_on_over_many_wraps() -> None:
    stream = Stream("s")
    first = stream.place(1, 65_000, 0, 0)[0]
    for step in range(1, 200_000, 500):
        assert stream.place(1, (65_000 + step) & 0xFFFF, step * 960 & 0xFFFFFFFF, step * 20)[0] == first + step


def test_the_timestamp_wraps_with_the_source() -> None:
    stream = Stream("s")
    stream.place(1, 1, (1 << 32) - 480, 0)
    assert stream.place(1, 2, 480, 20)[1] == 480
    assert stream.timestamp_at(120) == 480 + 100 * 48


def test_after_a_restart_as_much_time_has_passed_as_on_the_clock() -> None:
    stream = Stream("s")
    stream.place(1, 1, 1_000, 10_000)
    stream.source_changed()
    assert stream.place(2, 9, 50, 10_001)[1] == 1_000 + 960
    stream.source_changed()
    assert stream.place(3, 9, 50, 15_001)[1] == 1_960 + 5_000 * 48


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 5_000)), max_size=60))
def test_whatever_the_source_does_new_places_rise(packets: list[tuple[int, int, int, int]]) -> None:
    stream = Stream("s")
    now = 0
    for ssrc, sequence, timestamp, passed in packets:
        now += passed
        before = stream.highest
        place, out, restarted = stream.place(ssrc, sequence, timestamp, now)
        assert 0 <= out < 1 << 32
        assert stream.highest >= before
        assert place == stream.highest or (not restarted and place < stream.highest) or place == FOR_NOBODY


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(0, (1 << 14) - 1))
def test_a_player_sees_one_row_of_numbers_over_all_its_pauses(runs: list[int], first: int) -> None:
    stream = Stream("s")
    player = Player(stream, SinkFormat(111, 1, "cname"), first)
    seen = []
    for run in runs:
        stream.highest += 17  # missed while it was paused
        player.begin(stream.highest + 1, Group())
        for _ in range(run):
            stream.highest += 1
            seen.append(stream.highest + player.offset)
        player.pause()
    assert seen == list(range(first, first + sum(runs)))


def test_jitter_is_that_of_the_rfc() -> None:
    source = Reception(1, 0)
    arrivals = [0, 20, 45, 60, 95]
    for sequence, arrival in enumerate(arrivals):
        source.arrived(sequence, sequence * 960, arrival)
    expected = 0.0
    for difference in (0, 5, 5, 15):
        expected += (difference * 48 - expected) / 16
    assert source.jitter == expected


def test_loss_is_counted_by_interval_and_in_all() -> None:
    source = Reception(1, 10)
    for sequence in (10, 11, 13):
        source.arrived(sequence, 0, 0)
    assert source.report(0).fraction_lost == 64
    for sequence in (14, 15, 16, 17):
        source.arrived(sequence, 0, 0)
    report = source.report(0)
    assert (report.fraction_lost, report.lost, source.lost) == (0, 1, 1)


def test_a_source_that_begins_a_new_count_has_lost_nothing() -> None:
    publisher = Publisher(1, Stream("s"), SourceFormat(111))
    for sequence in (10, 11, 12):
        publisher.received(1, sequence, 0, 10, 0)
    for sequence in (30_000, 30_001, 30_002):
        publisher.received(1, sequence, 0, 10, 0)
    assert publisher.reception is not None
    assert (publisher.reception.lost, publisher.reception.report(0).fraction_lost) == (0, 0)


@pytest.mark.parametrize("sequence", [12 + RESTART_JUMP - 1, (12 - REORDER_WINDOW) & 0xFFFF], ids=["behind a long gap", "late"])
def test_a_gap_or_a_late_packet_is_no_new_count(sequence: int) -> None:
    publisher = Publisher(1, Stream("s"), SourceFormat(111))
    for number in (10, 11, 12, sequence):
        publisher.received(1, number, 0, 10, 0)
    assert publisher.reception is not None and publisher.reception.received == 4


def sent(stream: Stream, sequence: int, *, ssrc: int = 1) -> int | None:
    """The number under which the packet goes to the players; None = it is for nobody."""
    return stream.place(ssrc, sequence & 0xFFFF, 960 * sequence & 0xFFFFFFFF, 0)[0] or None


def test_no_number_is_given_twice_to_packets_that_come_late() -> None:
    stream = Stream("s")
    assert [sent(stream, sequence) for sequence in (5, 8, 6, 6, 8, 5, 7, 7)] == [1, 4, 2, None, None, None, 3, None]


def test_a_packet_from_a_time_of_withholding_does_not_fill_a_gap_from_before() -> None:
    stream = Stream("s")
    assert [sent(stream, sequence) for sequence in (1, 2, 4)] == [1, 2, 4]
    for sequence in range(5, 21):
        if sequence != 19:
            stream.withhold(1, sequence)
    assert sent(stream, 21) == 5
    assert sent(stream, 19) is None
    assert sent(stream, 22) == 6


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["place", "place", "place", "pass over", "withhold", "source changed"]), st.integers(1, 2), st.integers(-40, 12)
        ),
        max_size=200,
    ),
    st.integers(0, 0xFFFF),
)
def test_whatever_comes_in_whatever_order_no_number_is_given_twice(steps: list[tuple[str, int, int]], start: int) -> None:
    """SRTP's keystream is that of the number: two packets under one number would lay each other bare."""
    stream, sequences, given_out = Stream("s"), {1: start, 2: 0x10000 - start}, set[int]()
    for what, ssrc, step in steps:
        sequences[ssrc] += max(step, 0)
        sequence = sequences[ssrc] + min(step, 0) & 0xFFFF
        if what == "place":
            place = sent(stream, sequence, ssrc=ssrc)
            assert place not in given_out
            if place is not None:
                given_out.add(place)
        elif what == "pass over":
            stream.pass_over(ssrc, sequence)
        elif what == "withhold":
            stream.withhold(ssrc, sequence)
        else:
            stream.source_changed()
