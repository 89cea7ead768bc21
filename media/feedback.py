"""RTCP with the peers: reports and goodbyes both ways, lost packets asked for again both ways, arrival times to publishers.

Publishers hear of the whole way, their players' part included (``media.player_loss``); players hear the publisher's clock. Reports
are compound packets; what has to be quick may be of reduced size where the client offered that (RFC 5506).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

from media import rtcp, srtp
from media.forwarding import Forwarder
from media.outlet import Outlet
from media.plane import Drop
from media.plane_peer import Peer
from media.player import Player
from media.player_loss import combined
from media.publisher import Publisher

RECEIVER_SSRC = 1
"""Our own SSRC in reports to publishers, to whom we send no media (as browsers do)."""
RECEIVER_CNAME = "hearth"
WORSE = 13
"""256ths (5 %) by which the players' loss has to have grown for a publisher to hear of it before its next report is due."""
EARLY_MS = 500
"""Least distance of such a report from the one before: some 25 packets, of which a share can be told."""


class Feedback:
    """See the module."""

    def __init__(self, outlet: Outlet, forwarder: Forwarder, *, rng: random.Random, interval_ms: int) -> None:
        self._outlet = outlet
        self._forwarder = forwarder
        self._rng = rng
        self._interval_ms = interval_ms
        self._buffer = srtp.PacketBuffer()

    # --- in

    def received(self, peer: Peer, data: memoryview, now: int) -> None:
        """Takes an authentic compound packet of the peer. Raises ``RtcpMalformed``."""
        compound = rtcp.parse(data)
        if peer.publisher is not None:
            if compound.sender is not None:
                peer.publisher.sender_reported(compound.sender, now)
            for ssrc in compound.goodbye:
                self._source_left(peer.publisher, ssrc)
        if peer.player is not None:
            for report in compound.reports:
                peer.player.receiver_reported(report, now)
            if compound.nacks:
                ssrc = peer.player.ssrc
                self._forwarder.send_again(peer.player, [sequence for source, sequence in compound.nacks if source == ssrc], now)

    @staticmethod
    def _source_left(publisher: Publisher, ssrc: int) -> None:
        """The source will not send any more; the session stays, and may begin with another one (RFC 3550 §6.6)."""
        if publisher.reception is not None and publisher.reception.ssrc == ssrc:
            publisher.source_left()
            if publisher.feeding:
                publisher.stream.source_changed()

    # --- out

    def start(self, peer: Peer, now: int) -> None:
        """DTLS is up: the peer gets reports from now on."""
        peer.report_due = now + self._distance()

    def tick(self, peers: Iterable[Peer], now: int) -> None:
        """Sends what is due."""
        for peer in peers:
            if peer.report_due is None:
                continue
            publisher = peer.publisher
            if publisher is not None:
                if publisher.missing is not None and (sequences := publisher.wanted_again(now)):
                    self.ask_again(peer, publisher, sequences)
                if publisher.arrivals is not None and publisher.reception is not None:
                    for message in publisher.arrivals.feedback(RECEIVER_SSRC, publisher.reception.ssrc):
                        self._send_quickly(peer, publisher, message)
                if publisher.stream.player_loss.fresh and self._is_worse(publisher, now):
                    peer.report_due = now
            if now >= peer.report_due:
                peer.report_due = now + self._distance()
                if peer.player is not None:
                    self._report_as_sender(peer, peer.player, now)
                elif publisher is not None:
                    self._report_as_receiver(peer, publisher, now)

    @staticmethod
    def _is_worse(publisher: Publisher, now: int) -> bool:
        """Whether its players lose so much more than it was told that it should know now (RFC 4585 §3.5)."""
        if not publisher.feeding or publisher.reception is None or now - publisher.reported_at < EARLY_MS:
            return False
        stream = publisher.stream
        stream.player_loss.fresh = False
        return stream.player_loss.fraction(stream.playing, now) >= publisher.players_lost + WORSE

    def ask_again(self, peer: Peer, publisher: Publisher, sequences: list[int]) -> None:
        """Asks a publisher that offered it for lost packets."""
        if publisher.reception is not None:
            self._send_quickly(peer, publisher, rtcp.generic_nack(RECEIVER_SSRC, publisher.reception.ssrc, sequences))

    def say_goodbye(self, peer: Peer) -> None:
        if peer.player is not None:
            self._send(peer, rtcp.goodbye(peer.player.ssrc, peer.player.cname))
        else:
            self._send(peer, rtcp.goodbye(RECEIVER_SSRC, RECEIVER_CNAME))

    def _distance(self) -> int:
        """Drawn anew each time, so that the reports of many peers do not fall together (RFC 3550 §6.2)."""
        return self._rng.randint(self._interval_ms // 2, self._interval_ms * 3 // 2)

    def _report_as_sender(self, peer: Peer, player: Player, now: int) -> None:
        timestamp = player.stream.timestamp_at(now)
        if not player.attached or timestamp is None:
            return
        packets, size = player.sent()
        info = rtcp.SenderInfo(player.ssrc, rtcp.ntp_from_ms(now), timestamp, packets, size)
        self._send(peer, rtcp.sender_report(info, player.cname))

    def _report_as_receiver(self, peer: Peer, publisher: Publisher, now: int) -> None:
        if publisher.reception is None:
            return
        block = publisher.reception.report(now)
        stream = publisher.stream
        publisher.players_lost = stream.player_loss.fraction(stream.playing, now) if publisher.feeding else 0
        publisher.reported_at = now
        block = replace(block, fraction_lost=combined(block.fraction_lost, publisher.players_lost))
        self._send(peer, rtcp.receiver_report(RECEIVER_SSRC, (block,), RECEIVER_CNAME))

    def _send_quickly(self, peer: Peer, publisher: Publisher, message: bytes) -> None:
        if not publisher.format.reduced_size:
            message = rtcp.receiver_report(RECEIVER_SSRC, (), RECEIVER_CNAME) + message
        self._send(peer, message)

    def _send(self, peer: Peer, packet: bytes) -> None:
        if peer.srtp is None or peer.address is None:
            return
        buffer = self._buffer
        buffer.view[: len(packet)] = packet
        buffer.length[0] = len(packet)
        if srtp.protect_rtcp(peer.srtp.send.handle, buffer.data, buffer.length):
            self._outlet.drops[Drop.SEND_FAILED] += 1
            return
        self._outlet.send(bytes(buffer.view[: buffer.length[0]]), peer.address, peer.send)
