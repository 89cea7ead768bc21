"""FLV, there and back, and what is read of a message's head."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.flv import AudioHead, FlvMalformed, SoundFormat, Tag, TagKind, VideoHead, aac_config_tag, aac_frame_tag, file_header, read_file

TAGS = st.builds(Tag, st.sampled_from(TagKind), st.integers(0, 2**32 - 1), st.binary(max_size=300))


@given(st.lists(TAGS, max_size=5))
def test_a_file_is_read_as_it_was_written(tags: list[Tag]) -> None:
    assert list(read_file(file_header() + b"".join(tag.flv for tag in tags))) == tags


@given(st.binary(max_size=200))
def test_nothing_but_malformed_comes_of_garbage(data: bytes) -> None:
    for read in (lambda: list(read_file(file_header() + data)), lambda: AudioHead.parse(data), lambda: VideoHead.parse(data)):
        with contextlib.suppress(FlvMalformed):
            read()


def test_a_tag_by_the_letter_of_the_specification() -> None:
    assert Tag(TagKind.AUDIO, 0x01020304, b"ab").flv == bytes.fromhex("08 000002 020304 01 000000 6162 0000000d")


def test_aac_heads() -> None:
    assert AudioHead.parse(aac_config_tag(b"\x12\x10").body) == AudioHead(SoundFormat.AAC, True, 2)
    assert AudioHead.parse(aac_frame_tag(b"frame", 7).body) == AudioHead(SoundFormat.AAC, False, 2)
    assert AudioHead.parse(b"\x2f") == AudioHead(SoundFormat.MP3, False, 1)


@pytest.mark.parametrize(
    ("body", "head"),
    [
        (b"\x17\x00\0\0\0", VideoHead("avc", False, True)),
        (b"\x17\x01\0\0\0", VideoHead("avc", True, False)),
        (b"\x27\x01\0\0\0", VideoHead("avc", False, False)),
        (b"\x1c\x00\0\0\0", VideoHead("hevc", False, True)),
        (b"\x90hvc1", VideoHead("hvc1", False, True)),
        (b"\x93hvc1", VideoHead("hvc1", True, False)),
        (b"\xa1av01", VideoHead("av01", False, False)),
        (b"\x12", VideoHead("id2", True, False)),
    ],
)
def test_heads_of_pictures(body: bytes, head: VideoHead) -> None:
    assert VideoHead.parse(body) == head
