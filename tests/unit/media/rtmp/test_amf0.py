"""AMF0, there and back, and what garbage comes to."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtmp import amf0
from media.rtmp.amf0 import Amf0Malformed, Value

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
SCALARS = st.none() | st.booleans() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT.filter(bool), inner, max_size=4), max_leaves=12
)


@given(st.lists(VALUES, max_size=4))
def test_values_are_read_as_they_were_written(values: list[Value]) -> None:
    assert amf0.decode(amf0.encode(*values)) == values


@given(st.binary(max_size=120))
def test_garbage_is_malformed_and_nothing_worse(data: bytes) -> None:
    with contextlib.suppress(Amf0Malformed):
        amf0.decode(data)
    amf0.decode_some(data)


def test_long_texts_ecma_arrays_dates_and_a_missing_end_mark() -> None:
    assert amf0.decode(amf0.encode("x" * 70_000)) == ["x" * 70_000]
    array = b"\x08\x00\x00\x00\x63\x00\x01a\x00" + b"\x3f\xf0" + bytes(6)
    assert amf0.decode(array + b"\x00\x00\x09") == [{"a": 1.0}] == amf0.decode(array)
    assert amf0.decode(b"\x0b\x40\x59" + bytes(6) + b"\x00\x00") == [100.0]


@pytest.mark.parametrize("mark", [b"\x03\x00\x01a", b"\x0a\x00\x00\x00\x01"])
def test_nesting_without_end_is_refused(mark: bytes) -> None:
    with pytest.raises(Amf0Malformed, match="deep"):
        amf0.decode(mark * 5_000)


def test_a_command_with_an_amf3_value_is_read_up_to_it() -> None:
    assert amf0.decode_some(amf0.encode("connect", 1) + b"\x11\x0a\x0b\x01") == ["connect", 1.0]


def test_a_message_has_a_thousand_values_at_most() -> None:
    """A megabyte of nulls would be a second of work for the whole node."""
    nulls, array = b"\x05" * 5_000, b"\x0a\x00\x00\x13\x88" + b"\x05" * 5_000
    assert amf0.decode_some(nulls) == [None] * amf0.MAX_VALUES
    assert amf0.decode_some(amf0.encode("connect", 1.0) + array) == ["connect", 1.0]
