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
            for _, offset, size in rtp.extension_elements(memoryview(data), extension, start):
                assert extension + 4 <= offset and offset + size <= start


@pytest.mark.parametrize("level_id", [1, 5, 14, 200])
def test_extensions_are_read_as_aiortc_writes_them(level_id: int) -> None:
    mapping = HeaderExtensionsMap()
    uris = {level_id: "urn:ietf:params:rtp-hdrext:ssrc-audio-level", 3: "urn:ietf:params:rtp-hdrext:sdes:mid"}
    mapping.configure(RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(id=id, uri=uri) for id, uri in uris.items()]))
    packet = RtpPacket(payload_type=111, payload=b"x")
    packet.extensions.mid = "audio"
    packet.extensions.audio_level = (True, 42)
    data = memoryview(packet.serialize(mapping))
    extension, start, _ = rtp.locate_payload(data, len(data))
    elements = {identifier: bytes(data[at : at + size]) for identifier, at, size in rtp.extension_elements(data, extension, start)}
    assert elements == {level_id: bytes([0x80 | 42]), 3: b"audio"}


@pytest.mark.parametrize("level_id", [1, 14])
def test_our_level_is_read_by_aiortc(level_id: int) -> None:
    mapping = HeaderExtensionsMap()
    level = RTCRtpHeaderExtensionParameters(id=level_id, uri="urn:ietf:params:rtp-hdrext:ssrc-audio-level")
    mapping.configure(RTCRtpParameters(headerExtensions=[level]))
    header = rtp.HEADER.pack(rtp.VERSION_2 | rtp.EXTENSION, 111, 1, 2, 3)
    packet = RtpPacket.parse(header + rtp.audio_level_extension(level_id, 0x80 | 42) + b"sound", mapping)
    assert (packet.extensions.audio_level, packet.payload) == ((True, 42), b"sound")
