"""What the plane knows of a peer as the source of a stream: its packets' counters, clocks, level, and what to tell it in feedback."""

from __future__ import annotations

from media import rtcp, rtp
from media.missing import MissingPackets
from media.plane import SourceFormat
from media.reception import Reception
from media.stream import Stream
from media.transport_cc import ArrivalLog

CLOCK_STEP_MS = 5_000
"""A publisher whose clock moves by more than this against ours has set it; the estimate starts anew."""


class Publisher:
    """See the module."""

    __slots__ = (
        "_clock_offset",
        "arrivals",
        "audio_level",
        "bytes_in",
        "format",
        "last_packet",
        "missing",
        "nacked",
        "number",
        "packets_in",
        "players_lost",
        "reception",
        "recovered",
        "red",
        "reported_at",
        "stream",
    )

    def __init__(self, number: int, stream: Stream, format: SourceFormat) -> None:
        self.number = number
        self.stream = stream
        self.format = format
        self.reception: Reception | None = None
        """Counters of the SSRC that sends now."""
        self.missing: MissingPackets | None = None
        """Of the same SSRC; None where lost packets cannot be asked for."""
        self.arrivals = ArrivalLog() if format.transport_sequence_id is not None else None
        self.packets_in = 0
        self.bytes_in = 0
        self.audio_level: int | None = None
        """Last level byte of RFC 6464, the voice bit included."""
        self.last_packet: int | None = None
        """When the last packet with sound came (epoch ms)."""
        self.red = False
        """That packet was RED."""
        self.players_lost = 0
        """Loss of its players as it was told last (256ths)."""
        self.reported_at = 0
        """When it was told last (epoch ms)."""
        self.nacked = 0
        """Packets asked for again."""
        self.recovered = 0
        """Those that came, of SSRCs before this one."""
        self._clock_offset: int | None = None

    @property
    def feeding(self) -> bool:
        """It is the one that the stream is fed by; an older publisher of the same stream is not."""
        return self.stream.publisher == self.number

    def read_extensions(self, packet: memoryview, extension: int, payload_start: int, now: int) -> int | None:
        """Takes over what the header extension at ``extension`` tells. Returns its level byte (RFC 6464); None = it has none."""
        level: int | None = None
        for identifier, offset, size in rtp.extension_elements(packet, extension, payload_start):
            if identifier == self.format.audio_level_id and size:
                level = self.audio_level = packet[offset]
            elif identifier == self.format.transport_sequence_id and size >= 2 and self.arrivals is not None:
                self.arrivals.arrived(packet[offset] << 8 | packet[offset + 1], now)
        return level

    def received(self, ssrc: int, sequence: int, timestamp: int, size: int, now: int) -> list[int]:
        """Counts a packet with ``size`` bytes of payload. Returns the sequence numbers that are to be asked for."""
        self.packets_in += 1
        self.bytes_in += size
        if self.reception is None or self.reception.ssrc != ssrc or self.reception.restarts_with(sequence):
            self.source_left()
            self.reception = Reception(ssrc, sequence)
            self.missing = MissingPackets((sequence - 1) & 0xFFFF) if self.format.nack else None
        self.reception.arrived(sequence, timestamp, now)
        if self.missing is None:
            return []
        wanted = self.missing.arrived(sequence, now)
        self.nacked += len(wanted)
        return wanted

    def wanted_again(self, now: int) -> list[int]:
        """The sequence numbers to ask for once more."""
        return [] if self.missing is None else self.missing.due(now)

    def source_left(self) -> None:
        """Its SSRC said goodbye or was replaced by another one; the peer itself may go on."""
        if self.missing is not None:
            self.recovered += self.missing.recovered
        self.reception = self.missing = None

    @property
    def all_recovered(self) -> int:
        """Packets that came after they had been asked for."""
        return self.recovered + (self.missing.recovered if self.missing is not None else 0)

    def sender_reported(self, info: rtcp.SenderInfo, now: int) -> None:
        """The publisher told its clocks: keep them for its receiver report, and map them for the players' sender reports."""
        if self.reception is None or self.reception.ssrc != info.ssrc:
            return
        self.reception.sender_report(info.ntp, now)
        told = rtcp.ms_from_ntp(info.ntp)
        offset = now - told
        # The quickest report so far is nearest to the truth; a millisecond per report follows clocks that drift apart.
        if self._clock_offset is None or offset < self._clock_offset or offset - self._clock_offset > CLOCK_STEP_MS:
            self._clock_offset = offset
        else:
            self._clock_offset = min(offset, self._clock_offset + 1)
        if self.feeding:
            self.stream.sender_report(info.ssrc, info.timestamp, told + self._clock_offset)
