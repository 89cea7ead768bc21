"""The reference plane: pure Python, one thread, the event loop's.

A datagram's way: ``datagrams_waiting`` reads it into the inbox buffer, ``_receive`` tells STUN, DTLS and SRTP apart (RFC 7983),
``_receive_rtp`` decrypts it in place, and ``media.forwarding`` writes it once per player into a second buffer, encrypts it there and
sends it; RTCP is that of ``media.feedback``. Nothing is awaited on this way and nothing is allocated that grows with the number of players.
"""

from __future__ import annotations

import random
import struct

from media import rtcp, rtp, srtp
from media.feed import Feed
from media.feedback import Feedback
from media.forwarding import Forwarder
from media.ice import IceLite
from media.loudest import SpeakerGroup
from media.outlet import Outlet
from media.packet import Sound, StreamPacket
from media.packet_rate import PacketRate
from media.plane import (
    Address,
    Clock,
    DatagramPort,
    Drop,
    IceCredentials,
    Loudest,
    PeerStatistics,
    PlaneEvents,
    PlaneTotals,
    SinkFormat,
    SourceFormat,
    SrtpKeys,
    Tap,
)
from media.plane_peer import MAX_SSRCS, Peer
from media.player import Player
from media.publisher import Publisher
from media.red import RedMalformed
from media.stream import FOR_NOBODY, Stream

FEED_SSRC = 2
"""The SSRC of feeds, which the streams alone see."""
BURST_MS = 1_000
"""What a peer may send at once, in time at its highest rate: a link that was asleep for a second delivers what it kept."""


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
        packets_per_second: int = 250,
    ) -> None:
        self._port = port
        self._events = events
        self._clock = clock
        self._rng = rng
        self._receive_budget = receive_budget
        self._copy_budget = copy_budget
        self._packets_per_second = packets_per_second
        self._peers: dict[int, Peer] = {}
        self._outlet = Outlet(port)
        self._drops = self._outlet.drops
        self._ice = IceLite(self._outlet)
        self._by_address = self._ice.by_address
        self._streams: dict[str, Stream] = {}
        self._tapped: dict[int, Stream] = {}
        self._feeds: dict[int, Feed] = {}
        self._speakers: dict[str, SpeakerGroup] = {}
        self._forwarder = Forwarder(self._outlet)
        self._feedback = Feedback(self._outlet, self._forwarder, rng=rng, interval_ms=rtcp_interval_ms)
        self._inbox = srtp.PacketBuffer()
        self._datagrams_in = 0
        self._packets_in = 0
        self._bytes_in = 0

    # --- peers

    def add_peer(self, peer: int, ice: IceCredentials, *, answer_checks_from: int) -> None:
        made = Peer(peer, ice, answer_checks_from, PacketRate(self._packets_per_second, burst_ms=BURST_MS))
        self._peers[peer] = made
        self._ice.add(made)

    def set_keys(self, peer: int, keys: SrtpKeys) -> None:
        found = self._peers.get(peer)
        if found is None:
            return
        found.srtp = srtp.SrtpPair(keys)
        self._feedback.start(found, self._clock())
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
        self._feedback.say_goodbye(found)
        if farewell:
            self._send_to(found, farewell)
        self._ice.remove(found)
        if found.publisher is not None and found.publisher.feeding:
            self._unfed(found.publisher.stream)
        if found.player is not None:
            found.player.stream.unsubscribe(found.player)
            self._forget_if_empty(found.player.stream)

    # --- streams

    def publish(self, peer: int, stream: str, source: SourceFormat, loudest: Loudest | None = None) -> None:
        fed = self._stream(stream)
        self._fed_by(fed, peer)
        self._peers[peer].publisher = Publisher(peer, fed, source)
        if loudest is not None and source.audio_level_id is not None:
            group = self._speakers.setdefault(loudest.group, SpeakerGroup(loudest.most))
            group.most = loudest.most
            fed.speaker = group.join(self._clock())

    def subscribe(self, peer: int, stream: str, sink: SinkFormat) -> None:
        found = self._peers[peer]
        source = self._stream(stream)
        player = Player(source, sink, self._rng.randrange(1 << 14))
        if found.address is not None:
            player.address, player.send = found.address, found.send
        if found.srtp is not None:
            player.srtp = found.srtp.send.handle
        found.player = player
        source.subscribe(player)

    def set_forwarding(self, peer: int, on: bool) -> None:
        found = self._peers.get(peer)
        if found is None or found.player is None or found.player.forwarding == on:
            return
        player = found.player
        player.forwarding = on
        if on:
            player.stream.waiting.append(player)
        else:
            player.stream.detach(player)

    def _stream(self, name: str) -> Stream:
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = Stream(name)
        return stream

    def _fed_by(self, stream: Stream, number: int) -> None:
        """The peer or feed ``number`` feeds the stream from now on."""
        stream.publisher = number
        stream.source_changed()
        stream.no_speaker()

    def _unfed(self, stream: Stream) -> None:
        stream.publisher = None
        stream.source_changed()
        stream.no_speaker()
        self._forget_if_empty(stream)

    def _forget_if_empty(self, stream: Stream) -> None:
        if stream.empty:
            self._streams.pop(stream.name, None)

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
        self._fed_by(fed, feed)
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
        self._forward(found.stream, FEED_SSRC, sequence, timestamp, rtp.MARKER if marker else 0, Sound(payload), self._clock())

    def close_feed(self, feed: int) -> None:
        found = self._feeds.pop(feed, None)
        if found is not None and found.stream.publisher == feed:
            self._unfed(found.stream)

    # --- datagrams in

    def datagrams_waiting(self) -> None:
        now = self._clock()
        receive = self._port.recvfrom_into
        view = self._inbox.view
        forwarder = self._forwarder
        stop_at = forwarder.packets_out + self._copy_budget
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
            if forwarder.packets_out >= stop_at:
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
            elif not peer.rate.allows(now):
                self._over_the_rate(peer)
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
            elif not peer.rate.allows(now):
                self._over_the_rate(peer)
            else:
                self._events.dtls_received(peer.number, bytes(view[:length]))
        else:
            self._drops[Drop.UNKNOWN_KIND] += 1

    def _over_the_rate(self, peer: Peer) -> None:
        """Before anything is decrypted: what costs the node most is what it is spared."""
        peer.rate_limited += 1
        self._drops[Drop.RATE_LIMITED] += 1

    def _receive_rtp(self, peer: Peer, contexts: srtp.SrtpPair, length: int, now: int) -> None:
        publisher = peer.publisher
        if publisher is None or not publisher.feeding:
            self._drops[Drop.RTP_UNEXPECTED] += 1
            return
        view = self._inbox.view
        _, kind, sequence, timestamp, ssrc = rtp.HEADER.unpack_from(view)
        decrypted = self._decrypt(peer, srtp.unprotect, contexts, ssrc, length, now)
        if not decrypted:
            return
        try:
            extension, start, end = rtp.locate_payload(view, decrypted)
        except rtp.RtpMalformed:
            self._drops[Drop.RTP_MALFORMED] += 1
            return
        level = publisher.read_extensions(view, extension, start, now) if extension else None
        payload_type = kind & 0x7F
        red = payload_type == publisher.format.red_payload_type
        if not red and payload_type != publisher.format.payload_type:
            self._drops[Drop.RTP_UNEXPECTED] += 1
            return
        self._packets_in += 1
        self._bytes_in += end - start
        lost = publisher.received(ssrc, sequence, timestamp, end - start, now)
        if lost:
            self._feedback.ask_again(peer, publisher, lost)
        stream = publisher.stream
        if start == end:
            # Padding only: a probe for bandwidth, no sound in it.
            stream.pass_over(ssrc, sequence)
            return
        try:
            sound = Sound(bytes(view[start:end]), level, publisher.format.payload_type if red else None)
        except RedMalformed:
            self._drops[Drop.RTP_MALFORMED] += 1
            return
        publisher.last_packet, publisher.red = now, red
        if stream.speaker is not None and not stream.speaker.arrived(level, now):
            stream.withhold(ssrc, sequence)
            return
        self._forward(stream, ssrc, sequence, timestamp, kind & rtp.MARKER, sound, now)

    def _receive_rtcp(self, peer: Peer, contexts: srtp.SrtpPair, length: int, now: int) -> None:
        view = self._inbox.view
        (ssrc,) = struct.unpack_from("!I", view, 4)
        decrypted = self._decrypt(peer, srtp.unprotect_rtcp, contexts, ssrc, length, now)
        if not decrypted:
            return
        try:
            self._feedback.received(peer, view[:decrypted], now)
        except rtcp.RtcpMalformed:
            self._drops[Drop.RTCP_MALFORMED] += 1

    def _decrypt(self, peer: Peer, unprotect: srtp.Transform, contexts: srtp.SrtpPair, ssrc: int, length: int, now: int) -> int:
        """Decrypts the inbox in place. Returns the length of what is left; 0 = it is not the peer's, and counted."""
        if ssrc not in peer.ssrcs and len(peer.ssrcs) >= MAX_SSRCS:
            # libsrtp keeps a context for each SSRC that it has accepted: one peer may not have it make any number of them.
            self._drops[Drop.RTP_UNEXPECTED] += 1
            return 0
        inbox = self._inbox
        inbox.length[0] = length
        if unprotect(contexts.receive.handle, inbox.data, inbox.length):
            peer.rejected += 1
            self._drops[Drop.SRTP_REJECTED] += 1
            return 0
        peer.ssrcs.add(ssrc)
        peer.last_heard = now
        return int(inbox.length[0])

    # --- packets out

    def _forward(self, stream: Stream, ssrc: int, sequence: int, timestamp: int, marker: int, sound: Sound, now: int) -> None:
        highest = stream.highest
        place, timestamp, restarted = stream.place(ssrc, sequence, timestamp, now)
        if place == FOR_NOBODY:
            return
        packet = StreamPacket(place, timestamp, rtp.MARKER if restarted else marker, sound)
        if place > highest:
            self._forwarder.forward(stream, packet)
        else:
            self._forwarder.forward_late(stream, packet)

    def _send_to(self, peer: Peer, datagram: bytes) -> None:
        """Sends one datagram that is not media; nothing before the peer's first check."""
        if peer.address is not None:
            self._outlet.send(datagram, peer.address, peer.send)

    def tick(self, now: int) -> None:
        self._feedback.tick(self._peers.values(), now)
        for name, group in list(self._speakers.items()):
            if len(group):
                group.decide(now)
            else:
                del self._speakers[name]

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
            packets_out=self._forwarder.packets_out,
            bytes_out=self._forwarder.bytes_out,
            dropped=dropped,
        )
