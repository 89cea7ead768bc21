"""The ``seq`` of pushes rises over all sockets of a client."""

from __future__ import annotations

from signaling.push_numbers import PushNumbers

NOW = 1_800_000_000_000


def test_numbers_rise_by_one_and_fit_uint32() -> None:
    numbers = PushNumbers(lambda: NOW)
    first = numbers.next()
    assert [numbers.next(), numbers.next()] == [first + 1, first + 2]
    assert 0 < first < 2**32


def test_a_later_socket_begins_above_all_that_an_earlier_one_has_said() -> None:
    earlier = PushNumbers(lambda: NOW)
    said = [earlier.next() for _ in range(50)]
    assert PushNumbers(lambda: NOW + 5_200).next() > said[-1]
    assert PushNumbers(lambda: NOW + 2**31).next() > said[-1]


def test_the_end_of_uint32_is_passed() -> None:
    numbers = PushNumbers(lambda: (2**32 - 1) * 100)
    assert [numbers.next(), numbers.next()] == [0, 1]
