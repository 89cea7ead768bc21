"""Media sessions: what one is, how it ends by itself, who is told, and its figures."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass, field
from typing import Protocol

from media.dtls import DtlsServer
from media.figures import MediaFigures, MediaTransport
from media.plane import Loudest, PeerStatistics, PlaneTotals, SinkFormat, SourceFormat


class Lost(enum.StrEnum):
    """Why a session ended by itself: the ``reason`` of ``MediaListener.media_lost``."""

    NEVER_CONNECTED = "never_connected"
    """ICE or DTLS did not come up within ``connect_timeout_ms``."""
    IDLE = "idle"
    """Nothing authentic came for ``idle_timeout_ms``."""
    DTLS_FAILED = "dtls_failed"
    """Handshake refused: wrong fingerprint, no common cipher or SRTP profile."""
    DTLS_CLOSED = "dtls_closed"
    """The client closed its connection (close_notify)."""
    REPLACED = "replaced"
    """Another publisher of the same stream connected; the stream goes on with that one."""


class MediaListener(Protocol):
    """Who is told about sessions, synchronously, on the event loop."""

    def media_connected(self, session_id: int) -> None:
        """ICE and DTLS are up; told once."""

    def media_lost(self, session_id: int, reason: str) -> None:
        """The session ended without ``Sfu.close`` (a value of ``Lost``). It is closed already."""


class Role(enum.StrEnum):
    PUBLISHER = "publisher"
    PLAYER = "player"


@dataclass(frozen=True)
class SessionStatistics:
    """One session, for logs, callbacks and the console."""

    session_id: int
    role: Role
    stream: str
    opened_at: int
    """Epoch ms."""
    connected_at: int | None
    """Epoch ms; None while ICE or DTLS is not up."""
    peer: PeerStatistics
    """Packets, bytes, loss, jitter, round trip."""

    def figures(self) -> MediaFigures:
        """The same in the form that all transports share."""
        peer, incoming = self.peer, self.role is Role.PUBLISHER
        return MediaFigures(
            transport=MediaTransport.WEBRTC,
            packets=peer.packets_in if incoming else peer.packets_out,
            bytes=peer.bytes_in if incoming else peer.bytes_out,
            connected=self.connected_at is not None,
            address=peer.address[0] if peer.address else "",
            lost=peer.lost,
            jitter_ms=peer.jitter_ms if peer.packets_in or peer.rtt_ms is not None else None,
            rtt_ms=peer.rtt_ms,
            audio_level=peer.audio_level,
            forwarding=peer.forwarding,
            srtp_profile=peer.srtp_profile.value if peer.srtp_profile else "",
            rejected=peer.rejected,
            send_failures=peer.send_failures,
            players_loss=peer.players_fraction_lost if incoming else None,
            nacked=peer.nacked,
            retransmitted=peer.retransmitted,
            redundant=peer.red,
            rate_limited=peer.rate_limited,
        )


@dataclass(frozen=True)
class SfuTotals:
    """The whole node, for metrics."""

    publishers: int
    players: int
    connected: int
    plane: PlaneTotals
    lost: dict[str, int]
    """Sessions that ended by themselves since the start, by reason (``Lost``)."""
    turn_allocations: int = 0
    turn_refused: dict[str, int] = field(default_factory=dict)
    """What the TURN server dropped or refused since the start, by reason (``media.turn.server.Refused``)."""


@dataclass
class Session:
    """One session as the SFU keeps it."""

    number: int
    role: Role
    stream: str
    opened_at: int
    dtls: DtlsServer
    format: SourceFormat | SinkFormat
    loudest: Loudest | None = None
    connected_at: int | None = None
    task: asyncio.Task[None] | None = None
    """The DTLS association."""
    hears: bool = False
    """A player that packets are to be forwarded to."""
