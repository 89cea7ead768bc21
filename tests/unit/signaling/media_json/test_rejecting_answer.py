"""The answer that takes nothing."""

from __future__ import annotations

from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from signaling.rejecting_answer import rejecting_answer
from tests.unit.signaling.media_json.client import OFFER


def test_every_section_is_answered_in_order_and_rejected() -> None:
    video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n"
    answer = SessionDescription.parse(rejecting_answer(OFFER + video))
    assert [(section.kind, section.port, section.rtp.muxId) for section in answer.media] == [("audio", 0, "0"), ("video", 0, "1")]


@given(st.text())
def test_any_offer_has_an_answer(offer: str) -> None:
    assert rejecting_answer(offer).startswith("v=0\r\n")


def test_a_broken_media_line_is_left_out() -> None:
    assert "m=" not in rejecting_answer("m=audio\r\na=mid:0\r\n")
