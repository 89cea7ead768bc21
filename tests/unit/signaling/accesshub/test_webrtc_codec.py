"""Payloads of services 18 and 19, against captured ones and against garbage."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.accesshub.frames import FrameInvalid
from signaling.accesshub.webrtc_codec import Command, decode_request, encode_message
from tests.unit.signaling.accesshub.samples import RTC, SAMPLES, message

FROM_CLIENT = [sample for sample in SAMPLES if sample.layer == "rtc" and sample.dir == "c>s"]
FROM_SERVER = [sample for sample in SAMPLES if sample.layer == "rtc" and sample.dir == "s>c"]


@pytest.mark.parametrize("sample", FROM_CLIENT, ids=lambda sample: f"{sample.sdk}-{sample.number}")
def test_captured_requests_are_read(sample) -> None:  # type: ignore[no-untyped-def]
    request = decode_request(sample.data)
    assert request.command == sample.number and request.body == sample.body


@pytest.mark.parametrize("sample", FROM_SERVER, ids=lambda sample: f"{sample.sdk}-{sample.number}")
def test_what_clients_accepted_is_written_byte_for_byte(sample) -> None:  # type: ignore[no-untyped-def]
    # The header is read with the rules of the other direction, which differ in one number only.
    request = decode_request(sample.data.replace(b"\x08\x65\x11", b"\x08\x64\x11", 1))
    written = encode_message(sample.number, request.seq, request.session_id, message(sample))
    again = RTC[sample.number].FromString(decode_request(written.replace(b"\x08\x65\x11", b"\x08\x64\x11", 1)).body)
    assert again == message(sample)
    if again.SerializeToString() == sample.body:
        assert written == sample.data


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xb5\x00",
        b"\xb6\x00\x00\x02\x00\x00\x00\x00\x08\x64",
        b"\xb5\x00\xff\xff\xff\xff\xff\xff",
        b"\xb5\x00\x00\x02\x00\x00\x00\x07\x08\x65\x11\x00\x00\x00\x00\x00\x00",
        b"\xb5\x00\x00\x02\x00\x00\x00\x07\x08\x64\x12\x00\x00\x00\x00\x00\x00",
        b"\xb5\x00\x00\x02\x00\x00\x00\x07\x08\x64\x11\x00\x05\x00\x00\x00\x00",
        b"\xb5\x00\x00\x02\x00\x00\x00\x08\x08\x64\x11\x00\x01\x00\x00\x00\x00\xff",
    ],
)
def test_what_is_no_payload_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameInvalid):
        decode_request(payload)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=64), st.builds(lambda tail: b"\xb5\x00\x00\x02\x00\x00\x00" + tail, st.binary(max_size=64))))
def test_nothing_but_a_refusal_comes_of_garbage(payload: bytes) -> None:
    with contextlib.suppress(FrameInvalid):
        request = decode_request(payload)
        assert request.command >= 0


def test_an_answer_is_told_from_its_request_by_its_number() -> None:
    assert Command.CREATE_SESSION_WITH_SDP + 1 == 6 and Command.CLOSE_SESSION + 1 == 16
