"""What a receiver counts of one RTP source: loss and jitter (RFC 3550 §6.4.1, A.1, A.3, A.8)."""

from __future__ import annotations

from media import rtcp
from media.plane import OPUS_TICKS_PER_MS
from media.rtp import SEQUENCE_MODULUS
from media.stream import REORDER_WINDOW, RESTART_JUMP

_TIMESTAMP_HALF = 1 << 31


class Reception:
    """Counters of one source (one SSRC). A new source gets a new object."""

    __slots__ = (
        "_base",
        "_expected_before",
        "_highest",
        "_last_transit",
        "_received_before",
        "_sr_arrival",
        "_sr_middle",
        "fraction_lost",
        "jitter",
        "received",
        "ssrc",
    )

    def __init__(self, ssrc: int, sequence: int) -> None:
        self.ssrc = ssrc
        self.received = 0
        self.jitter = 0.0
        """Timestamp units."""
        self.fraction_lost = 0.0
        """Share lost in the interval of the last report, 0…1."""
        self._base = sequence
        self._highest = sequence
        """Extended sequence number."""
        self._last_transit: int | None = None
        self._expected_before = 0
        self._received_before = 0
        self._sr_middle = 0
        self._sr_arrival = 0

    def arrived(self, sequence: int, timestamp: int, now: int) -> None:
        """Counts a packet that came at ``now`` (ms)."""
        self.received += 1
        step = (sequence - self._highest) & 0xFFFF
        if step < SEQUENCE_MODULUS // 2:
            self._highest += step
        # Relative transit time; only its changes matter, so both clocks may start anywhere and the timestamp may wrap.
        transit = (now * OPUS_TICKS_PER_MS - timestamp) & 0xFFFFFFFF
        if self._last_transit is not None:
            change = (transit - self._last_transit) & 0xFFFFFFFF
            if change >= _TIMESTAMP_HALF:
                change = 2 * _TIMESTAMP_HALF - change
            self.jitter += (change - self.jitter) / 16
        self._last_transit = transit

    def restarts_with(self, sequence: int) -> bool:
        """Whether a packet of this number is the first of a new count: it is neither late nor behind a gap (A.1). That is believed at
        once, as the stream does: the packet is authentic, and no copy of an old one."""
        return RESTART_JUMP <= (sequence - self._highest) & 0xFFFF < SEQUENCE_MODULUS - REORDER_WINDOW

    def sender_report(self, ntp: int, now: int) -> None:
        """Remembers the source's sender report for LSR and DLSR."""
        self._sr_middle = rtcp.middle(ntp)
        self._sr_arrival = now

    @property
    def expected(self) -> int:
        return self._highest - self._base + 1

    @property
    def lost(self) -> int:
        return max(0, self.expected - self.received)

    def report(self, now: int) -> rtcp.ReportBlock:
        """The report block for now; starts the next interval."""
        expected, received = self.expected, self.received
        expected_interval = expected - self._expected_before
        lost_interval = expected_interval - (received - self._received_before)
        self._expected_before, self._received_before = expected, received
        fraction = (lost_interval << 8) // expected_interval if expected_interval > 0 and lost_interval > 0 else 0
        self.fraction_lost = fraction / 256
        return rtcp.ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=min(fraction, 255),
            lost=expected - received,
            highest_sequence=self._highest,
            jitter=int(self.jitter),
            last_sender_report=self._sr_middle,
            delay_since=(now - self._sr_arrival) * 65536 // 1000 if self._sr_middle else 0,
        )
