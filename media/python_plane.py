"""The reference plane: pure Python, one thread, the event loop's.

A datagram's way: ``datagrams_waiting`` reads it into the inbox buffer, ``_receive`` tells STUN, DTLS and SRTP apart (RFC 7983),
``_receive_rtp`` decrypts it in place, and ``_copy`` writes it once per player into the outbox buffer, encrypts it there and sends it.
Nothing is awaited on this way and nothing is allocated that grows with the number of players.
"""

from __future__ import annotations

import functools
import random
import struct

import structlog

from media import rtcp, rtp, srtp
from media.ice import IceLite
from media.outlet import BLOCKED, Outlet
from media.plane import (
    Address,
    Clock,
    DatagramPort,
    Drop,
    IceCredentials,
    PeerStatistics,
    PlaneEvents,
    PlaneTotals,
    SinkFormat,
    SourceFormat,
    SrtpKeys,
    Tap,
)
from media.plane_peer import MAX_SSRCS, Peer
from media.stream import NOWHERE, Feed, Player, Stream

log = structlog.get_logger()

RECEIVER_SSRC = 1
"""Our own SSRC in reports to publishers, to whom we send no media (as browsers do)."""
RECEIVER_CNAME = "hearth"
FEED_SSRC = 2
"""The SSRC of feeds, which the streams alone see."""


@functools.lru_cache(maxsize=2_048)
def _packet_struct(payload_length: int) -> struct.Struct:
    """Header and payload of that length, to write both in one step."""
    return struct.Struct(f"!BBHII{payload_length}s")


class PythonPlane:
    """See the module and ``media.plane.MediaPlane``."""

    def __init__(
        self,
        port: DatagramPort,
        events: PlaneEvents,
        *,
        clock: Clock,
        rng: random.Random,
        receive_budget: int = 64,
        copy_budget: int = 512,
        rtcp_interval_ms: int = 2_000,
    ) -> None:
        self._port = port
        self._events = events
        self._clock = clock
        self._rng = rng
        self._receive_budget = receive_budget
        self._copy_budget = copy_budget
        self._rtcp_interval_ms = rtcp_interval_ms
        self._peers: dict[int, Peer] = {}
        self._outlet = Outlet(port)
        self._drops = self._outlet.drops
        self._ice = IceLite(self._outlet)
        self._by_address = self._ice.by_address
        self._streams: dict[str, Stream] = {}
        self._tapped: dict[int, Stream] = {}
        self._feeds: dict[int, Feed] = {}
        self._inbox = srtp.PacketBuffer()
        self._outbox = srtp.PacketBuffer()
        self._datagrams_in = 0
        self._packets_in = 0
        self._bytes_in = 0
        self._packets_out = 0
        self._bytes_out = 0

    # --- peers

    def add_peer(self, peer: int, ice: IceCredentials, *, answer_checks_from: int) -> None:
        made = Peer(peer, ice, answer_checks_from)
        self._peers[peer] = made
        self._ice.add(made)

    def set_keys(self, peer: int, keys: SrtpKeys) -> None:
        found = self._peers.get(peer)
        if found is None:
            return
        found.srtp = srtp.SrtpPair(keys)
        found.report_due = self._clock() + self._report_distance()
        if found.player is not None:
            found.player.srtp = found.srtp.send.handle

    def send_dtls(self, peer: int, datagram: bytes) -> None:
        found = self._peers.get(peer)
        if found is not None:
            self._send_to(found, datagram)

    def remove_peer(self, peer: int, *, farewell: bytes = b"") -> None:
        found = self._peers.pop(peer, None)
        if found is None:
            return
        self._say_goodbye(found)
        if farewell:
            self._send_to(found, farewell)
        self._ice.remove(found)
        if found.stream is not None and found.stream.publisher == peer:
            found.stream.publisher = None
            found.stream.source_changed()
            self._forget_if_empty(found.stream)
        if found.player is not None:
            self._detach(found.player)
            found.player.stream.subscribed -= 1
            self._forget_if_empty(found.player.stream)

    # --- streams

    def publish(self, peer: int, stream: str, source: SourceFormat) -> None:
        found = self._peers[peer]
        fed = self._stream(stream)
        fed.publisher = peer
        fed.source_changed()
        found.stream = fed
        found.source = source

    def subscribe(self, peer: int, stream: str, sink: SinkFormat) -> None:
        found = self._peers[peer]
        source = self._stream(stream)
        player = Player(source, sink.payload_type, sink.ssrc, self._rng.randrange(1 << 14))
        if found.address is not None:
            player.address, player.send = found.address, found.send
        if found.srtp is not None:
            player.srtp = found.srtp.send.handle
        found.player = player
        found.cname = sink.cname
        source.subscribed += 1
        source.waiting.append(player)

    def set_forwarding(self, peer: int, on: bool) -> None:
        found = self._peers.get(peer)
        if found is None or found.player is None or found.player.forwarding == on:
            return
        player = found.player
        player.forwarding = on
        if on:
            player.stream.waiting.append(player)
        else:
            self._detach(player)

    def _stream(self, name: str) -> Stream:
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = Stream(name)
        return stream

    def _forget_if_empty(self, stream: Stream) -> None:
        """A stream without a publisher lives on while somebody waits for it, muted players included."""
        if stream.publisher is None and not stream.subscribed and not stream.taps:
            self._streams.pop(stream.name, None)

    def _detach(self, player: Player) -> None:
        """Takes the player out of the copying loop."""
        stream = player.stream
        if player.attached:
            stream.active.remove(player)
            player.pause()
        elif player in stream.waiting:
            stream.waiting.remove(player)

    # --- inside this process

    def open_tap(self, tap: int, stream: str, receive: Tap) -> None:
        tapped = self._tapped[tap] = self._stream(stream)
        tapped.taps[tap] = receive

    def close_tap(self, tap: int) -> None:
        tapped = self._tapped.pop(tap, None)
        if tapped is not None:
            del tapped.taps[tap]
            self._forget_if_empty(tapped)

    def open_feed(self, feed: int, stream: str) -> None:
        fed = self._stream(stream)
        fed.publisher = feed
        fed.source_changed()
        self._feeds[feed] = Feed(fed)

    def feed_packet(self, feed: int, timestamp: int, payload: bytes, *, marker: bool = False) -> None:
        found = self._feeds.get(feed)
        if found is None:
            return
        if found.stream.publisher != feed:
            self._drops[Drop.FEED_UNEXPECTED] += 1
            return
        sequence = found.sequence
        found.sequence = (sequence + 1) % rtp.SEQUENCE_MODULUS
        self._forward(found.stream, FEED_SSRC, sequence, timestamp, rtp.MARKER if marker else 0, payload, self._clock())

    def close_feed(self, feed: int) -> None:
        found = self._feeds.pop(feed, None)
        if found is not None and found.stream.publisher == feed:
            found.stream.publisher = None
            found.stream.source_changed()
            self._forget_if_empty(found.stream)

    # --- datagrams in

    def datagrams_waiting(self) -> None:
        now = self._clock()
        receive = self._port.recvfrom_into
        view = self._inbox.view
        stop_at = self._packets_out + self._copy_budget
        for _ in range(self._receive_budget):
            try:
                length, address = receive(view)
            except BlockingIOError:
                return
            except OSError:
                # An ICMP error of an earlier datagram to a peer that is gone.
                continue
            self._datagrams_in += 1
            self._receive(length, address, now)
            if self._packets_out >= stop_at:
                # The loop reports the socket again at once; in between others have their turn.
                return

    def datagram_relayed(self, datagram: bytes, source: Address, local: bytes) -> None:
        length = min(len(datagram), srtp.BUFFER_SIZE)
        self._inbox.view[:length] = datagram[:length]
        self._port.arrived_at = local
        self._datagrams_in += 1
        self._receive(length, source, self._clock())

    def _receive(self, length: int, address: Address, now: int) -> None:
        if length == srtp.BUFFER_SIZE:
            # Longer than the buffer or exactly as long: nothing that we expect is.
            self._drops[Drop.OVERSIZED] += 1
            return
        view = self._inbox.view
        first = view[0] if length else 255
        # RFC 7983 §7.
        if 128 <= first <= 191:
            peer = self._by_address.get(address)
            if peer is None:
                self._drops[Drop.UNKNOWN_ADDRESS] += 1
            elif peer.srtp is None:
                self._drops[Drop.BEFORE_KEYS] += 1
            elif length < rtp.HEADER_LENGTH:
                self._drops[Drop.RTP_MALFORMED] += 1
            elif rtp.is_rtcp(view[1]):
                self._receive_rtcp(peer, peer.srtp, length, now)
            else:
                self._receive_rtp(peer, peer.srtp, length, now)
        elif first <= 3:
            self._ice.received(bytes(view[:length]), address, now)
        elif 20 <= first <= 63:
            peer = self._by_address.get(address)
            if peer is None:
                self._drops[Drop.UNKNOWN_ADDRESS] += 1
            else:
                self._events.dtls_received(peer.number, bytes(view[:length]))
        else:
            self._drops[Drop.UNKNOWN_KIND] += 1

    def _receive_rtp(self, peer: Peer, contexts: srtp.SrtpPair, length: int, now: int) -> None:
        stream = peer.stream
        if stream is None or peer.source is None or stream.publisher != peer.number:
            self._drops[Drop.RTP_UNEXPECTED] += 1
            return
        inbox = self._inbox
        view = inbox.view
        _, kind, sequence, timestamp, ssrc = rtp.HEADER.unpack_from(view)
        if ssrc not in peer.ssrcs and len(peer.ssrcs) >= MAX_SSRCS:
            # libsrtp keeps a context for each SSRC that it has accepted: one peer may not have it make any number of them.
            self._drops[Drop.RTP_UNEXPECTED] += 1
            return
        inbox.length[0] = length
        if srtp.unprotect(contexts.receive.handle, inbox.data, inbox.length):
            peer.rejected += 1
            self._drops[Drop.SRTP_REJECTED] += 1
            return
        peer.ssrcs.add(ssrc)
        peer.last_heard = now
        try:
            extension, start, end = rtp.locate_payload(view, inbox.length[0])
        except rtp.RtpMalformed:
            self._drops[Drop.RTP_MALFORMED] += 1
            return
        if kind & 0x7F != peer.source.payload_type:
            self._drops[Drop.RTP_UNEXPECTED] += 1
            return
        peer.packets_in += 1
        peer.bytes_in += end - start
        self._packets_in += 1
        self._bytes_in += end - start
        peer.reception_of(ssrc, sequence).arrived(sequence, timestamp, now)
        if extension and peer.source.audio_level_id is not None:
            level = rtp.audio_level(view, extension, start, peer.source.audio_level_id)
            if level is not None:
                peer.audio_level = level
        if start == end:
            # Padding only: a probe for bandwidth, no sound in it.
            return
        peer.last_packet = now
        self._forward(stream, ssrc, sequence, timestamp, kind & rtp.MARKER, bytes(view[start:end]), now)

    def _receive_rtcp(self, peer: Peer, contexts: srtp.SrtpPair, length: int, now: int) -> None:
        inbox = self._inbox
        (ssrc,) = struct.unpack_from("!I", inbox.view, 4)
        if ssrc not in peer.ssrcs and len(peer.ssrcs) >= MAX_SSRCS:
            self._drops[Drop.RTP_UNEXPECTED] += 1
            return
        inbox.length[0] = length
        if srtp.unprotect_rtcp(contexts.receive.handle, inbox.data, inbox.length):
            peer.rejected += 1
            self._drops[Drop.SRTP_REJECTED] += 1
            return
        peer.ssrcs.add(ssrc)
        peer.last_heard = now
        try:
            compound = rtcp.parse(inbox.view[: inbox.length[0]])
        except rtcp.RtcpMalformed:
            self._drops[Drop.RTCP_MALFORMED] += 1
            return
        if compound.sender is not None:
            peer.sender_reported(compound.sender, now)
        for report in compound.reports:
            peer.receiver_reported(report, now)

    # --- packets out

    def _forward(self, stream: Stream, ssrc: int, sequence: int, timestamp: int, marker: int, payload: bytes, now: int) -> None:
        highest = stream.highest
        place, timestamp, restarted = stream.place(ssrc, sequence, timestamp, now)
        if place <= highest:
            if place < highest:
                self._forward_late(stream, place, timestamp, marker, payload)
            return
        # A player's first packet is the start of a talkspurt for it (RFC 3551 §4.1).
        beginning = self._begin_waiting(stream, place) if stream.waiting else None
        if stream.active:
            self._copy(stream.active, place, timestamp, rtp.MARKER if restarted else marker, payload)
        if beginning:
            self._copy(beginning, place, timestamp, rtp.MARKER, payload)
            stream.active.extend(beginning)
        if stream.taps:
            self._hand_to_taps(stream, place, timestamp, restarted or marker != 0, payload)
        stream.packets += 1
        stream.bytes += len(payload)

    def _forward_late(self, stream: Stream, place: int, timestamp: int, marker: int, payload: bytes) -> None:
        """A packet that the network delivered out of order goes to those who were there at its time."""
        there = [player for player in stream.active if player.first <= place]
        self._copy(there, place, timestamp, marker, payload)
        for player in there:
            player.count_late(len(payload))
        if stream.taps:
            self._hand_to_taps(stream, place, timestamp, marker != 0, payload)

    def _hand_to_taps(self, stream: Stream, place: int, timestamp: int, marker: bool, payload: bytes) -> None:
        for tap in list(stream.taps.values()):
            try:
                tap(place, timestamp, marker, payload)
            except Exception:
                # Its mistake must not cost the players their sound.
                self._drops[Drop.TAP_FAILED] += 1
                log.exception("media_tap_failed", stream=stream.name)

    def _begin_waiting(self, stream: Stream, place: int) -> list[Player]:
        """Takes the players that can be sent to out of the waiting ones."""
        ready = [player for player in stream.waiting if player.srtp is not None and player.address is not NOWHERE]
        stream.waiting = [player for player in stream.waiting if player.srtp is None or player.address is NOWHERE]
        for player in ready:
            player.begin(place)
        return ready

    def _copy(self, players: list[Player], place: int, timestamp: int, marker: int, payload: bytes) -> None:
        """The hot loop: header, encryption and system call for each player."""
        size = rtp.HEADER_LENGTH + len(payload)
        if size > srtp.MAX_PACKET:
            self._drops[Drop.OVERSIZED] += 1
            return
        pack = _packet_struct(len(payload)).pack_into
        outbox = self._outbox
        view, data, length = outbox.view, outbox.data, outbox.length
        protect = srtp.protect
        for player in players:
            pack(view, 0, rtp.VERSION_2, marker | player.payload_type, (place + player.offset) & 0xFFFF, timestamp, player.ssrc, payload)
            length[0] = size
            if protect(player.srtp, data, length):
                self._failed(player)
                continue
            try:
                player.send(view[: length[0]], player.address)
            except OSError as error:
                if error.errno in BLOCKED:
                    self._port.enqueue(bytes(view[: length[0]]), player.address, player.send)
                else:
                    self._failed(player)
        self._packets_out += len(players)
        self._bytes_out += len(payload) * len(players)

    def _failed(self, player: Player) -> None:
        player.failures += 1
        self._drops[Drop.SEND_FAILED] += 1

    def _send_to(self, peer: Peer, datagram: bytes) -> None:
        """Sends one datagram that is not media; nothing before the peer's first check."""
        if peer.address is not None:
            self._outlet.send(datagram, peer.address, peer.send)

    # --- reports

    def tick(self, now: int) -> None:
        for peer in self._peers.values():
            if peer.report_due is not None and now >= peer.report_due:
                peer.report_due = now + self._report_distance()
                self._report(peer, now)

    def _report_distance(self) -> int:
        """Drawn anew each time, so that the reports of many peers do not fall together (RFC 3550 §6.2)."""
        return self._rng.randint(self._rtcp_interval_ms // 2, self._rtcp_interval_ms * 3 // 2)

    def _report(self, peer: Peer, now: int) -> None:
        if peer.player is not None:
            player = peer.player
            timestamp = player.stream.timestamp_at(now)
            if not player.attached or timestamp is None:
                return
            packets, size = player.sent()
            info = rtcp.SenderInfo(player.ssrc, rtcp.ntp_from_ms(now), timestamp, packets, size)
            self._send_rtcp(peer, rtcp.sender_report(info, peer.cname))
        elif peer.reception is not None:
            self._send_rtcp(peer, rtcp.receiver_report(RECEIVER_SSRC, (peer.reception.report(now),), RECEIVER_CNAME))

    def _say_goodbye(self, peer: Peer) -> None:
        if peer.player is not None:
            self._send_rtcp(peer, rtcp.goodbye(peer.player.ssrc, peer.cname))
        else:
            self._send_rtcp(peer, rtcp.goodbye(RECEIVER_SSRC, RECEIVER_CNAME))

    def _send_rtcp(self, peer: Peer, packet: bytes) -> None:
        if peer.srtp is None:
            return
        outbox = self._outbox
        outbox.view[: len(packet)] = packet
        outbox.length[0] = len(packet)
        if srtp.protect_rtcp(peer.srtp.send.handle, outbox.data, outbox.length):
            self._drops[Drop.SEND_FAILED] += 1
            return
        self._send_to(peer, bytes(outbox.view[: outbox.length[0]]))

    # --- figures

    def peer_statistics(self, peer: int) -> PeerStatistics | None:
        found = self._peers.get(peer)
        return None if found is None else found.statistics()

    def last_heard(self, peer: int) -> int:
        found = self._peers.get(peer)
        return 0 if found is None else found.last_heard

    def totals(self) -> PlaneTotals:
        dropped = {reason.value: count for reason, count in self._drops.items()}
        if self._port.queue_drops:
            dropped[Drop.SEND_QUEUE_FULL.value] = self._port.queue_drops
        return PlaneTotals(
            streams=len(self._streams),
            datagrams_in=self._datagrams_in,
            packets_in=self._packets_in,
            bytes_in=self._bytes_in,
            packets_out=self._packets_out,
            bytes_out=self._bytes_out,
            dropped=dropped,
        )
