"""A room registry and a media plane that live in the test, with the rules that calls relies on and nothing else."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

import msgspec

from auth import AppKeys, Privileges, TokenCheck, TokenKind, issue_token
from calls.addresses import MediaCredential
from calls.apps import App
from calls.media_owner import MediaClaim
from calls.media_session import MediaEnd, MediaLogin, MediaSession
from calls.service import Calls
from calls.settings import CallSettings
from media.figures import MediaFigures, MediaTransport
from media.plane import Loudest
from media.turn.access import RelayAccess
from rooms.errors import NodeUnreachable, RoomError, StoreUnavailable, StreamTaken, StreamUnknown
from rooms.events import (
    AnyEvent,
    Delivery,
    EndReason,
    Receiver,
    ReservationEnded,
    StreamAdded,
    StreamEnd,
    StreamRemoved,
    UserJoined,
    UserLeft,
    Watcher,
)
from rooms.model import Client, Grant, LoginRequest, NodeInfo, Session, Stream, User, Verdict

APP_ID = 1234567890
SECRET = "0123456789abcdef0123456789abcdef"
NOW = 1_800_000_000_000
HERE = NodeInfo(node_id="here", ws_url="")
THERE = NodeInfo(node_id="there", ws_url="wss://there.example", rtmp_url="rtmp://there.example:1935")
BASE = "ws://127.0.0.1:8080"
NO_FIGURES = MediaFigures(MediaTransport.WEBRTC, packets=0, bytes=0)


class Clock:
    """Epoch milliseconds that only move when told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now

    def forward(self, ms: int) -> int:
        self.now += ms
        return self.now


@dataclass
class LoggedIn:
    """Stands for ``rooms.service.LoginResult``."""

    session: Session
    resumed: bool = False
    told: bytes | None = None
    view: Any = None


class FakeNodeRequests:
    """Nobody is there."""

    def serve(self, kind: str, handler: Any) -> None: ...

    async def ask(self, node_id: str, kind: str, body: bytes) -> bytes:
        raise NodeUnreachable("nobody")

    def tell(self, node_id: str, kind: str, body: bytes) -> None: ...


@dataclass
class FakeView:
    """A room as a watcher finds it."""

    users: dict[str, User]


def _user(session: Session) -> User:
    return User(session.user_id, session.user_name, session.role, session.joined_at, session.session_id)


class FakeRooms:
    """Sessions and streams in dictionaries; events go to the watchers of the room at once."""

    def __init__(self, clock: Clock) -> None:
        self.node = HERE
        self.node_requests = FakeNodeRequests()
        self.others: list[NodeInfo] = [THERE]
        self.sessions: dict[tuple[int, int], Session] = {}
        self.held: dict[tuple[int, str], Stream] = {}
        self.watchers: dict[tuple[int, str], list[Watcher]] = {}
        self.ended: list[tuple[str, StreamEnd]] = []
        self.down = False
        self.verdicts: dict[str, Verdict] = {}
        """What the operator says about a stream, by its id."""
        self.add_refusal: RoomError | None = None
        """What ``add_stream`` raises."""
        self.watch_gate: asyncio.Event | None = None
        """Holds ``watch`` back until it is set."""
        self._clock = clock
        self._next = 100

    @property
    def moderation(self) -> FakeRooms:
        return self

    async def verdict(self, app_id: int, room_id: str, stream_id: str) -> Verdict:
        self._reach()
        return self.verdicts.get(stream_id, Verdict())

    async def add_stream(
        self, app_id: int, room_id: str, user_id: str, user_name: str, stream_id: str, extra_info: str, node_id: str = ""
    ) -> Stream:
        self._reach()
        if self.add_refusal is not None:
            raise self.add_refusal
        nobody = msgspec.structs.replace(self.enter(user_id, room_id, app_id=app_id), session_id=0, user_name=user_name)
        stream = self._stream(nobody, stream_id, node_id, on_air=True)
        self.emit(app_id, room_id, StreamAdded(rev=1, stream=stream))
        return stream

    async def delist_stream(self, app_id: int, room_id: str, user_id: str, stream_id: str) -> Stream:
        stream = self.held.pop((app_id, stream_id))
        self.emit(app_id, room_id, StreamRemoved(rev=1, stream=stream, reason=StreamEnd.REMOVED))
        return stream

    def _reach(self) -> None:
        if self.down:
            raise StoreUnavailable("not there")

    def _number(self) -> int:
        self._next += 1
        return self._next

    def enter(self, user_id: str, room_id: str = "r", *, login_id: int = 0, grant: Grant | None = None, app_id: int = APP_ID) -> Session:
        """Somebody who is in a room."""
        session_id = self._number()
        session = Session(
            app_id=app_id,
            room_id=room_id,
            user_id=user_id,
            user_name=user_id.upper(),
            role=2,
            session_id=session_id,
            login_id=login_id or session_id,
            room_lifetime_id=1,
            media_key=f"key-of-{user_id}-{session_id}",
            client=Client(kind="web", version="2.14.0"),
            grant=grant or Grant(),
            node_id=self.node.node_id,
            joined_at=self._clock(),
            attachment=1,
        )
        self.sessions[app_id, session_id] = session
        return session

    def come_in(self, user_id: str, room_id: str = "r") -> Session:
        """As ``enter``, and those who watch the room see it."""
        session = self.enter(user_id, room_id)
        self.emit(session.app_id, room_id, UserJoined(rev=1, user=_user(session)))
        return session

    def emit(self, app_id: int, room_id: str, event: AnyEvent) -> None:
        for watcher in list(self.watchers.get((app_id, room_id), [])):
            watcher.deliver(Delivery(event))

    def gone(self, session: Session, reason: EndReason) -> None:
        """The session ends, its streams with it."""
        del self.sessions[session.app_id, session.session_id]
        for key, stream in list(self.held.items()):
            if stream.session_id == session.session_id:
                del self.held[key]
                self.emit(session.app_id, session.room_id, StreamRemoved(rev=1, stream=stream, reason=StreamEnd.OWNER_LEFT))
        self.emit(session.app_id, session.room_id, UserLeft(rev=1, user=_user(session), reason=reason))

    def elsewhere(self, session: Session, stream_id: str) -> Stream:
        """The session publishes the stream on the other node."""
        stream = self._stream(session, stream_id, THERE.node_id, on_air=True)
        self.emit(session.app_id, session.room_id, StreamAdded(rev=1, stream=stream))
        return stream

    def _stream(self, session: Session, stream_id: str, node_id: str, *, on_air: bool, extra_info: str = "") -> Stream:
        old = self.held.get((session.app_id, stream_id))
        stream = Stream(
            stream_id=stream_id,
            stream_sid=old.stream_sid if old else self._number(),
            user_id=session.user_id,
            user_name=session.user_name,
            room_id=session.room_id,
            session_id=session.session_id,
            node_id=node_id,
            extra_info=extra_info,
            on_air=on_air or (old is not None and old.on_air),
            created_at=self._clock(),
            version=1,
        )
        self.held[session.app_id, stream_id] = stream
        return stream

    async def login(self, request: LoginRequest, receiver: Receiver) -> LoggedIn:
        self._reach()
        resumed = self.sessions.get((request.app_id, request.resume))
        if resumed is not None:
            session = msgspec.structs.replace(resumed, grant=request.grant)
            self.sessions[request.app_id, session.session_id] = session
            return LoggedIn(session, resumed=True)
        return LoggedIn(self.enter(request.user_id, request.room_id, grant=request.grant, app_id=request.app_id))

    async def logout(self, session: Session, *, whole_login: bool = False, reason: EndReason = EndReason.LOGOUT) -> None:
        if self.down:
            return  # the registry hears of it later
        for other in list(self.sessions.values()):
            if other.session_id == session.session_id or (whole_login and other.login_id == session.login_id):
                self.gone(other, reason)

    async def session(self, app_id: int, session_id: int) -> Session | None:
        self._reach()
        return self.sessions.get((app_id, session_id))

    async def update_grant(self, session: Session, grant: Grant) -> Session:
        renewed = msgspec.structs.replace(session, grant=grant)
        self.sessions[session.app_id, session.session_id] = renewed
        return renewed

    async def reserve(self, session: Session, stream_id: str, node_id: str | None = None) -> Stream:
        self._reach()
        old = self.held.get((session.app_id, stream_id))
        if old is not None and old.session_id != session.session_id:
            raise StreamTaken("somebody else's")
        return self._stream(session, stream_id, node_id or self.node.node_id, on_air=False, extra_info=old.extra_info if old else "")

    async def publish(self, session: Session, stream_id: str, extra_info: str) -> Stream:
        await self.reserve(session, stream_id)
        return self._stream(session, stream_id, self.node.node_id, on_air=True, extra_info=extra_info)

    async def update_stream(self, session: Session, stream_id: str, extra_info: str) -> Stream:
        if (session.app_id, stream_id) not in self.held:
            raise StreamUnknown("no such stream")
        return self._stream(session, stream_id, self.node.node_id, on_air=True, extra_info=extra_info)

    async def unpublish(self, session: Session, stream_id: str, reason: StreamEnd = StreamEnd.STOPPED) -> Stream | None:
        self._reach()
        stream = self.held.get((session.app_id, stream_id))
        if stream is None or stream.session_id != session.session_id:
            return None
        del self.held[session.app_id, stream_id]
        self.ended.append((stream_id, reason))
        event = StreamRemoved(rev=1, stream=stream, reason=reason) if stream.on_air else ReservationEnded(rev=1, stream=stream)
        self.emit(session.app_id, session.room_id, event)
        return stream

    async def stream(self, app_id: int, stream_id: str) -> Stream | None:
        self._reach()
        return self.held.get((app_id, stream_id))

    async def nodes(self) -> list[NodeInfo]:
        return [self.node, *self.others]

    async def watch(self, app_id: int, room_id: str, watcher: Watcher) -> FakeView:
        self._reach()
        if self.watch_gate is not None:
            await self.watch_gate.wait()
        self.watchers.setdefault((app_id, room_id), []).append(watcher)
        present = [one for one in self.sessions.values() if (one.app_id, one.room_id) == (app_id, room_id)]
        return FakeView({one.user_id: _user(one) for one in present})

    def unwatch(self, app_id: int, room_id: str, watcher: Watcher) -> None:
        watchers = self.watchers[app_id, room_id]
        watchers.remove(watcher)
        if not watchers:
            del self.watchers[app_id, room_id]


class FakePlane:
    """Remembers what is open; ``refuse`` makes the next offer fail, ``gate`` holds it back."""

    def __init__(self) -> None:
        self.open: dict[int, tuple[str, str]] = {}
        self.forwarding: dict[int, bool] = {}
        self.counters: dict[int, MediaFigures] = {}
        """What is known of a session's quality."""
        self.refuse: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.loudest: Loudest | None = None
        """What the last publisher was opened with."""
        self.turn_servers: tuple[str, ...] = ("turn:192.0.2.1:3478?transport=udp",)

    async def open_publisher(self, session_id: int, stream: str, offer: str, *, loudest: Loudest | None = None) -> str:
        self.loudest = loudest
        return await self._open(session_id, "publisher", stream, offer)

    async def open_player(self, session_id: int, stream: str, offer: str) -> str:
        return await self._open(session_id, "player", stream, offer)

    async def _open(self, session_id: int, role: str, stream: str, offer: str) -> str:
        if self.gate is not None:
            await self.gate.wait()
        if self.refuse is not None:
            raise self.refuse
        self.open[session_id] = (role, stream)
        return f"answer to {offer}"

    def close(self, session_id: int) -> None:
        self.open.pop(session_id, None)

    @property
    def addresses(self) -> tuple[str, ...]:
        return ("192.0.2.1:7000",)

    @property
    def relay_urls(self) -> tuple[str, ...]:
        return self.turn_servers

    def relay_access(self, session_id: int) -> RelayAccess | None:
        return RelayAccess(self.turn_servers, f"1:{session_id}", "secret") if self.turn_servers else None

    def figures(self, session_id: int) -> MediaFigures | None:
        return self.counters.get(session_id, NO_FIGURES) if session_id in self.open else None

    def set_forwarding(self, session_id: int, *, audio: bool) -> None:
        self.forwarding[session_id] = audio


@dataclass
class FakePeer:
    """A media socket that remembers what it was told: ``("connected", id)``, ``("status", id, mic, camera)``, ``("closed", id, why)``."""

    told: list[tuple[object, ...]] = field(default_factory=list)

    def connected(self, session: MediaSession) -> None:
        self.told.append(("connected", session.media_session_id))

    def status(self, session: MediaSession, mic: int, camera: int) -> None:
        self.told.append(("status", session.media_session_id, mic, camera))

    def closed(self, session: MediaSession, reason: MediaEnd) -> None:
        self.told.append(("closed", session.media_session_id, reason))


class NoReceiver:
    def deliver(self, delivery: Delivery) -> None: ...

    def resync(self) -> None: ...

    def superseded(self) -> bytes:
        return b""


class House:
    """Calls over the fakes, and shortcuts for what most tests need."""

    def __init__(self, *, check: TokenCheck = TokenCheck.IDENTITY, settings: CallSettings | None = None, loudest: int = 0) -> None:
        self.clock = Clock()
        self.rooms = FakeRooms(self.clock)
        self.plane = FakePlane()
        self.app = App(app_id=APP_ID, keys=AppKeys(APP_ID, (SECRET,)), token_check=check, loudest=loudest)
        self.settings = settings or CallSettings()
        self.calls = Calls(
            self.rooms,  # type: ignore[arg-type]  # its login gives a stand-in
            self.plane,
            apps={APP_ID: self.app}.get,
            settings=self.settings,
            clock=self.clock,
            rng=random.Random(7),
        )

    def token(self, user_id: str, *, ttl: int = 3600, privileges: Privileges | None = None) -> str:
        return issue_token(TokenKind.TOKEN04, keys=self.app.keys, user_id=user_id, now=self.clock() // 1000, ttl=ttl, privileges=privileges)

    async def media(self, session: Session, *held: tuple[int, str]) -> tuple[MediaLogin, FakePeer]:
        """A media socket of the session."""
        peer = FakePeer()
        credential = MediaCredential(session.app_id, session.session_id, session.media_key)
        return await self.calls.media_login(credential, MediaClaim(session.user_id, held=held), peer), peer

    async def tick(self, forward: int = 0) -> None:
        await self.calls.tick(self.clock.forward(forward))

    def name(self, stream_id: str) -> str:
        return f"{APP_ID}/{stream_id}"
