"""Frames, against captured ones, and what is no frame."""

from __future__ import annotations

import pytest

from signaling.accesshub.frames import FrameInvalid, MessageType, decode_frame, encode_frame
from signaling.accesshub.proto import accesshub_pb2 as pb
from tests.unit.signaling.accesshub.samples import SAMPLES, Sample, first, message

FRAMES = [sample for sample in SAMPLES if sample.layer == "hub"]
SETTLED = first("hub", 14).data


@pytest.mark.parametrize("sample", FRAMES, ids=lambda sample: f"{sample.sdk}-{sample.number}-{sample.dir}")
def test_a_captured_frame_is_read_and_written_again(sample: Sample) -> None:
    frame = decode_frame(sample.data)
    assert frame.type == sample.number == MessageType(sample.number)
    written = encode_frame(MessageType(frame.type), frame.stream, message(sample))
    # Fields of requests that the server has no use for come last then.
    assert written == sample.data if sample.dir == "s>c" else sorted(written) == sorted(sample.data)


def test_fields_of_a_frame_of_the_specification() -> None:
    frame = decode_frame(SETTLED)
    assert (frame.type, frame.stream) == (14, 3)
    request = pb.AhGetConfigRequest.FromString(frame.body)
    assert (request.txid, request.appid) == (1, 1234567)


@pytest.mark.parametrize(
    "data",
    [b"", SETTLED[:12], b"\xac" + SETTLED[1:], SETTLED[:-1], SETTLED + b"\0", b'{"header":{"cmd":"login"}}'],
    ids=["empty", "short", "other magic", "cut", "longer", "json"],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(FrameInvalid):
        decode_frame(data)
