"""The SFU: opens and closes media sessions over one UDP port. Who may is decided elsewhere.

One session is one peer connection of a client, for one stream in one direction: a publisher or a player (protocol web-1x-2x.md
§3.2). ``Sfu`` owns SDP, DTLS, time-outs and limits; the packets are the plane's (``media.plane``).
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
from collections.abc import Callable
from functools import partial

import structlog
from aioice.ice import get_host_addresses
from aiortc import RTCCertificate

from media.answer import Track, Transport, candidates, write_answer
from media.audience import Audience, StreamWatcher
from media.config import MediaConfig
from media.dtls import DtlsServer, fingerprint
from media.errors import MediaFull, SessionInUse, TurnPortTaken
from media.figures import MediaFigures
from media.negotiation import sink_format, source_format
from media.offer import Offer, parse_offer
from media.plane import (
    Clock,
    IceCredentials,
    Loudest,
    MediaPlane,
    PlaneEvents,
    SinkFormat,
    SourceFormat,
    SrtpKeys,
    Tap,
)
from media.python_plane import PythonPlane
from media.session import Lost, MediaListener, Role, Session, SessionStatistics, SfuTotals
from media.turn.access import RelayAccess
from media.turn.relay import Relay
from media.udp_port import UdpPort

log = structlog.get_logger()

_ICE_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/"
_UFRAG_LENGTH = 8
_PASSWORD_LENGTH = 24
"""RFC 8445 §5.3 asks for 4 and 22 at least."""

_LIVENESS_INTERVAL_MS = 1_000

_FIRST_INNER = 1 << 32
"""Taps and feeds are numbered from here: media session ids are uint32."""


PlaneFactory = Callable[[UdpPort, PlaneEvents], MediaPlane]


class Sfu:
    """See the module. Every method is for the event loop on which ``start`` ran."""

    def __init__(
        self,
        config: MediaConfig,
        listener: MediaListener,
        *,
        clock: Clock,
        rng: random.Random,
        plane: PlaneFactory | None = None,
    ) -> None:
        """``rng`` makes ICE passwords: give ``random.SystemRandom()`` outside tests. ``plane`` replaces the Python plane."""
        self._config = config
        self._listener = listener
        self._clock = clock
        self._rng = rng
        self._make_plane = plane or self._python_plane
        self._sessions: dict[int, Session] = {}
        self._publishers: dict[str, int] = {}
        """The connected publisher of each stream."""
        self._audience = Audience()
        self._inner_numbers = itertools.count(_FIRST_INNER)
        self._counts = dict.fromkeys(Role, 0)
        self._lost: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._liveness_due = 0
        self._udp: UdpPort | None = None
        self._plane: MediaPlane | None = None
        self._relay = Relay(config, clock=clock, rng=rng)

    # --- life

    async def start(self) -> None:
        """Binds the UDP ports and starts to serve. Raises ``OSError`` if a port is taken or the address is not ours, ``TurnPortTaken``
        if that is the TURN server's."""
        loop = asyncio.get_running_loop()
        config = self._config
        self._certificate = RTCCertificate.generateCertificate()
        self._fingerprint = fingerprint(self._certificate)
        self._udp = UdpPort.bind(config.host, config.udp_port, loop, buffer_bytes=config.socket_buffer, queue_limit=config.send_queue)
        self._plane = self._make_plane(self._udp, self)
        # Candidates hold addresses only: where media.host is a name, the one that it stood for when the port was bound.
        announced = config.public_ips or _own_addresses(config.host)
        self._ips = tuple(self._udp.host if ip == config.host else ip for ip in announced)
        try:
            self._relay.start(self._udp, self._ips, self._plane.datagram_relayed)
        except OSError as error:
            self._udp.close()
            self._udp = None
            raise TurnPortTaken(error.errno, error.strerror) from None
        self._udp.read_with(self._plane.datagrams_waiting)
        self._ticker = asyncio.create_task(self._tick_forever(), name="media-ticker")
        log.info("media_started", port=self.port, addresses=list(self._ips), turn_port=self.turn_port)

    async def aclose(self) -> None:
        """Closes every session, with goodbyes, and the port. Not announced to the listener."""
        if self._udp is None:
            return
        for number in list(self._sessions):
            self.close(number)
        self._ticker.cancel()
        await asyncio.gather(self._ticker, *self._tasks, return_exceptions=True)
        self._udp.close()
        self._udp = None
        self._relay.close()
        log.info("media_stopped")

    @property
    def port(self) -> int:
        """The UDP port in use."""
        assert self._udp is not None, "start() first"
        return self._udp.number

    @property
    def turn_port(self) -> int | None:
        """The UDP port of the TURN server; None without one."""
        return self._relay.port

    @property
    def candidates(self) -> list[str]:
        """Our host candidates as SDP writes them, without ``a=`` (they are in each answer as well)."""
        return candidates(Transport(self._ips, self.port, "", "", ""))

    @property
    def addresses(self) -> tuple[str, ...]:
        """``host:port`` of the same, best first."""
        return tuple(f"{f'[{ip}]' if ':' in ip else ip}:{self.port}" for ip in self._ips)

    # --- sessions

    async def open_publisher(self, session_id: int, stream: str, offer: str, *, loudest: Loudest | None = None) -> str:
        """Opens a session that feeds ``stream`` (an opaque, unique name) and returns the answer.

        ``loudest``: the stream is forwarded only while it is one of the loudest of its group; None = always.
        The session takes the stream over from an older publisher when it is connected, not before; the older one is then lost
        with ``Lost.REPLACED``. Raises ``SdpRefused``, ``MediaFull``, ``SessionInUse``.
        """
        parsed = self._admit(session_id, Role.PUBLISHER, offer)
        return self._open(session_id, Role.PUBLISHER, stream, parsed, source_format(parsed), None, loudest)

    async def open_player(self, session_id: int, stream: str, offer: str) -> str:
        """Opens a session that receives ``stream`` and returns the answer.

        The stream need not have a publisher yet, and may change it: packets come whenever there are some.
        Raises ``SdpRefused``, ``MediaFull``, ``SessionInUse``.
        """
        parsed = self._admit(session_id, Role.PLAYER, offer)
        name = hashlib.sha256(stream.encode()).hexdigest()[:32]
        track = Track(ssrc=self._rng.randrange(2, 1 << 32), cname=name, stream=name, track=f"audio-{name[:8]}")
        return self._open(session_id, Role.PLAYER, stream, parsed, sink_format(parsed, ssrc=track.ssrc, cname=track.cname), track)

    def close(self, session_id: int) -> None:
        """Ends the session at once, with goodbyes to the client. Unknown sessions are ignored; the listener is not told."""
        session = self._sessions.pop(session_id, None)
        if session is not None:
            self._say_goodbye(session)
        # After the goodbyes, which may go through it.
        self._relay.revoke(session_id)

    @property
    def relay_urls(self) -> tuple[str, ...]:
        """The TURN servers that clients are sent to, best first; empty = none."""
        return self._relay.urls

    def relay_access(self, session_id: int) -> RelayAccess | None:
        """TURN for the client of a media session, open or about to be; until ``close``. None if this node knows of no TURN server."""
        return self._relay.access(session_id)

    def set_forwarding(self, session_id: int, *, audio: bool) -> None:
        """Stops (False) or resumes the packets to a player. Publishers and unknown sessions are ignored."""
        session = self._sessions.get(session_id)
        if session is not None and session.role is Role.PLAYER and session.hears != audio:
            self._active_plane.set_forwarding(session_id, audio)
            session.hears = audio
            (self._audience.joined if audio else self._audience.left)(session.stream)

    # --- sound from and to other parts of this process

    def watch(self, watcher: StreamWatcher) -> None:
        """``watcher`` is told from now on which streams are heard and published here."""
        self._audience.watch(watcher)

    def is_heard(self, stream: str) -> bool:
        """Whether the stream has a player that is to hear it."""
        return self._audience.present(stream)

    def is_published(self, stream: str) -> bool:
        """Whether a WebRTC publisher of the stream is connected."""
        return stream in self._publishers

    def open_tap(self, stream: str, receive: Tap) -> int:
        """``receive`` gets each Opus packet of the stream until ``close_tap`` of the number returned."""
        number = next(self._inner_numbers)
        self._active_plane.open_tap(number, stream, receive)
        return number

    def close_tap(self, tap: int) -> None:
        self._active_plane.close_tap(tap)

    def open_feed(self, stream: str) -> int:
        """This process publishes the stream until ``close_feed`` of the number returned; whoever fed it before is not heard any more."""
        number = next(self._inner_numbers)
        self._active_plane.open_feed(number, stream)
        return number

    def feed_packet(self, feed: int, timestamp: int, payload: bytes, *, marker: bool = False) -> None:
        """Sends one Opus packet to the stream's players now; ``timestamp``: 48 kHz, 0 … 2^32-1, from anywhere."""
        self._active_plane.feed_packet(feed, timestamp, payload, marker=marker)

    def close_feed(self, feed: int) -> None:
        self._active_plane.close_feed(feed)

    # --- figures

    def statistics(self, session_id: int) -> SessionStatistics | None:
        """None for an unknown session."""
        session = self._sessions.get(session_id)
        peer = self._active_plane.peer_statistics(session_id) if session is not None else None
        if session is None or peer is None:
            return None
        return SessionStatistics(session_id, session.role, session.stream, session.opened_at, session.connected_at, peer)

    def figures(self, session_id: int) -> MediaFigures | None:
        """The same in the form that all transports share."""
        found = self.statistics(session_id)
        return None if found is None else found.figures()

    def totals(self) -> SfuTotals:
        return SfuTotals(
            publishers=self._counts[Role.PUBLISHER],
            players=self._counts[Role.PLAYER],
            connected=sum(session.connected_at is not None for session in self._sessions.values()),
            plane=self._active_plane.totals(),
            lost=dict(self._lost),
            turn_allocations=self._relay.allocations,
            turn_refused=self._relay.refused,
        )

    # --- time

    def tick(self, now: int) -> None:
        """Periodic work at ``now`` (epoch ms): reports, and sessions whose time is up."""
        self._active_plane.tick(now)
        self._relay.tick(now)
        if now < self._liveness_due:
            return
        self._liveness_due = now + _LIVENESS_INTERVAL_MS
        for session in list(self._sessions.values()):
            if session.connected_at is None:
                if now - session.opened_at > self._config.connect_timeout_ms:
                    self._lose(session, Lost.NEVER_CONNECTED)
            elif now - max(session.connected_at, self._active_plane.last_heard(session.number)) > self._config.idle_timeout_ms:
                self._lose(session, Lost.IDLE)

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(self._config.tick_ms / 1000)
            try:
                self.tick(self._clock())
            except Exception:
                # A listener's mistake must not stop the time-outs of everybody else.
                log.exception("media_tick_failed")

    # --- PlaneEvents

    def dtls_received(self, peer: int, datagram: bytes) -> None:
        session = self._sessions.get(peer)
        if session is None:
            return
        if session.task is None:
            # Not before the first datagram: a session that never gets that far costs no task and no OpenSSL context.
            session.task = asyncio.create_task(self._associate(session), name=f"media-dtls-{peer}")
            self._tasks.add(session.task)
            session.task.add_done_callback(self._tasks.discard)
        session.dtls.feed(datagram)

    # --- inside

    @property
    def _active_plane(self) -> MediaPlane:
        assert self._plane is not None, "start() first"
        return self._plane

    def _python_plane(self, port: UdpPort, events: PlaneEvents) -> MediaPlane:
        config = self._config
        return PythonPlane(
            port,
            events,
            clock=self._clock,
            rng=self._rng,
            receive_budget=config.receive_budget,
            copy_budget=config.copy_budget,
            rtcp_interval_ms=config.rtcp_interval_ms,
            packets_per_second=config.packets_per_second,
        )

    def _admit(self, session_id: int, role: Role, offer: str) -> Offer:
        limit = self._config.max_streams if role is Role.PUBLISHER else self._config.max_players
        if session_id in self._sessions:
            raise SessionInUse(f"media session {session_id} is open")
        if self._counts[role] >= limit:
            raise MediaFull(f"the node has {limit} {role.value}s")
        return parse_offer(offer, publishing=role is Role.PUBLISHER, max_bytes=self._config.max_sdp_bytes)

    def _open(
        self,
        number: int,
        role: Role,
        stream: str,
        offer: Offer,
        format: SourceFormat | SinkFormat,
        track: Track | None,
        loudest: Loudest | None = None,
    ) -> str:
        now = self._clock()
        plane = self._active_plane
        ice = IceCredentials(self._secret(_UFRAG_LENGTH), self._secret(_PASSWORD_LENGTH), offer.ice_ufrag)
        plane.add_peer(number, ice, answer_checks_from=now + self._config.stun_delay_ms)
        session = Session(
            number=number,
            role=role,
            stream=stream,
            opened_at=now,
            dtls=DtlsServer(
                self._certificate, offer.fingerprints, send=partial(plane.send_dtls, number), connected=partial(self._connected, number)
            ),
            format=format,
            loudest=loudest,
        )
        self._sessions[number] = session
        self._counts[role] += 1
        if isinstance(format, SinkFormat):
            plane.subscribe(number, stream, format)
            session.hears = True
            self._audience.joined(stream)
        log.info("media_opened", media_session=number, role=role.value, stream=stream)
        transport = Transport(self._ips, self.port, ice.ufrag, ice.password, self._fingerprint)
        return write_answer(offer, transport, session_id=number, format=format, track=track)

    def _say_goodbye(self, session: Session) -> None:
        session_id = session.number
        self._counts[session.role] -= 1
        if self._publishers.get(session.stream) == session_id:
            del self._publishers[session.stream]
            self._audience.publisher_changed(session.stream, False)
        self._active_plane.remove_peer(session_id, farewell=session.dtls.close_notify())
        if session.hears:
            self._audience.left(session.stream)
        if session.task is not None:
            session.task.cancel()
        log.info("media_closed", media_session=session_id, role=session.role.value, stream=session.stream)

    def _secret(self, length: int) -> str:
        return "".join(self._rng.choices(_ICE_ALPHABET, k=length))

    async def _associate(self, session: Session) -> None:
        try:
            reason = Lost(await session.dtls.run())
        except Exception:
            # Not the client's doing but ours, OpenSSL's or the listener's; only this session ends.
            log.exception("media_dtls_error", media_session=session.number)
            reason = Lost.DTLS_FAILED
        self._lose(session, reason)

    def _connected(self, number: int, keys: SrtpKeys) -> None:
        session = self._sessions.get(number)
        if session is None:
            return
        plane = self._active_plane
        plane.set_keys(number, keys)
        session.connected_at = self._clock()
        replaced: int | None = None
        if isinstance(session.format, SourceFormat):
            plane.publish(number, session.stream, session.format, session.loudest)
            replaced = self._publishers.get(session.stream)
            self._publishers[session.stream] = number
            if replaced is None:
                self._audience.publisher_changed(session.stream, True)
        log.info("media_connected", media_session=number, role=session.role.value, stream=session.stream, srtp=keys.profile.value)
        self._listener.media_connected(number)
        if replaced is not None and replaced in self._sessions:
            self._lose(self._sessions[replaced], Lost.REPLACED)

    def _lose(self, session: Session, reason: Lost) -> None:
        if self._sessions.get(session.number) is not session:
            return
        self.close(session.number)
        self._lost[reason.value] = self._lost.get(reason.value, 0) + 1
        log.info("media_lost", media_session=session.number, reason=reason.value, stream=session.stream)
        self._listener.media_lost(session.number, reason.value)


def _own_addresses(host: str) -> tuple[str, ...]:
    """Addresses to announce when none are configured: the bound one, or for a wildcard all of the machine, loopback last."""
    if host not in ("0.0.0.0", "::"):
        return (host,)
    found: list[str] = get_host_addresses(use_ipv4=True, use_ipv6=host == "::")
    return (*found, "127.0.0.1")


__all__ = ["Lost", "MediaConfig", "MediaListener", "Role", "SessionStatistics", "Sfu", "SfuTotals"]
