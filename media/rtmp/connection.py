"""One RTMP connection: a socket, the protocol, and what the client does with it.

The socket is read and written here, without a transport in between. A player of sound gets fifty messages a second, each some hundred
bytes: what a transport does around each ``send`` (its queue, its flow control, its wake at the end of the loop's turn) costs as much
as the call itself. So a message is sent at once, and only what the kernel does not take waits, in a queue that is bounded
(``media.rtmp.backlog``). The kernel, for its part, is told to hold little unsent (``TCP_NOTSENT_LOWAT``): seconds of sound in its
buffer would be seconds of delay that nobody can take back.
"""

from __future__ import annotations

import asyncio
import enum
import random
import socket
from collections import Counter
from collections.abc import Callable
from typing import Protocol

import structlog

from media.errors import LiveRefused, MediaFull
from media.packet_rate import PacketRate
from media.plane import Clock
from media.rtmp.access import LiveAccess
from media.rtmp.config import RtmpConfig
from media.rtmp.live import LiveHub
from media.rtmp.playing import RtmpPlayer
from media.rtmp.protocol import (
    Code,
    ConnectRequested,
    Event,
    MediaReceived,
    PauseRequested,
    PlayRequested,
    ProtocolError,
    PublishRequested,
    RtmpServerProtocol,
    StreamClosed,
)
from media.rtmp.publishing import RtmpPublisher

log = structlog.get_logger()

_READ = 16_384
"""Bytes taken from the socket at one time."""
_UNSENT = 16_384
"""Bytes that the kernel keeps unsent before it calls the socket full."""
_MOST_UNREAD_ANSWERS = 65_536
"""Bytes of answers for a client that does not read them; then its requests are not read either."""
BURST_MS = 5_000
"""So much of ``RtmpConfig.messages_per_second`` is taken at once: what waited through half a minute without a network passes."""


class Owner(Protocol):
    """The server that a connection belongs to (``media.rtmp.server.RtmpServer``)."""

    access: LiveAccess
    hub: LiveHub
    config: RtmpConfig
    clock: Clock
    rng: random.Random
    refused: Counter[str]

    def decide(self, connection: RtmpConnection, address: str) -> None:
        """Begins ``connection.ask`` as a task."""
        ...

    def forget(self, connection: RtmpConnection) -> None: ...


class _Phase(enum.Enum):
    OPEN = enum.auto()
    CLOSING = enum.auto()
    """The last word is on its way; what the client still sends is thrown away."""
    GONE = enum.auto()


class RtmpConnection:
    """See the module. Made for an accepted socket; ``start`` begins to read."""

    def __init__(self, sock: socket.socket, client: str, owner: Owner) -> None:
        """``client``: IP address, for the log and the limits."""
        self.client = client
        self.blocked = False
        """The kernel takes no more for now."""
        self.role: RtmpPublisher | RtmpPlayer | None = None
        """What it does, or waits to be allowed to do."""
        self._socket = sock
        self.write: Callable[[bytes], int] = sock.send
        """Sends at once what the kernel takes. For players; not to be called while ``blocked``."""
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._protocol = RtmpServerProtocol(
            rng=owner.rng, max_message=owner.config.max_message, max_chunk_streams=owner.config.max_chunk_streams
        )
        self._rate = PacketRate(owner.config.messages_per_second, burst_ms=BURST_MS)
        self._phase = _Phase.OPEN
        self._app = ""
        self._rest = b""
        """What the kernel did not take."""
        self._reading = False
        self._read_bytes = 0
        now = owner.clock()
        self._deadline: int | None = now + owner.config.handshake_timeout_ms
        """To publish or play; later, to read the last word."""
        self._heard = now
        self._blocked_since = now
        self._pinged = now
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)

    @property
    def gone(self) -> bool:
        return self._phase is not _Phase.OPEN

    def start(self) -> None:
        self._read_on()

    # --- in

    def _read_on(self) -> None:
        held = self._phase is _Phase.OPEN and (self._protocol.unread or len(self._rest) > _MOST_UNREAD_ANSWERS)
        if not self._reading and self._phase is not _Phase.GONE and not held:
            self._reading = True
            self._loop.add_reader(self._socket, self._readable)

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._socket)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.abort()
            return
        if self._phase is _Phase.OPEN:
            self._heard = self._owner.clock()
            self._read_bytes += len(data)
            self._receive(data)

    def _receive(self, data: bytes) -> None:
        """Understands ``data`` and does what it says, up to a request that has to wait for its answer. Of much data, only the first part
        now: the rest when others have had their turn, and nothing is read until then."""
        before = self._protocol.messages
        try:
            events = self._protocol.receive(data)
            if not self._rate.allows(self._owner.clock(), self._protocol.messages - before):
                self._refuse_flood()
                return
            for event in events:
                self._handle(event)
        except ProtocolError as error:
            log.info("rtmp_protocol_error", client=self.client, problem=str(error))
            self.abort()
            return
        self._flush()
        if self._phase is not _Phase.OPEN or self._protocol.waiting:
            return
        if self._protocol.unread:
            self._stop_reading()
            self._loop.call_soon(self._receive_more)
        else:
            self._read_on()

    def _receive_more(self) -> None:
        if self._phase is _Phase.OPEN:
            self._receive(b"")

    def _refuse_flood(self) -> None:
        limit = self._owner.config.messages_per_second
        self._owner.refused["too_many_messages"] += 1
        log.info("rtmp_flood_refused", client=self.client, messages_per_second=limit)
        if isinstance(self.role, RtmpPublisher):
            self.role.refuse(f"more than {limit} messages a second (rtmp.messages_per_second)")
        else:
            self.abort()

    def _handle(self, event: Event) -> None:
        role = self.role
        if isinstance(event, MediaReceived):
            if isinstance(role, RtmpPublisher):
                role.message(event.tag)
        elif isinstance(event, ConnectRequested):
            self._connect(event)
        elif isinstance(event, PublishRequested):
            self._begin(RtmpPublisher(self, self._owner.hub, self._owner.clock), event.name)
        elif isinstance(event, PlayRequested):
            self._begin(RtmpPlayer(self, self._owner.hub, self._owner.config.players), event.name)
        elif isinstance(event, PauseRequested):
            if isinstance(role, RtmpPlayer):
                role.set_paused(event.paused)
        elif isinstance(event, StreamClosed):
            self._leave_role(lost=False)
            self._deadline = self._owner.clock() + self._owner.config.handshake_timeout_ms

    def _connect(self, event: ConnectRequested) -> None:
        if self._owner.access.serves(event.app):
            self._app = event.app.strip("/")
            self._protocol.accept_connect()
        else:
            log.info("rtmp_connect_refused", client=self.client)
            self._protocol.refuse_connect("no such App here")
            self._close()

    def _begin(self, role: RtmpPublisher | RtmpPlayer, name: str) -> None:
        self.role = role
        # Nothing is read while it is decided: what comes meanwhile waits in the kernel.
        self._stop_reading()
        self._owner.decide(self, f"{self._app}/{name.lstrip('/')}")

    async def ask(self, address: str) -> None:
        """Has it decided whether the client may do what it asked for."""
        role = self.role
        assert role is not None
        access = self._owner.access
        try:
            if isinstance(role, RtmpPublisher):
                session = await access.publish(address, self.client, role)
            else:
                session = await access.play(address, self.client, role)
        except (LiveRefused, MediaFull) as refusal:
            self._refused(role, str(refusal), unknown=isinstance(refusal, LiveRefused) and refusal.unknown)
            return
        except Exception:
            log.exception("rtmp_decision_failed", client=self.client)
            self._refused(role, "the server cannot say now")
            return
        if self._phase is not _Phase.OPEN:
            session.ended(lost=True)
            return
        role.session = session
        self._deadline = None
        if isinstance(role, RtmpPublisher):
            self._protocol.accept_publish()
        self._receive(b"")

    def _refused(self, role: RtmpPublisher | RtmpPlayer, reason: str, *, unknown: bool = False) -> None:
        self.role = None
        if self._phase is not _Phase.OPEN:
            return
        if isinstance(role, RtmpPublisher):
            self._protocol.refuse_publish(reason)
        else:
            self._protocol.refuse_play(reason, Code.PLAY_STREAM_NOT_FOUND if unknown else Code.PLAY_FAILED)
        self._close()

    # --- what the role says

    def begin_play(self) -> None:
        self._protocol.accept_play()
        self._flush()

    def end_play(self, reason: str) -> None:
        if self._phase is _Phase.OPEN:
            self.role = None
            self._protocol.end_play(reason)
            self._close()

    def refuse_publish(self, reason: str, code: Code = Code.PUBLISH_BAD_NAME) -> None:
        if self._phase is _Phase.OPEN:
            self.role = None
            self._protocol.refuse_publish(reason, code)
            self._close()

    # --- out

    def _flush(self) -> None:
        out = self._protocol.take()
        if out and self._phase is not _Phase.GONE:
            self.send(out)

    def send(self, data: bytes) -> None:
        """Sends now, or as soon as the kernel takes it. Players look at ``blocked`` first; answers wait here, boundedly."""
        if self.blocked:
            self._rest += data
            if len(self._rest) > _MOST_UNREAD_ANSWERS:
                self._stop_reading()
            return
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            # Not from within: whoever is sending may be in the middle of a round over all players.
            self._loop.call_soon(self.abort)
            self.blocked = True
            return
        if sent < len(data):
            self._rest = data[sent:]
            self.blocked = True
            self._blocked_since = self._owner.clock()
            self._loop.add_writer(self._socket, self._writable)

    def _writable(self) -> None:
        try:
            sent = self._socket.send(self._rest)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.abort()
            return
        self._rest = self._rest[sent:]
        self._blocked_since = self._owner.clock()
        if self._rest:
            return
        self._loop.remove_writer(self._socket)
        self.blocked = False
        if self._phase is _Phase.CLOSING:
            self._say_no_more()
            return
        if not self._protocol.waiting:
            self._read_on()
        if isinstance(self.role, RtmpPlayer):
            self.role.writable()

    # --- the end

    def tick(self, now: int) -> None:
        """Keeps deadlines. ``now``: epoch ms."""
        config = self._owner.config
        if self._deadline is not None and now >= self._deadline:
            self._too_late("deadline")
        elif isinstance(self.role, RtmpPublisher) and now - self._heard >= config.idle_timeout_ms:
            self._too_late("idle")
        elif self.blocked and now - self._blocked_since >= config.players.stall_ms:
            self._too_late("stalled")
        elif isinstance(self.role, RtmpPlayer) and now - self._pinged >= config.ping_interval_ms and not self.blocked:
            self._pinged = now
            self._protocol.ping(now)
            self._flush()

    def _too_late(self, why: str) -> None:
        if self._phase is _Phase.OPEN:
            log.info("rtmp_connection_timed_out", client=self.client, reason=why)
        self.abort()

    def _close(self) -> None:
        """Says the last word and waits for the client to hang up. Closing at once, with unread data, would reset what it has to read."""
        self._flush()
        if self._phase is not _Phase.OPEN:
            return
        self._phase = _Phase.CLOSING
        self._deadline = self._owner.clock() + self._owner.config.closing_ms
        self._read_on()
        if not self.blocked:
            self._say_no_more()

    def _say_no_more(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.abort()  # it has hung up already

    def abort(self) -> None:
        """Ends the connection now. What it did ends as lost. Ending it again does nothing."""
        if self._phase is _Phase.GONE:
            return
        self._phase = _Phase.GONE
        self._stop_reading()
        if self.blocked:
            self._loop.remove_writer(self._socket)
        self.blocked = True
        self._rest = b""
        self._socket.close()
        self._owner.forget(self)
        self._leave_role(lost=True)

    def _leave_role(self, *, lost: bool) -> None:
        role, self.role = self.role, None
        if isinstance(role, RtmpPublisher):
            role.ended(lost=lost)
        elif role is not None:
            role.left(lost=lost)
