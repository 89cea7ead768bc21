"""RTCP as far as a forwarding node needs it: reports and goodbyes (RFC 3550 §6), lost packets asked for again (RFC 4585 §6.2.1).

Whatever else clients send (pictures asked for, bandwidth limits, extended reports) has no meaning for sound and is skipped.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
GOODBYE = 203
TRANSPORT_FEEDBACK = 205
"""RFC 4585 §6.1. The count of such a packet is its kind."""
GENERIC_NACK = 1
TRANSPORT_WIDE = 15
"""draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1."""

PADDING = 0x20

_CNAME = 1

_HEADER = struct.Struct("!BBH")
_SENDER_INFO = struct.Struct("!QIII")
_REPORT = struct.Struct("!IB3sIIII")

NTP_EPOCH_OFFSET = 2_208_988_800
"""Seconds between 1900 (NTP) and 1970 (Unix)."""

MAX_NACKS = 64
"""Packets that one compound packet can ask for; the rest is not read."""

_LOST_MIN, _LOST_MAX = -(1 << 23), (1 << 23) - 1


class RtcpMalformed(ValueError):
    """The datagram is not a compound RTCP packet."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one source (RFC 3550 §6.4.1)."""

    ssrc: int
    fraction_lost: int
    """256ths, since the report before."""
    lost: int
    """Since the start; may be negative when packets were duplicated."""
    highest_sequence: int
    """Sequence number extended by the cycles in the upper 16 bits."""
    jitter: int
    """Timestamp units (48 kHz)."""
    last_sender_report: int
    """Middle 32 bits of the NTP time of the last sender report, 0 = none yet."""
    delay_since: int
    """1/65536 s from that report to this one."""

    def __bytes__(self) -> bytes:
        lost = max(_LOST_MIN, min(_LOST_MAX, self.lost)) & 0xFFFFFF
        return _REPORT.pack(
            self.ssrc,
            self.fraction_lost,
            lost.to_bytes(3, "big"),
            self.highest_sequence & 0xFFFFFFFF,
            min(self.jitter, 0xFFFFFFFF),
            self.last_sender_report,
            self.delay_since & 0xFFFFFFFF,
        )


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """The clocks and counters of a sender (RFC 3550 §6.4.1)."""

    ssrc: int
    ntp: int
    """64-bit NTP time."""
    timestamp: int
    """RTP timestamp of the same instant."""
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Compound:
    """What matters in one compound packet."""

    sender: SenderInfo | None
    reports: tuple[ReportBlock, ...]
    goodbye: tuple[int, ...]
    """Sources that leave."""
    nacks: tuple[tuple[int, int], ...] = ()
    """Source and sequence number of packets that are asked for again, at most ``MAX_NACKS``."""


def parse(data: bytes | memoryview) -> Compound:
    """Reads a compound packet (also a reduced-size one, RFC 5506); unknown packet types are skipped. Raises ``RtcpMalformed``."""
    sender: SenderInfo | None = None
    reports: list[ReportBlock] = []
    goodbye: list[int] = []
    nacks: list[tuple[int, int]] = []
    position = 0
    if not data:
        raise RtcpMalformed("empty")
    while position < len(data):
        if len(data) - position < 4:
            raise RtcpMalformed("truncated header")
        flags, kind, words = _HEADER.unpack_from(data, position)
        end = position + 4 + 4 * words
        if flags >> 6 != 2 or end > len(data):
            raise RtcpMalformed("wrong version or length")
        count = flags & 0x1F
        body = position + 4
        if kind in (SENDER_REPORT, RECEIVER_REPORT):
            blocks = body + (24 if kind == SENDER_REPORT else 4)
            if blocks + 24 * count > end:
                raise RtcpMalformed("truncated report")
            if kind == SENDER_REPORT:
                (ssrc,) = struct.unpack_from("!I", data, body)
                sender = SenderInfo(ssrc, *_SENDER_INFO.unpack_from(data, body + 4))
            reports.extend(_report(data, blocks + 24 * index) for index in range(count))
        elif kind == GOODBYE:
            if body + 4 * count > end:
                raise RtcpMalformed("truncated goodbye")
            goodbye.extend(struct.unpack_from(f"!{count}I", data, body))
        elif kind == TRANSPORT_FEEDBACK and count == GENERIC_NACK:
            if body + 8 > end:
                raise RtcpMalformed("truncated feedback")
            nacks += _nacked(data, body, end - data[end - 1] if flags & PADDING else end)
        position = end
    return Compound(sender, tuple(reports), tuple(goodbye), tuple(nacks[:MAX_NACKS]))


def sender_report(info: SenderInfo, cname: str) -> bytes:
    """A sender report without report blocks, with the CNAME that a compound packet must carry (RFC 3550 §6.1)."""
    body = struct.pack("!I", info.ssrc) + _SENDER_INFO.pack(
        info.ntp, info.timestamp & 0xFFFFFFFF, info.packets & 0xFFFFFFFF, info.octets & 0xFFFFFFFF
    )
    return _packet(SENDER_REPORT, 0, body) + source_description(info.ssrc, cname)


def receiver_report(ssrc: int, reports: tuple[ReportBlock, ...], cname: str) -> bytes:
    """A receiver report with the CNAME."""
    body = struct.pack("!I", ssrc) + b"".join(bytes(report) for report in reports)
    return _packet(RECEIVER_REPORT, len(reports), body) + source_description(ssrc, cname)


def goodbye(ssrc: int, cname: str) -> bytes:
    """An empty receiver report, the CNAME and BYE: a compound packet must start with a report."""
    return receiver_report(ssrc, (), cname) + _packet(GOODBYE, 1, struct.pack("!I", ssrc))


def source_description(ssrc: int, cname: str) -> bytes:
    """SDES with one CNAME."""
    name = cname.encode()[:255]
    chunk = struct.pack("!IBB", ssrc, _CNAME, len(name)) + name
    # At least one zero byte ends the items; the chunk is a multiple of four (RFC 3550 §6.5).
    return _packet(SOURCE_DESCRIPTION, 1, chunk + bytes(4 - len(chunk) % 4))


def generic_nack(sender: int, source: int, sequences: list[int]) -> bytes:
    """Asks for packets again. ``sequences`` in rising order (modulo 2^16); each entry names one packet and which of the next 16."""
    entries = bytearray()
    position = 0
    while position < len(sequences):
        first, following = sequences[position], 0
        position += 1
        while position < len(sequences) and 0 < (behind := (sequences[position] - first) & 0xFFFF) <= 16:
            following |= 1 << (behind - 1)
            position += 1
        entries += struct.pack("!HH", first, following)
    return transport_feedback(GENERIC_NACK, sender, source, bytes(entries))


def transport_feedback(kind: int, sender: int, source: int, body: bytes) -> bytes:
    """Feedback of a receiver (RFC 4585 §6.1) of the SSRC ``sender`` on ``source``, padded to whole words (RFC 3550 §6.4.1)."""
    missing = -len(body) % 4
    padding = bytes(missing - 1) + bytes((missing,)) if missing else b""
    return _packet(TRANSPORT_FEEDBACK, kind | (PADDING if missing else 0), struct.pack("!II", sender, source) + body + padding)


def ntp_from_ms(epoch_ms: int) -> int:
    """64-bit NTP time of an epoch time in milliseconds."""
    return ((epoch_ms + NTP_EPOCH_OFFSET * 1000) << 32) // 1000


def ms_from_ntp(ntp: int) -> int:
    """Epoch milliseconds of a 64-bit NTP time. Senders may count from anything; only differences are used."""
    return (ntp * 1000 >> 32) - NTP_EPOCH_OFFSET * 1000


def middle(ntp: int) -> int:
    """The middle 32 bits, which report blocks carry: seconds in units of 1/65536."""
    return (ntp >> 16) & 0xFFFFFFFF


def _report(data: bytes | memoryview, position: int) -> ReportBlock:
    ssrc, fraction, lost, highest, jitter, last, delay = _REPORT.unpack_from(data, position)
    return ReportBlock(ssrc, fraction, int.from_bytes(lost, "big", signed=True), highest, jitter, last, delay)


def _nacked(data: bytes | memoryview, body: int, end: int) -> list[tuple[int, int]]:
    (source,) = struct.unpack_from("!I", data, body + 4)
    found: list[tuple[int, int]] = []
    for position in range(body + 8, end - 3, 4):
        first, following = struct.unpack_from("!HH", data, position)
        found.append((source, first))
        found += [(source, (first + 1 + bit) & 0xFFFF) for bit in range(16) if following >> bit & 1]
        if len(found) >= MAX_NACKS:
            break
    return found


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body
