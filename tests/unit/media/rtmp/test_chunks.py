"""Chunk streams: every way to write a message is read as the same message, and nothing takes more than is granted."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtmp.chunks import ChunkReader, ChunkStreamBroken, Message, write_message


def reader(max_message: int = 1 << 20, chunk_size: int = 128) -> ChunkReader:
    made = ChunkReader(max_message=max_message, max_streams=8)
    made.chunk_size = chunk_size
    return made


MESSAGES = st.builds(Message, st.integers(1, 255), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=700))


@given(st.lists(MESSAGES, max_size=5), st.integers(1, 300), st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_messages_arrive_as_they_were_sent_however_they_are_cut(messages: list[Message], chunk_size: int, pieces: list[int]) -> None:
    data = b"".join(write_message(4 + i % 3, m.type, m.timestamp, m.stream_id, m.body, chunk_size) for i, m in enumerate(messages))
    made = reader(chunk_size=chunk_size)
    got: list[Message] = []
    at = 0
    while at < len(data):
        size = pieces[at % len(pieces)]
        got += made.receive(data[at : at + size])
        at += size
    assert got == messages


@given(st.binary(max_size=400), st.integers(1, 200))
def test_garbage_breaks_the_chunk_stream_and_nothing_else(data: bytes, chunk_size: int) -> None:
    with contextlib.suppress(ChunkStreamBroken):
        list(reader(max_message=1000, chunk_size=chunk_size).receive(data))


def test_messages_of_several_chunk_streams_are_interleaved() -> None:
    first = write_message(4, 8, 5, 1, b"a" * 200, 128)
    second = write_message(6, 9, 6, 1, b"b" * 200, 128)
    mixed = first[:140] + second[:140] + first[140:] + second[140:]
    assert [message.body for message in reader().receive(mixed)] == [b"a" * 200, b"b" * 200]


def test_shorter_headers_take_over_what_they_leave_out() -> None:
    full = bytes.fromhex("04 0003e8 000002 08 01000000") + b"aa"
    same_stream = bytes.fromhex("44 000014 000003 08") + b"bbb"
    same_length = bytes.fromhex("84 000015") + b"ccc"
    same_all = b"\xc4ddd"
    got = list(reader().receive(full + same_stream + same_length + same_all))
    assert [(m.timestamp, m.body) for m in got] == [(1000, b"aa"), (1020, b"bbb"), (1041, b"ccc"), (1062, b"ddd")]
    assert {m.stream_id for m in got} == {1}


def test_a_short_header_behind_a_full_one_takes_its_time_as_the_distance() -> None:
    full = bytes.fromhex("04 000014 000001 08 01000000") + b"a"
    assert [m.timestamp for m in reader().receive(full + b"\xc4b")] == [20, 40]


@pytest.mark.parametrize("repeated", [True, False])
def test_an_extended_timestamp_may_be_repeated_or_not(repeated: bool) -> None:
    """RTMP 1.0 §5.3.1.3 repeats it in chunks of type 3; some senders do not."""
    time = bytes.fromhex("01020304")
    data = bytes.fromhex("04 ffffff 0000c8 08 01000000") + time + b"a" * 128 + b"\xc4" + (time if repeated else b"") + b"a" * 72
    (got,) = reader().receive(data)
    assert got == Message(8, 0x01020304, 1, b"a" * 200)


def test_chunk_stream_numbers_of_two_and_three_bytes() -> None:
    rest = bytes.fromhex("000000 000001 08 01000000") + b"x"
    got = list(reader().receive(b"\x00\x05" + rest + b"\x01\x05\x01" + rest + b"\xc0\x05y"))
    assert [m.body for m in got] == [b"x", b"x", b"y"]


def test_an_abandoned_message_is_forgotten() -> None:
    made = reader()
    assert list(made.receive(write_message(4, 8, 0, 1, b"a" * 200, 128)[:140])) == []
    made.abort(4)
    assert [m.body for m in made.receive(write_message(4, 8, 0, 1, b"b", 128))] == [b"b"]


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("04 000000 ffffff 08 01000000"),
        b"\xc4x",
        b"".join(write_message(n, 8, 0, 1, b"x", 128) for n in range(3, 12)),
        b"".join(write_message(n, 8, 0, 1, bytes(900), 128)[:140] for n in range(3, 11)),
    ],
    ids=["16 MiB", "no full header", "nine chunk streams", "eight unfinished messages"],
)
def test_more_than_is_granted_breaks_it(data: bytes) -> None:
    with pytest.raises(ChunkStreamBroken):
        list(reader(max_message=1000).receive(data))
