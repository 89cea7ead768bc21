"""One peer as the Python plane knows it: ICE, SRTP, addresses, counters."""

from __future__ import annotations

from media import rtcp, srtp
from media.plane import OPUS_TICKS_PER_MS, Address, IceCredentials, PeerStatistics, Send, SourceFormat
from media.reception import Reception
from media.stream import Player, Stream, send_nowhere

MAX_ADDRESSES = 8
"""Checked addresses kept for one peer; the oldest is forgotten. A client has a few interfaces, not more."""
MAX_SSRCS = 8
"""Different SSRCs that one peer may use in its life."""
CLOCK_STEP_MS = 5_000
"""A publisher whose clock moves by more than this against ours has set it; the estimate starts anew."""
MAX_RTT_MS = 60_000
SILENT_MS = 3_000
"""An address without a check for this long has been left: browsers check the pair they use every 2.5 s."""


class Peer:
    """See the module."""

    __slots__ = (
        "_clock_offset",
        "address",
        "addresses",
        "answer_checks_from",
        "audio_level",
        "bytes_in",
        "checked_at",
        "cname",
        "ice",
        "last_heard",
        "last_packet",
        "local",
        "nominated",
        "number",
        "packets_in",
        "player",
        "reception",
        "rejected",
        "report_due",
        "reported",
        "rtt_ms",
        "send",
        "source",
        "srtp",
        "ssrcs",
        "stream",
    )

    def __init__(self, number: int, ice: IceCredentials, answer_checks_from: int) -> None:
        self.number = number
        self.ice = ice
        self.answer_checks_from = answer_checks_from
        self.srtp: srtp.SrtpPair | None = None
        self.address: Address | None = None
        """Where datagrams for it go."""
        self.local = b""
        """Our own address that it talks to, packed; empty if there is only one."""
        self.send: Send = send_nowhere
        self.addresses: dict[Address, None] = {}
        """Addresses from which an authentic check came, oldest first."""
        self.nominated = False
        self.checked_at = 0
        """Last check from ``address`` to ``local`` (epoch ms)."""
        self.last_heard = 0
        # As a publisher.
        self.stream: Stream | None = None
        self.source: SourceFormat | None = None
        self.reception: Reception | None = None
        self.ssrcs: set[int] = set()
        self.packets_in = 0
        self.bytes_in = 0
        self.rejected = 0
        self.audio_level: int | None = None
        self.last_packet: int | None = None
        """When the last packet with sound came (epoch ms)."""
        self._clock_offset: int | None = None
        # As a player.
        self.player: Player | None = None
        self.cname = ""
        self.reported: rtcp.ReportBlock | None = None
        """Its last receiver report on our packets."""
        self.rtt_ms: float | None = None
        # RTCP.
        self.report_due: int | None = None
        """When our next report to it is due (epoch ms); None before DTLS is done."""

    def learn(self, address: Address) -> Address | None:
        """Adds a checked address; returns the one that had to be forgotten for it."""
        self.addresses[address] = None
        if len(self.addresses) <= MAX_ADDRESSES:
            return None
        oldest = next(known for known in self.addresses if known not in (self.address, address))
        del self.addresses[oldest]
        return oldest

    def takes_over(self, address: Address, local: bytes, nominating: bool, now: int) -> bool:
        """Decides whether datagrams go to ``address`` after an authentic check from there to our address ``local``.

        Browsers nominate only the pair they have selected when the other side is lite, so the latest nomination is the one.
        Before there is one, any checked address serves: DTLS may begin before the nomination arrives. After it, an address that
        is checked but not nominated takes over only if the nominated one is silent: that is a client whose NAT has given it
        another port, which it does not know.
        """
        # Both ends make the pair: a client checks each of our addresses from the same socket.
        same = (address, local) == (self.address, self.local)
        if nominating or not self.nominated or same or now - self.checked_at > SILENT_MS:
            self.nominated = self.nominated or nominating
            self.checked_at = now
            return True
        return False

    def move_to(self, address: Address, local: bytes, send: Send) -> None:
        """Datagrams go to ``address`` from now on, from our address ``local``, by ``send``."""
        self.address = address
        self.local = local
        self.send = send
        if self.player is not None:
            self.player.address = address
            self.player.send = send

    def reception_of(self, ssrc: int, sequence: int) -> Reception:
        """The counters of the source that sends now."""
        if self.reception is None or self.reception.ssrc != ssrc:
            self.reception = Reception(ssrc, sequence)
        return self.reception

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
        if self.stream is not None and self.stream.publisher == self.number:
            self.stream.sender_report(info.ssrc, info.timestamp, told + self._clock_offset)

    def receiver_reported(self, report: rtcp.ReportBlock, now: int) -> None:
        """The player told how our packets arrive."""
        if self.player is None or report.ssrc != self.player.ssrc:
            return
        self.reported = report
        if report.last_sender_report:
            passed = (rtcp.middle(rtcp.ntp_from_ms(now)) - report.last_sender_report - report.delay_since) & 0xFFFFFFFF
            # Rounding may make a very short way negative.
            rtt_ms = 0.0 if passed >= 1 << 31 else passed * 1000 / 65536
            if rtt_ms <= MAX_RTT_MS:
                self.rtt_ms = rtt_ms

    def statistics(self) -> PeerStatistics:
        profile = self.srtp.profile if self.srtp is not None else None
        if self.player is not None:
            player, told = self.player, self.reported
            packets, size = player.sent()
            return PeerStatistics(
                address=self.address,
                last_heard=self.last_heard,
                srtp_profile=profile,
                packets_out=packets,
                bytes_out=size,
                lost=max(0, told.lost) if told else 0,
                fraction_lost=told.fraction_lost / 256 if told else 0.0,
                jitter_ms=told.jitter / OPUS_TICKS_PER_MS if told else 0.0,
                rtt_ms=self.rtt_ms,
                rejected=self.rejected,
                send_failures=player.failures,
                forwarding=player.forwarding,
            )
        source = self.reception
        return PeerStatistics(
            address=self.address,
            last_heard=self.last_heard,
            srtp_profile=profile,
            packets_in=self.packets_in,
            bytes_in=self.bytes_in,
            lost=source.lost if source else 0,
            fraction_lost=source.fraction_lost if source else 0.0,
            jitter_ms=source.jitter / OPUS_TICKS_PER_MS if source else 0.0,
            rejected=self.rejected,
            audio_level=self.audio_level,
            last_packet=self.last_packet,
            forwarding=self.stream is not None and self.stream.publisher == self.number,
        )
