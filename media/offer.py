"""Reads a client's SDP offer (RFC 8866, RFC 8829) into the few facts that the answer and the plane need.

Offers come from the network, so this is a parser of its own and not aiortc's, which raises half a dozen kinds of errors: every
value is checked against the grammar of its attribute, and ``SdpRefused`` is the only exception. Nothing that was not checked can
get into an answer.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field

from media.dtls import FINGERPRINT_ALGORITHMS
from media.errors import SdpRefused
from media.transport_cc import EXTENSION_URI as TRANSPORT_SEQUENCE_URI

AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
"""RFC 6464."""

MAX_MEDIA = 32
"""m-lines of one offer; clients send one or two."""
MAX_FORMATS = 128

_TOKEN = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,64}")
"""``token`` of RFC 8866 §9, bounded."""
_ICE_UFRAG = re.compile(r"[0-9A-Za-z+/]{4,256}")
_ICE_PASSWORD = re.compile(r"[0-9A-Za-z+/]{22,256}")
_MEDIA_LINE = re.compile(
    r"(audio|video|text|application|message|image) ([0-9]{1,5})(?:/[0-9]{1,5})? ([A-Za-z0-9/]{1,64}) ([^\r\n]{1,1024})"
)
_RTP = re.compile(r"(?:[A-Z]{1,8}/){0,4}RTP/[A-Z]{1,8}")
"""Protocols whose formats are payload types (RFC 8866 §5.14)."""
_PAYLOAD_TYPE = re.compile(r"[0-9]{1,3}")
_RESERVED_TYPES = range(72, 77)
"""RFC 3551 §6: with the marker they would be RTCP."""
_RTPMAP = re.compile(r"([0-9]{1,3}) ([!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,64})/([0-9]{1,9})(?:/([0-9]{1,3}))?")
_FINGERPRINT = re.compile(r"([A-Za-z0-9-]{1,16}) ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){15,63})")
_EXTMAP = re.compile(r"([0-9]{1,5})(?:/[a-z]{1,8})? ([!-~]{1,256})(?: .*)?")
_PARAMETER = re.compile(r"\s*([0-9A-Za-z_-]{1,32})=([0-9A-Za-z_.-]{1,32})\s*")


class Direction(enum.StrEnum):
    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"


@dataclass(frozen=True)
class OpusFormat:
    """Opus as one m-line offers it."""

    payload_type: int
    parameters: dict[str, str] = field(default_factory=dict)
    """Format parameters (RFC 7587 §6.1)."""
    red_payload_type: int | None = None
    """Redundant audio data (RFC 2198) whose blocks are all of this Opus; None = not offered."""
    feedback: frozenset[str] = frozenset()
    """Kinds of feedback that it is to get (RFC 4585 §4.2), such as ``nack`` and ``transport-cc``."""


@dataclass(frozen=True)
class OfferedMedia:
    """One m-line."""

    kind: str
    protocol: str
    formats: tuple[str, ...]
    mid: str | None
    direction: Direction
    refused: bool
    """Port 0 without ``bundle-only``: the client itself does not want it."""
    bundled: bool
    rtcp_mux: bool
    opus: OpusFormat | None
    codecs: dict[str, str]
    """Payload type to the text of its rtpmap, as offered."""
    audio_level_id: int | None
    transport_sequence_id: int | None
    reduced_size: bool
    """RTCP of reduced size (RFC 5506)."""


@dataclass(frozen=True)
class Offer:
    """What the client offers."""

    media: tuple[OfferedMedia, ...]
    audio: int
    """Index of the m-line that carries the sound."""
    opus: OpusFormat
    ice_ufrag: str
    ice_password: str = field(repr=False)
    fingerprints: tuple[tuple[str, str], ...]
    """Algorithm and value; at least one, all of algorithms that we check."""


@dataclass
class _Section:
    """The attribute lines of the session or of one m-line, by name."""

    media: re.Match[str] | None
    attributes: dict[str, list[str]]

    def first(self, name: str) -> str | None:
        values = self.attributes.get(name)
        return values[0] if values else None


def parse_offer(sdp: str, *, publishing: bool, max_bytes: int) -> Offer:
    """Parses an offer for one stream in one direction.

    ``publishing`` says whether the client is to send (publisher) or to receive (player). Raises ``SdpRefused``.
    """
    if not sdp.strip():
        raise SdpRefused("the offer is empty")
    if len(sdp) > max_bytes or len(sdp.encode("utf-8", "replace")) > max_bytes:
        raise SdpRefused(f"the offer is longer than {max_bytes} bytes")
    session, sections = _sections(sdp)
    bundle = _bundle(session)
    media = tuple(_media(section, session, bundle) for section in sections)
    mids = [line.mid for line in media if line.mid is not None]
    if len(mids) != len(set(mids)):
        raise SdpRefused("two m-lines have the same mid")

    index = _audio_index(media, publishing)
    chosen = media[index]
    if chosen.opus is None:
        raise SdpRefused("the audio m-line does not offer opus")
    if not chosen.rtcp_mux:
        raise SdpRefused("the audio m-line does not offer rtcp-mux")
    # With BUNDLE the transport is that of the first bundled m-line (RFC 9143 §7.2); browsers repeat it in each.
    bundled = [section for section, line in zip(sections, media, strict=True) if line.bundled and chosen.bundled]
    transport = [sections[index], *bundled, session]
    ufrag, password = _ice(transport)
    return Offer(
        media=media,
        audio=index,
        opus=chosen.opus,
        ice_ufrag=ufrag,
        ice_password=password,
        fingerprints=_fingerprints(transport),
    )


def _sections(sdp: str) -> tuple[_Section, list[_Section]]:
    lines = sdp.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines[0].startswith("v=0"):
        raise SdpRefused("the offer is not SDP")
    session = current = _Section(None, {})
    sections: list[_Section] = []
    for line in lines:
        if line.startswith("m="):
            match = _MEDIA_LINE.fullmatch(line[2:].rstrip())
            if match is None:
                raise SdpRefused("an m-line is malformed")
            if len(sections) == MAX_MEDIA:
                raise SdpRefused(f"the offer has more than {MAX_MEDIA} m-lines")
            current = _Section(match, {})
            sections.append(current)
        elif line.startswith("a="):
            name, _, value = line[2:].rstrip().partition(":")
            current.attributes.setdefault(name, []).append(value)
    if not sections:
        raise SdpRefused("the offer has no m-line")
    return session, sections


def _bundle(session: _Section) -> frozenset[str]:
    """The mids of the (first) BUNDLE group (RFC 9143)."""
    for value in session.attributes.get("group", []):
        words = value.split()
        if words[:1] == ["BUNDLE"]:
            return frozenset(words[1:])
    return frozenset()


def _media(section: _Section, session: _Section, bundle: frozenset[str]) -> OfferedMedia:
    assert section.media is not None
    kind, port, protocol, listed = section.media.groups()
    formats = tuple(listed.split())
    if len(formats) > MAX_FORMATS or not all(_TOKEN.fullmatch(one) for one in formats) or not formats:
        raise SdpRefused("an m-line lists malformed formats")
    if kind in ("audio", "video") and not (_RTP.fullmatch(protocol) and all(_is_payload_type(one) for one in formats)):
        # The answer repeats them, and a client fails on an answer that is no SDP without saying why.
        raise SdpRefused("an m-line for sound or video is not RTP with payload types")
    mid = section.first("mid")
    if mid is not None and not _TOKEN.fullmatch(mid):
        raise SdpRefused("a mid is malformed")
    codecs = _codecs(section, formats)
    return OfferedMedia(
        kind=kind,
        protocol=protocol,
        formats=formats,
        mid=mid,
        direction=_direction(section, session),
        refused=int(port) == 0 and "bundle-only" not in section.attributes,
        bundled=mid is not None and mid in bundle,
        rtcp_mux="rtcp-mux" in section.attributes,
        opus=_opus(section, codecs) if kind == "audio" else None,
        codecs=codecs,
        audio_level_id=_extension(section, AUDIO_LEVEL_URI),
        transport_sequence_id=_extension(section, TRANSPORT_SEQUENCE_URI),
        reduced_size="rtcp-rsize" in section.attributes,
    )


def _is_payload_type(text: str) -> bool:
    return _PAYLOAD_TYPE.fullmatch(text) is not None and int(text) < 128 and int(text) not in _RESERVED_TYPES


def _direction(section: _Section, session: _Section) -> Direction:
    for level in (section, session):
        for direction in Direction:
            if direction.value in level.attributes:
                return direction
    return Direction.SENDRECV


def _codecs(section: _Section, formats: tuple[str, ...]) -> dict[str, str]:
    codecs: dict[str, str] = {}
    for value in section.attributes.get("rtpmap", []):
        match = _RTPMAP.fullmatch(value)
        if match is not None and match[1] in formats and int(match[1]) < 128:
            codecs.setdefault(match[1], value.partition(" ")[2])
    return codecs


def _opus(section: _Section, codecs: dict[str, str]) -> OpusFormat | None:
    payload_type = _first_of(codecs, "opus/48000/2")
    if payload_type is None:
        return None
    parameters: dict[str, str] = {}
    for text in _about(section, "fmtp", payload_type):
        for part in text.split(";"):
            match = _PARAMETER.fullmatch(part)
            if match is not None:
                parameters.setdefault(match[1].lower(), match[2])
    feedback = frozenset([*_about(section, "rtcp-fb", payload_type), *_about(section, "rtcp-fb", "*")])
    return OpusFormat(int(payload_type), parameters, _red(section, codecs, payload_type), feedback)


def _red(section: _Section, codecs: dict[str, str], opus: str) -> int | None:
    red = _first_of(codecs, "red/48000/2")
    # RFC 2198 §5: the payload types of the blocks. Without them a receiver could not tell what is in it.
    if red is None or not any(set(blocks.split("/")) == {opus} for blocks in _about(section, "fmtp", red)):
        return None
    return int(red)


def _first_of(codecs: dict[str, str], encoding: str) -> str | None:
    return next((payload_type for payload_type, text in codecs.items() if text.lower() == encoding), None)


def _about(section: _Section, attribute: str, payload_type: str) -> list[str]:
    """What the attributes of that name say about a payload type."""
    values = (value.partition(" ") for value in section.attributes.get(attribute, []))
    return [text for described, _, text in values if described == payload_type]


def _extension(section: _Section, uri: str) -> int | None:
    for value in section.attributes.get("extmap", []):
        match = _EXTMAP.fullmatch(value)
        if match is not None and match[2] == uri and 1 <= int(match[1]) <= 255 and int(match[1]) != 15:
            return int(match[1])
    return None


def _audio_index(media: tuple[OfferedMedia, ...], publishing: bool) -> int:
    """The first m-line that can carry the stream's sound in the wanted direction."""
    wanted = (Direction.SENDRECV, Direction.SENDONLY if publishing else Direction.RECVONLY)
    audio = [index for index, line in enumerate(media) if line.kind == "audio" and not line.refused]
    if not audio:
        raise SdpRefused("the offer has no audio m-line")
    usable = [index for index in audio if media[index].direction in wanted]
    if not usable:
        raise SdpRefused("the audio m-line does not offer to send" if publishing else "the audio m-line does not offer to receive")
    index = next((index for index in usable if media[index].opus is not None), usable[0])
    if media[index].protocol not in ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF"):
        raise SdpRefused("the audio m-line is not DTLS-SRTP over UDP")
    return index


def _ice(transport: list[_Section]) -> tuple[str, str]:
    for section in transport:
        ufrag, password = section.first("ice-ufrag"), section.first("ice-pwd")
        if ufrag is None and password is None:
            continue
        if ufrag is None or password is None or not _ICE_UFRAG.fullmatch(ufrag) or not _ICE_PASSWORD.fullmatch(password):
            raise SdpRefused("the ICE credentials are malformed")
        return ufrag, password
    raise SdpRefused("the offer has no ICE credentials")


def _fingerprints(transport: list[_Section]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for section in transport:
        setup = section.first("setup")
        if setup == "passive":
            raise SdpRefused("the offer wants to be the DTLS server (setup:passive), which this node is")
        for value in section.attributes.get("fingerprint", []):
            match = _FINGERPRINT.fullmatch(value)
            if match is None:
                raise SdpRefused("a fingerprint is malformed")
            if match[1].lower() in FINGERPRINT_ALGORITHMS:
                found.append((match[1].lower(), match[2].upper()))
        if found:
            return tuple(found[:8])
    raise SdpRefused("the offer has no fingerprint of " + ", ".join(FINGERPRINT_ALGORITHMS))
