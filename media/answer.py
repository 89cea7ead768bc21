"""Writes the answer to an offer (RFC 8829 §5.3): ICE-lite, DTLS server, one direction of Opus, everything else declined.

m-lines keep their order and mids. An m-line that is bundled with the sound but carries none is answered ``inactive``, as the SDKs
are known to accept (protocol web-1x-2x.md §6); one that could not be answered on our port is refused with port 0.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from media.offer import AUDIO_LEVEL_URI, Offer, OfferedMedia, OpusFormat
from media.plane import SinkFormat, SourceFormat
from media.transport_cc import EXTENSION_URI as TRANSPORT_SEQUENCE_URI

_MAX_BITRATE = 510_000
"""bit/s, RFC 7587 §6.1."""


@dataclass(frozen=True)
class Transport:
    """How the client reaches this node."""

    ips: tuple[str, ...]
    """Announced addresses, best first; at least one."""
    port: int
    ice_ufrag: str
    ice_password: str = field(repr=False)
    fingerprint: str
    """SHA-256 of our certificate."""


@dataclass(frozen=True)
class Track:
    """What a player will receive."""

    ssrc: int
    cname: str
    stream: str
    """Id of the MediaStream; the same for every session that plays the same stream."""
    track: str


def write_answer(offer: Offer, transport: Transport, *, session_id: int, format: SourceFormat | SinkFormat, track: Track | None) -> str:
    """The answer's text. ``track`` is given for players and None for publishers. ``session_id`` goes into the origin line.

    ``format`` is what was made of the offer (``media.negotiation``): the answer promises what the plane does, no more and no less.
    """
    lines = ["v=0", f"o=- {session_id} 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=ice-lite"]
    bundled = [line.mid for index, line in enumerate(offer.media) if line.mid is not None and _answered(offer, index) and line.bundled]
    if bundled:
        lines.append("a=group:BUNDLE " + " ".join(bundled))
    lines.append("a=msid-semantic: WMS *")
    for index, line in enumerate(offer.media):
        if index == offer.audio:
            lines += _sound(line, offer.opus, transport, format, track)
        elif _answered(offer, index):
            lines += _inactive(line, transport)
        else:
            lines += _refused(line)
    return "\r\n".join(lines) + "\r\n"


def candidates(transport: Transport) -> list[str]:
    """The host candidates, without ``a=`` (RFC 8839 §5.1); type preference 126 and a falling local preference (RFC 8445 §5.1.2)."""
    return [
        f"candidate:{number} 1 udp {(126 << 24) | ((65535 - number) << 8) | 255} {ip} {transport.port} typ host"
        for number, ip in enumerate(transport.ips, start=1)
    ]


def _answered(offer: Offer, index: int) -> bool:
    """The m-line shares the sound's transport, so that an answer other than a refusal is possible."""
    line, sound = offer.media[index], offer.media[offer.audio]
    if index == offer.audio:
        return True
    return line.kind in ("audio", "video") and not line.refused and line.bundled and sound.bundled and bool(_declined_format(line))


def _sound(line: OfferedMedia, opus: OpusFormat, transport: Transport, format: SourceFormat | SinkFormat, track: Track | None) -> list[str]:
    number, red = format.payload_type, format.red_payload_type
    # In the client's order: it sends by the first.
    formats = [offered for offered in line.formats if offered in (str(number), str(red))]
    lines = [f"m=audio {transport.port} {line.protocol} {' '.join(formats)}", *_transport(transport)]
    if line.mid is not None:
        lines.append(f"a=mid:{line.mid}")
    if format.audio_level_id is not None:
        lines.append(f"a=extmap:{format.audio_level_id} {AUDIO_LEVEL_URI}")
    if isinstance(format, SourceFormat) and format.transport_sequence_id is not None:
        lines.append(f"a=extmap:{format.transport_sequence_id} {TRANSPORT_SEQUENCE_URI}")
    if track is None:
        lines.append("a=recvonly")
    else:
        lines += ["a=sendonly", f"a=msid:{track.stream} {track.track}"]
    lines.append("a=rtcp-mux")
    if line.reduced_size:
        lines.append("a=rtcp-rsize")
    lines.append(f"a=rtpmap:{number} opus/48000/2")
    if isinstance(format, SourceFormat) and format.transport_sequence_id is not None:
        lines.append(f"a=rtcp-fb:{number} transport-cc")
    if format.nack:
        lines.append(f"a=rtcp-fb:{number} nack")
    lines.append(f"a=fmtp:{number} {_parameters(opus)}")
    if red is not None:
        lines += [f"a=rtpmap:{red} red/48000/2", f"a=fmtp:{red} {number}/{number}"]
    if track is not None:
        lines += [f"a=ssrc:{track.ssrc} cname:{track.cname}", f"a=ssrc:{track.ssrc} msid:{track.stream} {track.track}"]
    lines += ["a=" + candidate for candidate in candidates(transport)]
    lines.append("a=end-of-candidates")
    return lines


def _parameters(opus: OpusFormat) -> str:
    """Format parameters: in-band FEC always, the rest as offered.

    A publisher encodes by what the answer says, so its own ``stereo`` and ``maxaveragebitrate`` come back to it; SDKs from 2.5.0
    rewrite the latter in the answer to the bitrate that the application chose.
    """
    offered = opus.parameters
    parts = [f"minptime={_number(offered.get('minptime'), 3, 120) or 10}", "useinbandfec=1"]
    if offered.get("stereo") in ("0", "1"):
        parts.append(f"stereo={offered['stereo']}")
    if offered.get("sprop-stereo") in ("0", "1"):
        parts.append(f"sprop-stereo={offered['sprop-stereo']}")
    bitrate = _number(offered.get("maxaveragebitrate"), 6_000, _MAX_BITRATE)
    if bitrate is not None:
        parts.append(f"maxaveragebitrate={bitrate}")
    if offered.get("usedtx") in ("0", "1"):
        parts.append(f"usedtx={offered['usedtx']}")
    return ";".join(parts)


def _number(text: str | None, least: int, most: int) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return int(text) if least <= int(text) <= most else None


def _inactive(line: OfferedMedia, transport: Transport) -> list[str]:
    number = _declined_format(line)
    lines = [
        f"m={line.kind} {transport.port} {line.protocol} {number}",
        *_transport(transport),
        f"a=mid:{line.mid}",
        "a=inactive",
        "a=rtcp-mux",
    ]
    if number in line.codecs:
        lines.append(f"a=rtpmap:{number} {line.codecs[number]}")
    return lines


def _declined_format(line: OfferedMedia) -> str | None:
    """A format to name on an inactive m-line: one that every client knows, or the first that it described."""
    known = [number for number, text in line.codecs.items() if text.upper().startswith(("VP8/", "H264/", "OPUS/"))]
    return next(iter(known or line.codecs), None)


def _refused(line: OfferedMedia) -> list[str]:
    lines = [f"m={line.kind} 0 {line.protocol} {' '.join(line.formats)}", "c=IN IP4 0.0.0.0"]
    if line.mid is not None:
        lines.append(f"a=mid:{line.mid}")
    lines.append("a=inactive")
    return lines


def _transport(transport: Transport) -> list[str]:
    first = transport.ips[0]
    return [
        f"c=IN IP{ipaddress.ip_address(first).version} {first}",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=ice-ufrag:{transport.ice_ufrag}",
        f"a=ice-pwd:{transport.ice_password}",
        f"a=fingerprint:sha-256 {transport.fingerprint}",
        "a=setup:passive",
    ]
