"""Arrival times told to publishers: read back with a reader of its own, by the tables of the draft."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from media.transport_cc import KEPT, MAX_MESSAGES, MAX_STATUSES, ArrivalLog


def read(message: bytes) -> tuple[int, int, dict[int, int], int]:
    """Base number, message count, arrivals (number → 250 µs ticks since the reference time's zero) and how many statuses there are."""
    flags, kind, words = struct.unpack_from("!BBH", message)
    assert (flags & 0xDF, kind, 4 * words + 4) == (0x80 | 15, 205, len(message))
    end = len(message) - (message[-1] if flags & 0x20 else 0)
    base, count, reference = struct.unpack_from("!HHI", message, 12)
    ticks = (reference >> 8) * 64 * 4
    position, symbols = 20, []
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", message, position)
        position += 2
        if not chunk >> 15:
            symbols += [chunk >> 13] * (chunk & 0x1FFF)
        elif chunk >> 14 & 1:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    arrivals: dict[int, int] = {}
    for place, symbol in enumerate(symbols[:count]):
        if symbol:
            (delta,) = struct.unpack_from("!B" if symbol == 1 else "!h", message, position)
            position += symbol
            ticks += delta
            arrivals[(base + place) & 0xFFFF] = ticks
    assert position == end
    return base, reference & 0xFF, arrivals, count


def told(log: ArrivalLog) -> dict[int, int]:
    """Everything that one call tells; times in ms modulo 2^24 · 64."""
    everything: dict[int, int] = {}
    for message in log.feedback(1, 77):
        assert struct.unpack_from("!II", message, 4) == (1, 77)
        everything.update((number, ticks // 4) for number, ticks in read(message)[2].items())
    return everything


def test_what_came_and_what_did_not_is_told_once() -> None:
    log = ArrivalLog()
    for number, at in ((65_534, 1_000), (65_535, 1_020), (1, 1_100), (2, 1_101)):
        log.arrived(number, at)
    (message,) = log.feedback(1, 77)
    base, count, arrivals, statuses = read(message)
    assert (base, count, statuses) == (65_534, 0, 5)
    assert arrivals == {65_534: 4_000, 65_535: 4_080, 1: 4_400, 2: 4_404}
    assert log.feedback(1, 77) == []
    log.arrived(3, 1_200)
    assert read(log.feedback(1, 77)[0])[:2] == (3, 1)


def test_a_late_packet_is_told_with_its_neighbours() -> None:
    log = ArrivalLog()
    for number, at in ((1, 0), (3, 40)):
        log.arrived(number, at)
    log.feedback(1, 77)
    log.arrived(2, 500)
    log.arrived(4, 60)
    assert told(log) == {2: 500, 3: 40, 4: 60}


def test_a_silence_too_long_for_a_delta_begins_a_message() -> None:
    log = ArrivalLog()
    log.arrived(1, 1_000)
    log.arrived(2, 60_000)
    assert [read(message)[2] for message in log.feedback(1, 77)] == [{1: 4_000}, {2: 240_000}]


def test_a_log_that_nobody_asks_is_bounded() -> None:
    log = ArrivalLog()
    for number in range(100_000):
        log.arrived(number & 0xFFFF, number)
    messages = log.feedback(1, 77)
    assert len(messages) <= MAX_MESSAGES
    assert all(read(message)[3] <= MAX_STATUSES for message in messages)
    assert sum(len(read(message)[2]) for message in messages) == KEPT


@given(st.integers(0, 65_535), st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9_000), st.booleans()), max_size=60))
def test_every_arrival_is_told(start: int, steps: list[tuple[int, int, bool]]) -> None:
    log = ArrivalLog()
    number, now, expected, heard = start, 10_000, dict[int, int](), dict[int, int]()
    for step, passed, tell in steps:
        number, now = (number + step) & 0xFFFF, now + passed
        log.arrived(number, now)
        expected[number] = now
        if tell:
            heard.update(told(log))
    while more := told(log):
        heard.update(more)
    assert heard == expected


@given(st.lists(st.tuples(st.integers(0, 65_535), st.integers(-50, 20_000)), max_size=80))
def test_any_numbers_make_messages_that_can_be_read(packets: list[tuple[int, int]]) -> None:
    log, now = ArrivalLog(), 100_000
    for number, passed in packets:
        now += passed
        log.arrived(number, now)
    for message in log.feedback(1, 77):
        read(message)
        assert len(message) < 1_200
