"""A player's end of a stream: everything the copying loop needs, flat, and what the player tells of its reception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from media import rtcp
from media.packet_rate import PacketRate
from media.plane import Address, Send, SinkFormat

if TYPE_CHECKING:
    from media.stream import Stream

NOWHERE: Address = ("", 0)
"""The address of a player that has not passed an ICE check yet."""
MAX_RTT_MS = 60_000
RETRANSMISSIONS_PER_SECOND = 100
"""Packets that one player may have sent again: twice the usual rate of a stream. A player that asks for more has no use for them."""


def send_nowhere(data: bytes | memoryview, address: Address) -> None:
    """The ``Send`` of a peer that has not passed an ICE check yet."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a player's packets look like but for sequence number and SSRC. Packets are written once for all players of a shape.

    People in a room use a handful of browsers, so a stream has as many shapes, however many players it has.
    """

    payload_type: int
    """Opus."""
    red_payload_type: int | None
    audio_level_id: int | None


class Group:
    """The players of one stream and one shape that get copies now."""

    __slots__ = ("bytes", "players")

    def __init__(self) -> None:
        self.players: list[Player] = []
        self.bytes = 0
        """Payload bytes that were offered to each of them."""


class Player:
    """See the module."""

    __slots__ = (
        "_bytes_before",
        "_packets_before",
        "address",
        "attached",
        "cname",
        "failures",
        "first",
        "forwarding",
        "group",
        "nack",
        "nacked",
        "next_sequence",
        "offset",
        "reported",
        "retransmission",
        "retransmitted",
        "rtt_ms",
        "send",
        "shape",
        "srtp",
        "ssrc",
        "stream",
    )

    def __init__(self, stream: Stream, sink: SinkFormat, first_sequence: int) -> None:
        self.stream = stream
        self.shape = Shape(sink.payload_type, sink.red_payload_type, sink.audio_level_id)
        self.ssrc = sink.ssrc
        self.cname = sink.cname
        self.nack = sink.nack
        """Lost packets may be asked for again."""
        self.next_sequence = first_sequence
        """Where its own numbering goes on when copies begin or resume."""
        self.offset = 0
        """Its sequence number minus the stream's, while copies flow."""
        self.first = 0
        """The stream's number of the first packet since copies began or resumed; later-coming older ones are not for it."""
        self.forwarding = True
        """Copies are wanted."""
        self.attached = False
        """Copies flow: it is in ``group``, one of the stream's groups."""
        self.group = Group()
        self.srtp: Any = None
        """libsrtp's context for packets to it; None before DTLS is done."""
        self.address: Address = NOWHERE
        self.send: Send = send_nowhere
        self.failures = 0
        """Copies that could not be protected or sent."""
        # Copies are not counted one by one: what the stream has sent since the player was attached is what the player got.
        self._packets_before = 0
        self._bytes_before = 0
        self.reported: rtcp.ReportBlock | None = None
        """Its last receiver report on our packets."""
        self.rtt_ms: float | None = None
        self.nacked = 0
        """Packets that it asked for again."""
        self.retransmitted = 0
        self.retransmission = PacketRate(RETRANSMISSIONS_PER_SECOND, burst_ms=1_000)

    @property
    def reachable(self) -> bool:
        """ICE and DTLS are up."""
        return self.srtp is not None and self.address is not NOWHERE

    def begin(self, place: int, group: Group) -> None:
        """Copies flow from the stream's packet ``place`` on."""
        self.first = place
        self.offset = self.next_sequence - place
        self.attached = True
        self.group = group
        group.players.append(self)
        self._packets_before -= self.stream.packets
        self._bytes_before -= group.bytes

    def pause(self) -> None:
        """Copies stop; ``begin`` goes on with the next sequence number."""
        self.group.players.remove(self)
        self.next_sequence = self.stream.highest + 1 + self.offset
        self.attached = False
        self._packets_before += self.stream.packets
        self._bytes_before += self.group.bytes

    def place_of(self, sequence: int) -> int | None:
        """The stream's number of the packet that went to this player as ``sequence``; None if copies have begun after it."""
        highest = self.stream.highest
        place = highest - ((highest + self.offset - sequence) & 0xFFFF)
        return place if self.attached and place >= self.first else None

    def count(self, size: int) -> None:
        """Counts a copy that the stream does not count: its first one, one that came late, one that was asked for again."""
        self._packets_before += 1
        self._bytes_before += size

    def sent(self) -> tuple[int, int]:
        """Packets and payload bytes sent to the player."""
        if self.attached:
            return self._packets_before + self.stream.packets - self.failures, self._bytes_before + self.group.bytes
        return self._packets_before - self.failures, self._bytes_before

    def receiver_reported(self, report: rtcp.ReportBlock, now: int) -> None:
        """The player told how our packets arrive."""
        if report.ssrc != self.ssrc:
            return
        self.reported = report
        if self.attached:
            self.stream.player_loss.reported(self, report.fraction_lost, now)
        if report.last_sender_report:
            passed = (rtcp.middle(rtcp.ntp_from_ms(now)) - report.last_sender_report - report.delay_since) & 0xFFFFFFFF
            # Rounding may make a very short way negative.
            rtt_ms = 0.0 if passed >= 1 << 31 else passed * 1000 / 65536
            if rtt_ms <= MAX_RTT_MS:
                self.rtt_ms = rtt_ms
