"""One peer as the Python plane knows it: ICE, SRTP, addresses, counters, and what it is beyond that: publisher or player."""

from __future__ import annotations

from dataclasses import replace

from media import srtp
from media.packet_rate import PacketRate
from media.plane import OPUS_TICKS_PER_MS, Address, IceCredentials, PeerStatistics, Send
from media.player import Player, send_nowhere
from media.publisher import Publisher

MAX_ADDRESSES = 8
"""Checked addresses kept for one peer; the oldest is forgotten. A client has a few interfaces, not more."""
MAX_SSRCS = 8
"""Different SSRCs that one peer may use in its life."""
CHECKS_PER_SECOND = 200
"""ICE checks that are taken from one peer. Agents begin one each 50 ms (RFC 8445 §14.2), some each 5 ms, for a few seconds."""
SILENT_MS = 3_000
"""An address without a check for this long has been left: browsers check the pair they use every 2.5 s."""


class Peer:
    """See the module."""

    __slots__ = (
        "address",
        "addresses",
        "answer_checks_from",
        "checked_at",
        "checks",
        "ice",
        "last_heard",
        "local",
        "nominated",
        "number",
        "player",
        "publisher",
        "rate",
        "rate_limited",
        "rejected",
        "report_due",
        "send",
        "srtp",
        "ssrcs",
    )

    def __init__(self, number: int, ice: IceCredentials, answer_checks_from: int, rate: PacketRate) -> None:
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
        self.ssrcs: set[int] = set()
        """SSRCs of authentic packets."""
        self.rejected = 0
        self.rate = rate
        self.checks = PacketRate(CHECKS_PER_SECOND, burst_ms=1_000)
        self.rate_limited = 0
        self.report_due: int | None = None
        """When our next report to it is due (epoch ms); None before DTLS is done."""
        self.publisher: Publisher | None = None
        self.player: Player | None = None

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

    def statistics(self) -> PeerStatistics:
        player, publisher = self.player, self.publisher
        common = PeerStatistics(
            address=self.address,
            last_heard=self.last_heard,
            srtp_profile=self.srtp.profile if self.srtp is not None else None,
            rejected=self.rejected,
            rate_limited=self.rate_limited,
        )
        if player is not None:
            told = player.reported
            packets, size = player.sent()
            return replace(
                common,
                packets_out=packets,
                bytes_out=size,
                lost=max(0, told.lost) if told else 0,
                fraction_lost=told.fraction_lost / 256 if told else 0.0,
                jitter_ms=told.jitter / OPUS_TICKS_PER_MS if told else 0.0,
                rtt_ms=player.rtt_ms,
                send_failures=player.failures,
                nacked=player.nacked,
                retransmitted=player.retransmitted,
                red=player.shape.red_payload_type is not None,
                forwarding=player.forwarding,
            )
        if publisher is not None:
            source, level = publisher.reception, publisher.audio_level
            return replace(
                common,
                packets_in=publisher.packets_in,
                bytes_in=publisher.bytes_in,
                lost=source.lost if source else 0,
                fraction_lost=source.fraction_lost if source else 0.0,
                jitter_ms=source.jitter / OPUS_TICKS_PER_MS if source else 0.0,
                audio_level=None if level is None else level & 0x7F,
                last_packet=publisher.last_packet,
                players_fraction_lost=publisher.players_lost / 256,
                nacked=publisher.nacked,
                retransmitted=publisher.all_recovered,
                red=publisher.red,
                forwarding=publisher.feeding and not publisher.stream.left_out,
            )
        return common
