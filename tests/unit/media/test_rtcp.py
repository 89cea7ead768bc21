"""RTCP: against aiortc's parser, and against noise."""

from __future__ import annotations

import contextlib

import pytest
from aiortc.rtp import RtcpByePacket, RtcpPacket, RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp

BLOCK = rtcp.ReportBlock(
    ssrc=7, fraction_lost=12, lost=-3, highest_sequence=70_000, jitter=480, last_sender_report=0x1234_5678, delay_since=65_536
)


def test_our_reports_mean_to_others_what_they_mean_to_us() -> None:
    report, description = RtcpPacket.parse(rtcp.receiver_report(1, (BLOCK,), "node"))
    assert isinstance(report, RtcpRrPacket) and isinstance(description, RtcpSdesPacket)
    theirs = report.reports[0]
    assert (theirs.ssrc, theirs.fraction_lost, theirs.packets_lost, theirs.highest_sequence) == (7, 12, -3, 70_000)
    assert (theirs.jitter, theirs.lsr, theirs.dlsr) == (480, 0x1234_5678, 65_536)
    assert description.chunks[0].items == [(1, b"node")]
    assert rtcp.parse(rtcp.receiver_report(1, (BLOCK,), "node")).reports == (BLOCK,)


def test_sender_reports_and_goodbyes() -> None:
    info = rtcp.SenderInfo(5, rtcp.ntp_from_ms(1_700_000_000_500), 960, 3, 240)
    data = rtcp.sender_report(info, "cname")
    report = RtcpPacket.parse(data)[0]
    assert isinstance(report, RtcpSrPacket)
    assert report.sender_info.ntp_timestamp >> 32 == 1_700_000_000 + 2_208_988_800
    assert report.sender_info.ntp_timestamp & 0xFFFFFFFF == 1 << 31
    assert rtcp.parse(data).sender == info
    goodbye = RtcpPacket.parse(rtcp.goodbye(5, "cname"))[-1]
    assert isinstance(goodbye, RtcpByePacket) and goodbye.sources == [5]


@pytest.mark.parametrize("cname", ["", "a", "ab", "abc", "abcd", "x" * 300])
def test_descriptions_are_whole_words(cname: str) -> None:
    (packet,) = RtcpPacket.parse(rtcp.source_description(1, cname))
    assert isinstance(packet, RtcpSdesPacket)
    assert packet.chunks[0].items == [(1, cname.encode()[:255])]


@given(st.integers(0, 1 << 42))
def test_ntp_times_come_back(epoch_ms: int) -> None:
    assert abs(rtcp.ms_from_ntp(rtcp.ntp_from_ms(epoch_ms)) - epoch_ms) <= 1


@given(st.binary(max_size=120))
def test_noise_is_parsed_or_refused(data: bytes) -> None:
    with contextlib.suppress(rtcp.RtcpMalformed):
        rtcp.parse(data)


@given(st.integers(0, 31), st.integers(200, 207), st.integers(0, 20), st.binary(max_size=120))
def test_packets_with_any_counts_are_parsed_or_refused(count: int, kind: int, words: int, body: bytes) -> None:
    with contextlib.suppress(rtcp.RtcpMalformed):
        rtcp.parse(bytes([0x80 | count, kind]) + words.to_bytes(2, "big") + body)
