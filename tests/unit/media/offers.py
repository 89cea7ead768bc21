"""Offers as clients send them."""

from __future__ import annotations

import asyncio

from aiortc import RTCPeerConnection

FINGERPRINT = "sha-256 " + ":".join(f"{byte:02X}" for byte in range(32))

_TRANSPORT = (
    "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:y5++\r\na=ice-pwd:abcdefghijklmnopqrstuv0/\r\n"
    f"a=ice-options:trickle\r\na=fingerprint:{FINGERPRINT}\r\na=setup:actpass\r\n"
)

_AUDIO = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\n" + _TRANSPORT + "a=mid:0\r\n"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
    "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a={direction}\r\na=msid:stream track\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
    "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 {fmtp}\r\n"
    "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n"
    "a=ssrc:1234 cname:abc\r\na=ssrc:1234 msid:stream track\r\n"
)

_VIDEO = (
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97 103\r\n" + _TRANSPORT + "a=mid:1\r\na=recvonly\r\na=rtcp-mux\r\n"
    "a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:103 H264/90000\r\n"
)

PUBLISH_FMTP = "minptime=10;maxaveragebitrate=48000;stereo=0;useinbandfec=1"


def _session(mids: str) -> str:
    group = f"a=group:BUNDLE {mids}\r\n" if mids else ""
    head = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    return f"{head}{group}a=extmap-allow-mixed\r\na=msid-semantic: WMS stream\r\n"


def publish_offer(fmtp: str = PUBLISH_FMTP) -> str:
    """A Chromium publisher behind web SDK 2.26 (protocol web-1x-2x.md §6)."""
    return _session("0") + _AUDIO.format(direction="sendonly", fmtp=fmtp)


def publish_offer_with_video() -> str:
    """A publisher with a camera."""
    return _session("0 1") + _AUDIO.format(direction="sendonly", fmtp=PUBLISH_FMTP) + _VIDEO.replace("recvonly", "sendonly")


def play_offer() -> str:
    """A Chromium player: sound and video, both to receive."""
    return _session("0 1") + _AUDIO.format(direction="recvonly", fmtp="minptime=10;stereo=1;useinbandfec=1") + _VIDEO


def play_offer_video_first() -> str:
    return _session("1 0") + _VIDEO + _AUDIO.format(direction="recvonly", fmtp="minptime=10;useinbandfec=1")


def with_data_channel(offer: str) -> str:
    return offer.replace("a=group:BUNDLE 0", "a=group:BUNDLE 0 d") + (
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + _TRANSPORT + "a=mid:d\r\na=sctp-port:5000\r\n"
    )


async def aiortc_offer(direction: str) -> str:
    connection = RTCPeerConnection()
    connection.addTransceiver("audio", direction=direction)
    await connection.setLocalDescription(await connection.createOffer())
    text: str = connection.localDescription.sdp
    await connection.close()
    await asyncio.sleep(0)
    return text
