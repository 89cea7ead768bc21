"""RTP headers: against aiortc's parser, and against noise."""

from __future__ import annotations

import contextlib

import pytest
from aiortc import RTCRtpHeaderExtensionParameters
from aiortc.rtcrtpparameters import RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from media import rtp


def located(data: bytes) -> tuple[int, bytes]:
    extension, start, end = rtp.locate_payload(memoryview(data), len(data))
    return extension, data[start:end]


@given(
    csrc=st.integers(0, 15),
    words=st.one_of(st.none(), st.integers(0, 10)),
    payload=st.binary(max_size=100),
    padding=st.integers(0, 255),
)
def test_the_payload_is_found_behind_every_header(csrc: int, words: int | None, payload: bytes, padding: int) -> None:
    flags = 0x80 | (0x20 if padding else 0) | (0x10 if words is not None else 0) | csrc
    data = rtp.HEADER.pack(flags, 111, 1, 2, 3) + bytes(4 * csrc)
    if words is not None:
        data += b"\xbe\xde" + words.to_bytes(2, "big") + bytes(4 * words)
    data += payload
    if padding:
        data += bytes(padding - 1) + bytes([padding])
    extension, found = located(data)
    assert found == payload
    assert extension == (12 + 4 * csrc if words is not None else 0)
    assert RtpPacket.parse(data).payload == payload


@given(st.binary(max_size=60))
def test_noise_is_located_inside_the_packet_or_refused(data: bytes) -> None:
    with contextlib.suppress(rtp.RtpMalformed):
        extension, start, end = rtp.locate_payload(memoryview(data), len(data))
        assert 12 <= start <= end <= len(data)
        if extension:
            rtp.audio_level(memoryview(data), extension, start, 1)


@pytest.mark.parametrize("level_id", [1, 5, 14, 200])
def test_the_audio_level_is_read_as_aiortc_writes_it(level_id: int) -> None:
    mapping = HeaderExtensionsMap()
    uris = {level_id: "urn:ietf:params:rtp-hdrext:ssrc-audio-level", 3: "urn:ietf:params:rtp-hdrext:sdes:mid"}
    mapping.configure(RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(id=id, uri=uri) for id, uri in uris.items()]))
    packet = RtpPacket(payload_type=111, payload=b"x")
    packet.extensions.mid = "audio"
    packet.extensions.audio_level = (True, 42)
    data = memoryview(packet.serialize(mapping))
    extension, start, _ = rtp.locate_payload(data, len(data))
    assert rtp.audio_level(data, extension, start, level_id) == 42
    assert rtp.audio_level(data, extension, start, 9) is None
