"""The forwarding plane's interface: what a plane must do, whoever implements it.

A plane owns the packets: it answers ICE checks, opens and closes SRTP, copies a publisher's packets to its players and keeps the
RTCP of both. It does not own DTLS (it hands DTLS datagrams up and sends those it is given), SDP, time-outs or limits: that is
``media.sfu``. ``media.python_plane`` is the reference; a native twin has to pass the tests in ``tests/unit/media/plane``.

Peers are named by their media session id. All times are epoch milliseconds from the injected clock.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Clock = Callable[[], int]
"""Returns the current time in epoch milliseconds."""

Address = tuple[str, int] | tuple[str, int, int, int]
"""A socket address as Python's ``socket`` gives it, for IPv4 or IPv6."""

RELAYED = -1
"""In place of the scope id: ``(host, port, 0, RELAYED)`` names a client behind this node's TURN server. No socket has such a scope."""

Send = Callable[["bytes | memoryview", Address], object]
"""Sends one datagram at once. Raises ``BlockingIOError`` if the socket is full: hand a copy to ``DatagramPort.enqueue`` then."""

Tap = Callable[[int, int, bool, bytes], None]
"""Takes one Opus packet of a stream: sequence number (counts on beyond 16 bits) and timestamp (0 … 2^32-1, 48 kHz) in the stream's own
numbering, which goes on over every change of the publisher; marker; payload. It is called on the way of the packet to the players: it
puts the packet away and returns."""

OPUS_CLOCK = 48_000
"""RTP clock rate of Opus, samples per second (RFC 7587 §4.1)."""
OPUS_TICKS_PER_MS = OPUS_CLOCK // 1000


class SrtpProfile(enum.StrEnum):
    """SRTP protection profiles that Hearth speaks, the preferred first (RFC 7714 §14.2, RFC 5764 §4.1.2)."""

    AEAD_AES_128_GCM = "SRTP_AEAD_AES_128_GCM"
    AES128_CM_SHA1_80 = "SRTP_AES128_CM_SHA1_80"


@dataclass(frozen=True)
class SrtpKeys:
    """Master key followed by master salt for each direction (RFC 5764 §4.2)."""

    profile: SrtpProfile
    receive: bytes = field(repr=False)
    send: bytes = field(repr=False)


@dataclass(frozen=True)
class IceCredentials:
    """Our half of the ICE credentials of one peer, and the user name fragment of the other side (RFC 8445 §7.2.2)."""

    ufrag: str
    password: str = field(repr=False)
    remote_ufrag: str = ""


@dataclass(frozen=True)
class SourceFormat:
    """How a publisher's packets look: from its offer."""

    payload_type: int
    audio_level_id: int | None = None
    """Header extension id of ``ssrc-audio-level`` (RFC 6464), None = not negotiated."""
    red_payload_type: int | None = None
    """Redundant audio data (RFC 2198) with Opus in it, None = not negotiated."""
    transport_sequence_id: int | None = None
    """Header extension id of the transport-wide sequence number; None = the publisher wants no arrival times."""
    nack: bool = False
    """Lost packets may be asked for again (RFC 4585 §6.2.1)."""
    reduced_size: bool = False
    """Feedback may come without a report in front of it (RFC 5506)."""


@dataclass(frozen=True)
class SinkFormat:
    """How the packets for one player must look: what its answer promised."""

    payload_type: int
    ssrc: int
    cname: str
    audio_level_id: int | None = None
    """1 … 14: header extension id of ``ssrc-audio-level`` (RFC 6464), None = not negotiated."""
    red_payload_type: int | None = None
    """Redundant audio data (RFC 2198), None = not negotiated: the player gets the sound without the redundancy."""
    nack: bool = False
    """The player may ask for lost packets again (RFC 4585 §6.2.1)."""


@dataclass(frozen=True)
class Loudest:
    """A stream is forwarded only while it is one of the loudest of its group (``media.loudest``)."""

    group: str
    """An opaque name; streams with the same one compete."""
    most: int
    """How many of them are forwarded at one time, at least 1. The latest publisher's counts."""


@dataclass(frozen=True)
class PeerStatistics:
    """Counters of one peer. ``in`` is from the peer to the node."""

    address: Address | None
    """Where datagrams for the peer go now; None before its first authentic ICE check."""
    last_heard: int
    """Last authentic sign of life (ICE check, SRTP, SRTCP), epoch ms."""
    srtp_profile: SrtpProfile | None = None
    packets_in: int = 0
    bytes_in: int = 0
    """RTP payload bytes received."""
    packets_out: int = 0
    bytes_out: int = 0
    """RTP payload bytes sent."""
    lost: int = 0
    """Publisher: packets that did not reach the node. Player: packets that did not reach it, as it reported."""
    fraction_lost: float = 0.0
    """Share of packets lost in the last report interval, 0…1."""
    jitter_ms: float = 0.0
    rtt_ms: float | None = None
    """Round trip of the player's last receiver report; None for publishers and before the first."""
    rejected: int = 0
    """Packets that SRTP did not accept (forged, replayed, garbled)."""
    send_failures: int = 0
    """Packets for the peer that could not be protected or sent."""
    audio_level: int | None = None
    """Last level of a publisher, 0 (loudest) … 127 (silence), in -dBov (RFC 6464)."""
    last_packet: int | None = None
    """Publisher: when its last packet with sound came, epoch ms; None before the first. What has passed since is silence on the wire."""
    players_fraction_lost: float = 0.0
    """Publisher: share of its packets that its players lose, as its receiver reports tell it, 0…1 (``media.player_loss``)."""
    nacked: int = 0
    """Publisher: packets that it was asked for again. Player: packets that it asked for again (RFC 4585 §6.2.1)."""
    retransmitted: int = 0
    """Player: packets that were sent to it again. Publisher: packets that came after it had been asked for them."""
    red: bool = False
    """Redundant audio data (RFC 2198). Publisher: its last packet was of that kind. Player: it gets such packets as they are."""
    rate_limited: int = 0
    """Datagrams of the peer that were dropped because it sent more than its share (``MediaConfig.packets_per_second``)."""
    forwarding: bool = False
    """Player: packets of the stream are copied to it. Publisher: its stream is forwarded, that is, it is not one that is left out
    because others of its group are louder (``media.loudest``)."""


@dataclass(frozen=True)
class PlaneTotals:
    """Counters of the whole plane since its start."""

    streams: int = 0
    """Streams that somebody feeds or waits for, now."""
    datagrams_in: int = 0
    packets_in: int = 0
    bytes_in: int = 0
    packets_out: int = 0
    bytes_out: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Datagrams that went nowhere, by reason (the names in ``Drop``)."""


class Drop(enum.StrEnum):
    """Why a datagram went nowhere."""

    UNKNOWN_ADDRESS = "unknown_address"
    UNKNOWN_KIND = "unknown_kind"
    OVERSIZED = "oversized"
    STUN_MALFORMED = "stun_malformed"
    STUN_UNKNOWN_PEER = "stun_unknown_peer"
    STUN_UNAUTHORISED = "stun_unauthorised"
    STUN_EARLY = "stun_early"
    STUN_UNSUPPORTED = "stun_unsupported"
    BEFORE_KEYS = "before_keys"
    RATE_LIMITED = "rate_limited"
    """From a peer that sends more than its share (``MediaConfig.packets_per_second``)."""
    SRTP_REJECTED = "srtp_rejected"
    RTP_MALFORMED = "rtp_malformed"
    RTP_UNEXPECTED = "rtp_unexpected"
    RTCP_MALFORMED = "rtcp_malformed"
    SEND_QUEUE_FULL = "send_queue_full"
    SEND_FAILED = "send_failed"
    FEED_UNEXPECTED = "feed_unexpected"
    """From a feed that another publisher has taken the stream over from."""
    TAP_FAILED = "tap_failed"
    """The tap raised an exception."""


class PlaneEvents(Protocol):
    """What a plane tells its owner, synchronously, on the event loop."""

    def dtls_received(self, peer: int, datagram: bytes) -> None:
        """A DTLS datagram came from an address of the peer that has passed an ICE check."""


class DatagramPort(Protocol):
    """The plane's way to the network: a UDP socket, or memory in tests."""

    def recvfrom_into(self, buffer: memoryview) -> tuple[int, Address]:
        """Reads one datagram. Raises ``BlockingIOError`` if there is none, other ``OSError`` for a failure that belongs to one peer."""

    arrived_at: bytes
    """Local address that the last datagram was sent to, packed; empty if there is only one. The plane sets it for a relayed one."""

    def route(self, address: Address, local: bytes) -> Send:
        """How to send to ``address`` from ``local`` (an ``arrived_at``)."""

    def enqueue(self, data: bytes, address: Address, send: Send) -> None:
        """Sends with ``send`` as soon as the socket takes it, in order. Drops the oldest (and counts it) when the queue is full."""

    @property
    def queue_drops(self) -> int:
        """Datagrams dropped because the queue was full."""


class MediaPlane(Protocol):
    """See the module."""

    def datagrams_waiting(self) -> None:
        """Reads and handles what the port has, within the budgets of one wake."""

    def datagram_relayed(self, datagram: bytes, source: Address, local: bytes) -> None:
        """A datagram that came through the TURN server, as if from ``source`` (a ``RELAYED`` address) to our packed address ``local``."""

    def tick(self, now: int) -> None:
        """Periodic work: RTCP reports that are due."""

    def add_peer(self, peer: int, ice: IceCredentials, *, answer_checks_from: int) -> None:
        """Makes the peer known by its ICE user name. Its checks are ignored before ``answer_checks_from`` (epoch ms)."""

    def send_dtls(self, peer: int, datagram: bytes) -> None:
        """Sends to the peer's address; dropped if it has none yet."""

    def set_keys(self, peer: int, keys: SrtpKeys) -> None:
        """Starts SRTP in both directions."""

    def publish(self, peer: int, stream: str, source: SourceFormat, loudest: Loudest | None = None) -> None:
        """The peer's packets feed ``stream`` from now on; a publisher that fed it before is not heard any more.

        A publisher whose packets carry no level is forwarded in any case: there is nothing to judge it by.
        """

    def subscribe(self, peer: int, stream: str, sink: SinkFormat) -> None:
        """The peer gets the packets of ``stream``, whoever feeds it, also one that comes later."""

    def open_tap(self, tap: int, stream: str, receive: Tap) -> None:
        """``receive`` gets each packet of ``stream`` once, whoever feeds it, as it comes: a late one after those it belongs before.

        ``tap`` and ``feed`` are numbers that no peer, tap or feed has.
        """

    def close_tap(self, tap: int) -> None:
        """Unknown ones are ignored."""

    def open_feed(self, feed: int, stream: str) -> None:
        """A publisher inside this process feeds ``stream`` from now on; one that fed it before is not heard any more."""

    def feed_packet(self, feed: int, timestamp: int, payload: bytes, *, marker: bool = False) -> None:
        """The next Opus packet of a feed, at its time; ``timestamp`` (0 … 2^32-1, 48 kHz) counts from anywhere.

        Dropped and counted if another publisher has taken the stream over; unknown feeds are ignored.
        """

    def close_feed(self, feed: int) -> None:
        """The players wait for the next publisher. Unknown ones are ignored."""

    def set_forwarding(self, peer: int, on: bool) -> None:
        """Stops or resumes the copies for one player; the player sees no loss, only a pause."""

    def remove_peer(self, peer: int, *, farewell: bytes = b"") -> None:
        """Says goodbye by RTCP, sends ``farewell`` (a DTLS datagram) behind it and forgets the peer. Unknown peers are ignored."""

    def peer_statistics(self, peer: int) -> PeerStatistics | None: ...

    def last_heard(self, peer: int) -> int:
        """``PeerStatistics.last_heard`` without the rest; 0 for an unknown peer."""

    def totals(self) -> PlaneTotals: ...
