"""One stream in the plane: its continuous sequence and clock, whoever feeds it, and the players that get it.

Three numberings meet here:

* the publisher's own sequence numbers and timestamps, which start anew whenever it comes back;
* the stream's, which go on without a break over every publisher (``place`` maps the one to the other);
* each player's, which starts in the lower half of the sequence space and goes on without a break over every mute. It must start
  low: a player that missed the first packets of a sequence that wraps at once would guess another SRTP rollover counter
  (RFC 3711 §3.3.1) and never decrypt anything.
"""

from __future__ import annotations

from typing import Any

from media.plane import OPUS_TICKS_PER_MS, Address, Send, Tap
from media.rtp import SEQUENCE_MODULUS, TIMESTAMP_MODULUS
from media.srtp import REPLAY_WINDOW

REORDER_WINDOW = REPLAY_WINDOW
"""Packets. One that is later than this is taken for a restart of the source (RFC 3550 A.1 calls the idea MAX_MISORDER). Not less
than SRTP lets through: one straggler must not move the numbers and the clock of a source that goes on."""
RESTART_JUMP = 3_000
"""Packets. A jump ahead of this size is taken for a restart of the source (RFC 3550 A.1, MAX_DROPOUT)."""
NOWHERE: Address = ("", 0)
"""The address of a player that has not passed an ICE check yet."""


def send_nowhere(data: bytes | memoryview, address: Address) -> None:
    """The ``Send`` of a peer that has not passed an ICE check yet."""


DEFAULT_STEP = 20 * OPUS_TICKS_PER_MS
"""Timestamp units between two Opus packets of the usual 20 ms."""


class Player:
    """A player's end of a stream: everything the copying loop needs, flat."""

    __slots__ = (
        "_bytes_before",
        "_packets_before",
        "address",
        "attached",
        "failures",
        "first",
        "forwarding",
        "next_sequence",
        "offset",
        "payload_type",
        "send",
        "srtp",
        "ssrc",
        "stream",
    )

    def __init__(self, stream: Stream, payload_type: int, ssrc: int, first_sequence: int) -> None:
        self.stream = stream
        self.payload_type = payload_type
        self.ssrc = ssrc
        self.next_sequence = first_sequence
        """Where its own numbering goes on when copies begin or resume."""
        self.offset = 0
        """Its sequence number minus the stream's, while copies flow."""
        self.first = 0
        """The stream's number of the first packet since copies began or resumed; later-coming older ones are not for it."""
        self.forwarding = True
        """Copies are wanted."""
        self.attached = False
        """Copies flow: it is one of the stream's ``active`` players."""
        self.srtp: Any = None
        """libsrtp's context for packets to it; None before DTLS is done."""
        self.address: Address = NOWHERE
        self.send: Send = send_nowhere
        self.failures = 0
        """Copies that could not be protected or sent."""
        # Copies are not counted one by one: what the stream has sent since the player was attached is what the player got.
        self._packets_before = 0
        self._bytes_before = 0

    def begin(self, place: int) -> None:
        """Copies flow from the stream's packet ``place`` on."""
        self.first = place
        self.offset = self.next_sequence - place
        self.attached = True
        self._packets_before -= self.stream.packets
        self._bytes_before -= self.stream.bytes

    def pause(self) -> None:
        """Copies stop; ``begin`` goes on with the next sequence number."""
        self.next_sequence = self.stream.highest + 1 + self.offset
        self.attached = False
        self._packets_before += self.stream.packets
        self._bytes_before += self.stream.bytes

    def count_late(self, size: int) -> None:
        """Counts a copy of a packet that the stream does not count, because it came late."""
        self._packets_before += 1
        self._bytes_before += size

    def sent(self) -> tuple[int, int]:
        """Packets and payload bytes sent to the player."""
        if self.attached:
            return self._packets_before + self.stream.packets - self.failures, self._bytes_before + self.stream.bytes
        return self._packets_before - self.failures, self._bytes_before


class Stream:
    """See the module. ``active`` are the players that get copies, ``waiting`` those that get them from the next packet on."""

    __slots__ = (
        "_source_first",
        "_source_highest",
        "_source_ssrc",
        "_timestamp_offset",
        "active",
        "bytes",
        "highest",
        "last_arrival",
        "last_timestamp",
        "name",
        "packets",
        "publisher",
        "report_arrival",
        "report_timestamp",
        "subscribed",
        "taps",
        "waiting",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.publisher: int | None = None
        """The peer that feeds the stream, or the feed."""
        self.active: list[Player] = []
        self.waiting: list[Player] = []
        self.subscribed = 0
        """Players that belong to the stream, also those that are muted."""
        self.taps: dict[int, Tap] = {}
        self.packets = 0
        """Packets of the stream that were offered to the active players."""
        self.bytes = 0
        """Their payload bytes."""
        self.highest = 0
        """The stream's highest sequence number; counts on beyond 16 bits."""
        self.last_timestamp = 0
        """Timestamp of the packet ``highest``, in the stream's clock."""
        self.last_arrival: int | None = None
        """When ``highest`` came (epoch ms); None before the first packet."""
        self._source_ssrc: int | None = None
        self._source_highest = 0
        self._source_first = 0
        """The stream's number of the source's first packet."""
        self._timestamp_offset = 0
        self.report_timestamp: int | None = None
        """The stream's timestamp at ``report_arrival``, from the publisher's sender report; None before one came."""
        self.report_arrival = 0

    def source_changed(self) -> None:
        """The next packet comes from another publisher, or the same one anew."""
        self._source_ssrc = None
        self.report_timestamp = None

    def place(self, ssrc: int, sequence: int, timestamp: int, now: int) -> tuple[int, int, bool]:
        """Maps a packet of the source into the stream.

        Returns its sequence number and timestamp (0 … 2^32-1) in the stream and whether the source (re)started with it, in
        which case the marker belongs on it (RFC 3551 §4.1). A number below the old ``highest`` is a packet that comes late, that
        number itself one that is for nobody.
        """
        if ssrc == self._source_ssrc:
            step = (sequence - self._source_highest) & 0xFFFF
            if step < RESTART_JUMP:
                if step:
                    self._source_highest = sequence
                    self.highest += step
                    self.last_timestamp = (timestamp + self._timestamp_offset) % TIMESTAMP_MODULUS
                    self.last_arrival = now
                return self.highest, (timestamp + self._timestamp_offset) % TIMESTAMP_MODULUS, False
            late = SEQUENCE_MODULUS - step
            if late <= REORDER_WINDOW:
                place = self.highest - late
                if place < self._source_first:
                    # Overtaken by the source's first packet: its number is one that the source before has used.
                    place = self.highest
                return place, (timestamp + self._timestamp_offset) % TIMESTAMP_MODULUS, False
        self._restart(ssrc, sequence, timestamp, now)
        return self.highest, self.last_timestamp, True

    def _restart(self, ssrc: int, sequence: int, timestamp: int, now: int) -> None:
        """The new source goes on one number behind the old one, and as much later as time has passed."""
        self._source_ssrc = ssrc
        self._source_highest = sequence
        self.highest += 1
        self._source_first = self.highest
        if self.last_arrival is None:
            self.last_timestamp = timestamp
        else:
            passed = max(DEFAULT_STEP, (now - self.last_arrival) * OPUS_TICKS_PER_MS)
            self.last_timestamp = (self.last_timestamp + passed) % TIMESTAMP_MODULUS
        self.last_arrival = now
        self._timestamp_offset = self.last_timestamp - timestamp
        self.report_timestamp = None

    def sender_report(self, ssrc: int, timestamp: int, arrival: int) -> None:
        """Takes over the publisher's mapping of time: its RTP ``timestamp`` belongs to our time ``arrival`` (epoch ms)."""
        if ssrc == self._source_ssrc:
            self.report_timestamp = (timestamp + self._timestamp_offset) % TIMESTAMP_MODULUS
            self.report_arrival = arrival

    def timestamp_at(self, now: int) -> int | None:
        """The stream's timestamp at ``now``, for sender reports; None before the first packet.

        Follows the publisher's own sender reports, and until the first one the arrival of its packets.
        """
        if self.last_arrival is None:
            return None
        if self.report_timestamp is not None:
            return (self.report_timestamp + (now - self.report_arrival) * OPUS_TICKS_PER_MS) % TIMESTAMP_MODULUS
        return (self.last_timestamp + (now - self.last_arrival) * OPUS_TICKS_PER_MS) % TIMESTAMP_MODULUS


class Feed:
    """A publisher inside this process, with its own numbering."""

    __slots__ = ("sequence", "stream")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.sequence = 0
        """Of its next packet, 0 … 65535."""
