"""Settings of the media node."""

from __future__ import annotations

from dataclasses import dataclass

from media.turn.config import ExternalTurn, TurnConfig


@dataclass(frozen=True)
class MediaConfig:
    """All limits and timings of the media node. Times are milliseconds."""

    host: str = "0.0.0.0"
    """Address the UDP port is bound to; ``"::"`` takes IPv6 and IPv4 on one socket."""
    udp_port: int = 7000
    """0 = any free port; the one in use is ``Sfu.port``."""
    public_ips: tuple[str, ...] = ()
    """Addresses announced to clients as host candidates, best first. Empty = ``host``, or every address of the machine for a wildcard."""
    turn: TurnConfig | None = None
    """The node's own TURN server, on ``host``; None = none."""
    turn_external: ExternalTurn | None = None
    """Goes before ``turn``: clients are sent there."""
    max_streams: int = 2_000
    """Publishers at one time; the next is refused with ``MediaFull``."""
    max_players: int = 20_000
    """Players at one time; the next is refused with ``MediaFull``."""
    packets_per_second: int = 250
    """Datagrams taken from one peer, apart from ICE checks, with a second's worth at once; more are dropped before they are decrypted.
    Opus at 20 ms is 50 packets a second, at 10 ms 100; feedback and probes come on top."""
    max_sdp_bytes: int = 65_536
    """Longest offer that is read."""
    stun_delay_ms: int = 100
    """ICE checks within this time after the answer are not answered: SDKs from 2.13.0 lose the stream when ICE is up before the
    browser has applied the answer (protocol web-1x-2x.md §5)."""
    connect_timeout_ms: int = 30_000
    """From the answer until ICE and DTLS are up. Generous, because clients of the first generation gather TURN candidates first."""
    idle_timeout_ms: int = 15_000
    """A connected peer from which nothing authentic (ICE check, SRTP, SRTCP) came for this long is closed. Browsers check every 2.5 s."""
    rtcp_interval_ms: int = 2_000
    """Mean distance of our reports to one peer; each distance is drawn between half and one and a half of it (RFC 3550 §6.2)."""
    tick_ms: int = 100
    """Distance of the periodic work (reports, time-outs)."""
    receive_budget: int = 64
    """Datagrams read in one wake of the event loop, so that signalling is not starved."""
    copy_budget: int = 512
    """No further datagram is read in a wake that has sent this many copies."""
    send_queue: int = 2_048
    """Datagrams kept while the socket is full; then the oldest is dropped and counted."""
    socket_buffer: int = 4 * 1024 * 1024
    """SO_RCVBUF and SO_SNDBUF asked for, bytes; the kernel may grant less."""
