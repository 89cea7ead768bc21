"""Offers in, answers out."""

from __future__ import annotations

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from media.answer import Track, Transport, write_answer
from media.errors import SdpRefused
from media.negotiation import sink_format, source_format
from media.offer import Offer, parse_offer
from tests.unit.media import offers

TRANSPORT = Transport(("203.0.113.5", "10.0.0.5"), 7_000, "ourufrag", "our-ice-password-is-secret", "AA:" * 31 + "AA")
TRACK = Track(ssrc=4_242, cname="cname", stream="stream-id", track="track-id")


def parse(sdp: str, *, publishing: bool = True) -> Offer:
    return parse_offer(sdp, publishing=publishing, max_bytes=65_536)


def answer(sdp: str, *, publishing: bool = True) -> str:
    offer = parse(sdp, publishing=publishing)
    format = source_format(offer) if publishing else sink_format(offer, ssrc=TRACK.ssrc, cname=TRACK.cname)
    return write_answer(offer, TRANSPORT, session_id=9, format=format, track=None if publishing else TRACK)


def test_the_facts_of_a_chromium_offer_are_found() -> None:
    offer = parse(offers.publish_offer())
    assert (offer.opus.payload_type, offer.audio, offer.media[0].audio_level_id) == (111, 0, 1)
    assert (offer.ice_ufrag, offer.ice_password) == ("y5++", "abcdefghijklmnopqrstuv0/")
    assert offer.fingerprints == (("sha-256", offers.FINGERPRINT.split()[1]),)


def test_a_publisher_is_answered_recvonly_with_its_own_opus() -> None:
    description = SessionDescription.parse(answer(offers.publish_offer()))
    (audio,) = description.media
    assert (audio.kind, audio.direction, audio.port, audio.rtp.muxId) == ("audio", "recvonly", 7_000, "0")
    assert [(codec.payloadType, codec.mimeType, codec.clockRate, codec.channels) for codec in audio.rtp.codecs] == [
        (111, "audio/opus", 48_000, 2),
        (63, "audio/red", 48_000, 2),
    ]
    assert audio.rtp.codecs[0].parameters == {"minptime": 10, "useinbandfec": 1, "stereo": 0, "maxaveragebitrate": "48000"}
    assert [one.type for one in audio.rtp.codecs[0].rtcpFeedback] == ["transport-cc"]
    assert audio.rtcp_mux and audio.ice is not None and audio.ice.iceLite
    assert (audio.ice.usernameFragment, audio.ice.password) == ("ourufrag", "our-ice-password-is-secret")
    assert audio.dtls is not None and audio.dtls.role == "server"
    assert [(extension.id, extension.uri) for extension in audio.rtp.headerExtensions] == [
        (1, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"),
        (3, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"),
    ]
    assert [(candidate.ip, candidate.port, candidate.type) for candidate in audio.ice_candidates] == [
        ("203.0.113.5", 7_000, "host"),
        ("10.0.0.5", 7_000, "host"),
    ]
    assert audio.ice_candidates[0].priority > audio.ice_candidates[1].priority
    assert [(group.semantic, group.items) for group in description.group] == [("BUNDLE", ["0"])]


def test_a_player_is_answered_sendonly_with_one_stream_and_video_inactive() -> None:
    text = answer(offers.play_offer(), publishing=False)
    description = SessionDescription.parse(text)
    audio, video = description.media
    assert (audio.direction, video.direction) == ("sendonly", "inactive")
    assert [line.rtp.muxId for line in description.media] == ["0", "1"]
    assert description.group[0].items == ["0", "1"]
    assert (audio.ssrc[0].ssrc, audio.ssrc[0].cname, audio.msid) == (4_242, "cname", "stream-id track-id")
    assert audio.rtp.codecs[0].parameters["stereo"] == 1
    assert video.port != 0 and [codec.mimeType for codec in video.rtp.codecs] == ["video/VP8"]
    assert [(extension.id, extension.uri) for extension in audio.rtp.headerExtensions] == [
        (1, "urn:ietf:params:rtp-hdrext:ssrc-audio-level")
    ]
    assert audio.rtp.codecs[0].rtcpFeedback == []


@pytest.mark.parametrize("publishing", [True, False])
def test_lost_packets_can_be_asked_for_where_the_client_offers_it(publishing: bool) -> None:
    sdp = offers.publish_offer() if publishing else offers.play_offer()
    wanted = sdp.replace("a=rtcp-fb:111 transport-cc", "a=rtcp-fb:111 transport-cc\r\na=rtcp-fb:111 nack")
    assert "a=rtcp-fb:111 nack\r\n" in answer(wanted, publishing=publishing)
    assert "nack" not in answer(sdp, publishing=publishing)
    assert "a=rtcp-fb:111 nack\r\n" in answer(sdp.replace("a=rtcp-fb:111 transport-cc", "a=rtcp-fb:* nack"), publishing=publishing)


def test_arrival_times_need_the_extension_and_the_wish() -> None:
    offer = offers.publish_offer()
    for changed in (offer.replace("a=rtcp-fb:111 transport-cc\r\n", ""), offer.replace("extmap:3 ", "extmap:0 ")):
        assert "transport-cc" not in answer(changed) and "transport-wide" not in answer(changed)


def test_redundancy_is_answered_in_the_clients_order_of_formats() -> None:
    assert "m=audio 7000 UDP/TLS/RTP/SAVPF 111 63\r\n" in answer(offers.publish_offer())
    preferred = answer(offers.publish_offer().replace("SAVPF 111 63", "SAVPF 63 111"))
    assert "m=audio 7000 UDP/TLS/RTP/SAVPF 63 111\r\n" in preferred
    assert "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n" in preferred
    for blocks in ("a=fmtp:63 111/0", "a=fmtp:63 0/0", "a=fmtp:63 ", "a=x:63 111/111"):
        text = answer(offers.publish_offer().replace("a=fmtp:63 111/111", blocks))
        assert "m=audio 7000 UDP/TLS/RTP/SAVPF 111\r\n" in text and "red/48000" not in text


def test_feedback_of_reduced_size_is_answered_where_it_is_offered() -> None:
    assert "a=rtcp-rsize\r\n" in answer(offers.publish_offer())
    assert "rsize" not in answer(offers.publish_offer().replace("a=rtcp-rsize\r\n", ""))


def test_a_level_id_that_needs_the_long_form_is_read_but_not_written() -> None:
    publisher, player = (offer.replace("extmap:1 urn", "extmap:20 urn") for offer in (offers.publish_offer(), offers.play_offer()))
    assert "extmap:20 " in answer(publisher)
    assert "extmap:20 " not in answer(player, publishing=False)


def test_a_publisher_with_video_is_answered_with_its_sound_alone() -> None:
    for video_mid in ("BUNDLE 0 1", "BUNDLE 0"):
        description = SessionDescription.parse(answer(offers.publish_offer_with_video().replace("BUNDLE 0 1", video_mid)))
        audio, video = description.media
        assert (audio.direction, video.direction) == ("recvonly", "inactive")
        assert (video.port == 0) == (video_mid == "BUNDLE 0")


def test_the_order_of_m_lines_is_kept() -> None:
    description = SessionDescription.parse(answer(offers.play_offer_video_first(), publishing=False))
    assert [(line.kind, line.rtp.muxId) for line in description.media] == [("video", "1"), ("audio", "0")]
    assert description.group[0].items == ["1", "0"]


def test_a_data_channel_is_refused_and_leaves_the_bundle() -> None:
    text = answer(offers.with_data_channel(offers.publish_offer()))
    assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel" in text
    assert "a=group:BUNDLE 0\r\n" in text


def test_without_bundle_other_lines_are_refused() -> None:
    text = answer(offers.play_offer().replace("a=group:BUNDLE 0 1\r\n", ""), publishing=False)
    assert "a=group" not in text
    assert "m=video 0 " in text and "m=audio 7000 " in text


def test_a_line_the_client_refuses_itself_stays_refused() -> None:
    text = answer(offers.play_offer().replace("m=video 9", "m=video 0"), publishing=False)
    assert "m=video 0 " in text and "a=group:BUNDLE 0\r\n" in text


def test_forward_error_correction_is_asked_for_where_the_sdk_removed_it() -> None:
    assert "a=fmtp:111 minptime=10;useinbandfec=1;maxaveragebitrate=48000\r\n" in answer(
        offers.publish_offer("minptime=10;maxaveragebitrate=48000")
    )


@pytest.mark.parametrize("fmtp", ["", "minptime", "minptime=9999999999", "stereo=2;maxaveragebitrate=1", "x=y\x00;=;;=", "minptime=²"])
def test_odd_format_parameters_are_left_out(fmtp: str) -> None:
    assert "a=fmtp:111 minptime=10;useinbandfec=1\r\n" in answer(offers.publish_offer(fmtp))


def test_transport_attributes_may_stand_in_the_session_part() -> None:
    attributes = "a=ice-ufrag:y5++\r\na=ice-pwd:abcdefghijklmnopqrstuv0/\r\na=setup:actpass\r\n" + f"a=fingerprint:{offers.FINGERPRINT}\r\n"
    offer = offers.publish_offer()
    for line in attributes.split("\r\n")[:-1]:
        offer = offer.replace(line + "\r\n", "")
    with pytest.raises(SdpRefused):
        parse(offer)
    assert parse(offer.replace("t=0 0\r\n", "t=0 0\r\n" + attributes)).ice_ufrag == "y5++"


async def test_aiortc_offers_are_answered() -> None:
    assert "a=recvonly" in answer(await offers.aiortc_offer("sendonly"))
    assert "a=sendonly" in answer(await offers.aiortc_offer("recvonly"), publishing=False)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda sdp: "", "empty", id="empty"),
        pytest.param(lambda sdp: " \r\n", "empty", id="blank"),
        pytest.param(lambda sdp: sdp + "a=x:" + "y" * 70_000 + "\r\n", "longer than 65536 bytes", id="oversized"),
        pytest.param(lambda sdp: "hello", "not SDP", id="not sdp"),
        pytest.param(lambda sdp: sdp.partition("m=")[0], "no m-line", id="no m-line"),
        pytest.param(lambda sdp: sdp.replace("BUNDLE 0", "").replace("m=audio", "m=video"), "no audio", id="empty group"),
        pytest.param(lambda sdp: sdp.replace("m=audio", "m=video"), "no audio", id="no audio"),
        pytest.param(lambda sdp: sdp.replace("m=audio 9", "m=audio 0"), "no audio", id="audio refused by the client"),
        pytest.param(lambda sdp: sdp.replace("opus/", "speex/"), "opus", id="no opus"),
        pytest.param(
            lambda sdp: sdp.replace("a=rtpmap:111 opus/48000/2", "a=rtpmap:112 opus/48000/2"), "opus", id="opus not in the m-line"
        ),
        pytest.param(lambda sdp: sdp.replace("sendonly", "recvonly"), "to send", id="wrong direction"),
        pytest.param(lambda sdp: sdp.replace("a=rtcp-mux\r\n", ""), "rtcp-mux", id="no rtcp-mux"),
        pytest.param(lambda sdp: sdp.replace("a=ice-ufrag", "a=x"), "ICE", id="no ufrag"),
        pytest.param(lambda sdp: sdp.replace("a=ice-pwd", "a=x"), "ICE", id="no password"),
        pytest.param(lambda sdp: sdp.replace("a=ice-ufrag:y5++", "a=x").replace("a=ice-pwd", "a=x"), "no ICE", id="no credentials"),
        pytest.param(lambda sdp: sdp.replace("y5++", "y5"), "ICE", id="ufrag too short"),
        pytest.param(lambda sdp: sdp.replace("a=fingerprint", "a=x"), "no fingerprint", id="no fingerprint"),
        pytest.param(lambda sdp: sdp.replace("sha-256 00:01", "sha-256 00:0"), "fingerprint", id="fingerprint damaged"),
        pytest.param(lambda sdp: sdp.replace("sha-256", "md5"), "no fingerprint of sha-256", id="weak fingerprint only"),
        pytest.param(lambda sdp: sdp.replace("setup:actpass", "setup:passive"), "passive", id="wants to be the server"),
        pytest.param(lambda sdp: sdp.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "DTLS-SRTP", id="not encrypted"),
        pytest.param(lambda sdp: sdp.replace("a=mid:0", "a=mid:0 0"), "mid", id="mid with a space"),
        pytest.param(lambda sdp: sdp + sdp[sdp.index("m=") :], "same mid", id="mid twice"),
        pytest.param(lambda sdp: sdp + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 40, "more than 32", id="many lines"),
        pytest.param(lambda sdp: sdp + "m=\r\n", "m-line", id="empty m-line"),
        pytest.param(lambda sdp: sdp + "m=video 9 UDP/IP4 96\r\n", "RTP", id="video that is not RTP"),
        pytest.param(lambda sdp: sdp + "m=video 9 UDP/TLS/RTP/SAVPF IP4\r\n", "payload types", id="a format that is no payload type"),
        pytest.param(lambda sdp: sdp + "m=video 9 UDP/TLS/RTP/SAVPF 72\r\n", "payload types", id="a reserved payload type"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_reason(change, reason: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SdpRefused) as refused:
        parse(change(offers.publish_offer()))
    assert reason in refused.value.reason
    assert "abcdefghijklmnopqrstuv" not in refused.value.reason


_LINES = (offers.play_offer() + offers.publish_offer()).split("\r\n")


@settings(max_examples=400)
@given(
    st.lists(
        st.one_of(st.sampled_from(_LINES), st.text(max_size=60), st.builds("a={}:{}".format, st.text(max_size=12), st.text(max_size=30))),
        max_size=50,
    ),
    st.booleans(),
)
def test_no_mixture_of_lines_does_more_than_be_refused(lines: list[str], publishing: bool) -> None:
    answered("v=0\r\n" + "\r\n".join(lines), publishing)


@settings(max_examples=400)
@given(st.data(), st.booleans())
def test_no_damage_to_an_offer_does_more_than_get_it_refused(data: st.DataObject, publishing: bool) -> None:
    sdp = offers.publish_offer() if publishing else offers.play_offer()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(sdp)))
        end = data.draw(st.integers(start, min(len(sdp), start + 30)))
        sdp = sdp[:start] + data.draw(st.text(max_size=20)) + sdp[end:]
    answered(sdp, publishing)


def answered(sdp: str, publishing: bool) -> None:
    """Answers or refuses; an answer holds only lines that we write."""
    try:
        text = answer(sdp, publishing=publishing)
    except SdpRefused:
        return
    assert text.isascii()
    for line in text.split("\r\n")[:-1]:
        assert line[1] == "=" and line[0] in "vostcma" and line.isprintable()
    assert text.count("a=setup:passive") >= 1
    SessionDescription.parse(text)
