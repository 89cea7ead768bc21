"""Bursts in, even packets out."""

from __future__ import annotations

import itertools

from media.bridge.pacer import CALM, LIVE, OpusFrame, Pacer


def run(pacer: Pacer, arrivals: list[tuple[int, int]], until: int) -> list[tuple[int, int]]:
    """``arrivals``: time and count of packets. Returns time and timestamp of each packet sent; asks each millisecond at most."""
    sent, number, waiting = [], itertools.count(), dict(arrivals)
    for now in range(until):
        for _ in range(waiting.get(now, 0)):
            pacer.push(OpusFrame(960 * next(number), b"x"), now)
        if pacer.due is not None and pacer.due <= now:
            sent += [(now, frame.timestamp) for frame in pacer.take(now)]
    return sent


def test_a_steady_source_is_not_delayed() -> None:
    sent = run(Pacer(25), [(20 * number, 1) for number in range(100)], 2_000)
    assert [time for time, _ in sent] == [20 * number for number in range(100)]


def test_an_aac_frame_of_three_packets_leaves_in_steps_of_twenty() -> None:
    # 16 kHz: 64 ms for each frame, which is three packets, or now and then four.
    counts = [16 * (number + 1) // 5 - 16 * number // 5 for number in range(100)]
    sent = run(Pacer(25), [(64 * number, count) for number, count in enumerate(counts)], 6_500)
    gaps = [after - before for (before, _), (after, _) in itertools.pairwise(sent)]
    assert len(sent) == 320 and min(gaps) == 20 and max(gaps) <= 24


def test_after_a_stall_packets_leave_a_little_faster_until_only_few_wait() -> None:
    pacer = Pacer(25)
    sent = run(pacer, [(0, 20)] + [(20 * number, 1) for number in range(1, 200)], 4_000)
    gaps = [after - before for (before, _), (after, _) in itertools.pairwise(sent)]
    assert set(gaps) == {18, 20} and gaps[:100] == [18] * 100 and gaps[-1] == 20
    assert len(pacer) <= CALM + 1 and pacer.dropped == 0


def test_a_small_delay_that_all_packets_have_is_driven_out_too() -> None:
    # A single packet is 35 ms late; those behind it are not.
    arrivals = [(20 * number + (35 if number == 10 else 0), 1) for number in range(500)]
    merged = [(time, sum(count for at, count in arrivals if at == time)) for time, _ in sorted(set(arrivals))]
    sent = dict((timestamp // 960, time) for time, timestamp in run(Pacer(25), merged, 10_000))
    waits = [sent[number] - 20 * number for number in range(500)]
    assert max(waits[11:60]) >= 20 and max(waits[250:]) <= 3


def test_too_many_waiting_are_left_out_without_a_gap_in_the_timestamps() -> None:
    pacer = Pacer(25)
    sent = run(pacer, [(0, 1), (20, 100)] + [(20 * number, 1) for number in range(2, 50)], 1_500)
    assert pacer.dropped >= 100 - 25 - LIVE
    assert [timestamp for _, timestamp in sent] == list(range(sent[0][1], sent[0][1] + 960 * len(sent), 960))


def test_a_gap_of_the_source_stays_one() -> None:
    pacer = Pacer(25)
    pacer.push(OpusFrame(0, b"a"), 0)
    assert [frame.payload for frame in pacer.take(0)] == [b"a"]
    assert pacer.due is None
    pacer.push(OpusFrame(48_000, b"b", marker=True), 1_000)
    assert pacer.due == 1_000
    (frame,) = pacer.take(1_000)
    assert (frame.timestamp, frame.marker) == (48_000, True)


def test_timestamps_are_of_32_bits() -> None:
    pacer = Pacer(25)
    pacer.push(OpusFrame((1 << 32) + 960, b"x"), 0)
    assert pacer.take(0)[0].timestamp == 960


def test_who_comes_late_to_take_gets_what_is_due() -> None:
    pacer = Pacer(25)
    for number in range(3):
        pacer.push(OpusFrame(960 * number, b"x"), 0)
    assert len(pacer.take(45)) == 3
    pacer.push(OpusFrame(960 * 3, b"x"), 46)
    assert pacer.due == 60
