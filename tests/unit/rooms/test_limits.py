"""Token buckets and what ids and texts may look like."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms import identifiers
from rooms.buckets import TokenBucket
from rooms.errors import ExtraInfoRefused, InvalidRequest, InvalidStreamId, InvalidUserName, MessageEmpty, MessageTooLong
from rooms.limits import RoomLimits

LIMITS = RoomLimits()


def test_a_bucket_gives_one_seconds_worth_and_refills_evenly() -> None:
    bucket = TokenBucket(2, 1000)
    assert [bucket.take(1000) for _ in range(3)] == [True, True, False]
    assert not bucket.take(1499)
    assert bucket.take(1500)
    assert [bucket.take(60_000) for _ in range(3)] == [True, True, False], "it never holds more than one second's worth"


def test_a_slow_bucket_holds_one() -> None:
    bucket = TokenBucket(0.5, 0)
    assert bucket.take(0) and not bucket.take(1999) and bucket.take(2000)


def test_a_rate_of_zero_refuses_nothing() -> None:
    bucket = TokenBucket(0, 0)
    assert all(bucket.take(0) for _ in range(1000))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rate=st.integers(1, 50), steps=st.lists(st.integers(-500, 2000), max_size=200))
def test_no_second_ever_sees_more_than_twice_the_rate(rate: int, steps: list[int]) -> None:
    """A clock that is set back gives nothing away either."""
    bucket, now, latest, taken = TokenBucket(rate, 0), 0, 0, []
    for step in steps:
        now = max(0, now + step)
        if bucket.take(now) and now >= latest:
            taken.append(now)
        latest = max(latest, now)
    for start in taken:
        assert sum(1 for moment in taken if start <= moment < start + 1000) <= 2 * rate + 1 or any(step < 0 for step in steps)


@pytest.mark.parametrize("room_id", ["r", "1", "a" * 128, "~!@#$%^&*()_+=-`;'\\,.<>/"])
def test_room_ids_that_the_documents_allow(room_id: str) -> None:
    identifiers.check_room_id(room_id, LIMITS)


@pytest.mark.parametrize("room_id", ["", "a" * 129, " ", "a b", "é", "{x}", "a:b", "a\x00", "a\n", "[]", '"', "|", "?"])
def test_room_ids_that_they_do_not(room_id: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        identifiers.check_room_id(room_id, LIMITS)
    assert refusal.value.field == "room_id"


def test_a_user_id_has_no_angle_brackets_and_no_slash() -> None:
    identifiers.check_user_id("~!@#$^&*()_+=-;',.", LIMITS)
    for bad in ("a<", "a>", "a/"):
        with pytest.raises(InvalidRequest):
            identifiers.check_user_id(bad, LIMITS)


def test_lengths_are_counted_in_bytes() -> None:
    identifiers.check_user_name("名" * 85, LIMITS)
    with pytest.raises(InvalidUserName):
        identifiers.check_user_name("名" * 86, LIMITS)
    with pytest.raises(MessageTooLong):
        identifiers.check_message("名" * 400, "content", 1024)
    with pytest.raises(MessageEmpty):
        identifiers.check_message("", "content", 1024)


def test_an_empty_user_name_is_a_setting() -> None:
    with pytest.raises(InvalidUserName):
        identifiers.check_user_name("", LIMITS)
    identifiers.check_user_name("", RoomLimits(user_name_may_be_empty=True))


def test_the_characters_of_a_stream_id_are_a_setting_but_never_control_characters() -> None:
    with pytest.raises(InvalidStreamId):
        identifiers.check_stream_id("a.b", LIMITS)
    wide = RoomLimits(stream_id_pattern=r"(?s).+")
    identifiers.check_stream_id("a.b c", wide)
    with pytest.raises(InvalidStreamId):
        identifiers.check_stream_id("a\nb", wide)


def test_room_attributes() -> None:
    identifiers.check_extra_info("k" * 10, "", LIMITS)
    for key, value in (("", ""), ("k" * 11, ""), ("k", "v" * 129)):
        with pytest.raises(ExtraInfoRefused):
            identifiers.check_extra_info(key, value, LIMITS)
