"""``RoomService``: the only place where room state changes. Dialects, the cloud API and the clean-up all call it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from rooms import identifiers
from rooms.background import Background
from rooms.errors import Draining, MultiRoomDisabled, SessionEnded, SessionUnknown, StoreUnavailable
from rooms.events import EndReason, Receiver, StreamEnd, UserLeft, Watcher
from rooms.feed import EventFeed
from rooms.following import Entering, FollowedRoom, Following
from rooms.held import HeldSession, speaker
from rooms.limits import RoomLimits
from rooms.messages import Messages
from rooms.model import Clock, ExtraInfo, Grant, LoginRequest, NodeInfo, Policy, RoomInfo, Session, Stream, Timings, User
from rooms.moderation import Moderation
from rooms.node_requests import NodeRequests, node_channel
from rooms.registry import LoginOutcome, Published, Registry
from rooms.store import Store
from rooms.upkeep import Upkeep
from rooms.view import RoomView

log = structlog.get_logger()

REFUSED_RETURNS = frozenset({EndReason.REPLACED, EndReason.KICKED, EndReason.ROOM_CLOSED, EndReason.TOKEN_EXPIRED})
"""Whose session ended like this while the client was away is told so at its return; after the others it may enter as new."""


class LoginResult(msgspec.Struct, frozen=True):
    session: Session
    resumed: bool
    told: bytes | None
    """What ``detach`` (or ``Receiver.superseded``) said about this client; None = not known, or a new session."""
    view: RoomView


class Counts(msgspec.Struct, frozen=True):
    """What this node holds, for metrics."""

    sessions: int
    """With a connection here."""
    rooms: int
    """Followed here."""
    streams: int
    """On the air, held by this node's sessions."""


class RoomPage(msgspec.Struct, frozen=True):
    rooms: tuple[RoomInfo, ...]
    cursor: str
    """For the next page; empty = this was the last one."""


class RoomService:
    """All methods raise ``StoreUnavailable`` (retryable) when the registry cannot be reached, unless they say otherwise."""

    def __init__(
        self,
        store: Store,
        *,
        node: NodeInfo,
        policies: Callable[[int], Policy],
        limits: RoomLimits,
        timings: Timings,
        clock: Clock,
        rng: random.Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``rng`` makes session ids and media keys, which are secrets: ``random.SystemRandom`` in production.

        ``sleep`` (seconds) paces the background work, nothing else.
        """
        if not node.node_id or not all(c.isalnum() or c in "._:-" for c in node.node_id):
            raise ValueError(f"node id {node.node_id!r}: letters, digits and ._:- only")
        self._store = store
        self._policies = policies
        self._limits = limits
        self._timings = timings
        self._clock = clock
        self._rng = rng
        self._sleep = sleep
        self._held: dict[int, HeldSession] = {}
        self._detaching: dict[int, bytes] = {}
        self._background = Background()
        spawn = self._background.spawn
        self._registry = Registry(store, node.node_id, f"{node.node_id}#{rng.getrandbits(32):08x}", limits, timings.empty_room)
        self._moderation = Moderation(self._registry, limits, clock, self._done)
        self._home = node_channel(node.node_id)
        self._node_requests = NodeRequests(store, node.node_id, rng=rng, spawn=spawn)
        self._feed = EventFeed(store, self._home, on_payload=self._on_payload, on_restored=lambda: self._upkeep.doubt(store_failed=False))
        self._following = Following(
            self._registry, self._feed, node.node_id, limits, clock,
            spawn=spawn, on_ended=self._forget_held, on_jump=self._on_jump,
        )  # fmt: skip
        self._upkeep = Upkeep(
            self._registry, self._following, self._held, node=node, timings=timings, clock=clock, rng=rng, store=store,
            end=self.logout,
        )  # fmt: skip
        self._messages = Messages(
            self._registry, self._held, limits, clock=clock, rng=rng, require_store=self._upkeep.require_store, done=self._done
        )
        store.on_trouble = lambda: self._upkeep.doubt(store_failed=True)

    # --- life

    async def start(self) -> None:
        """Takes the lease, subscribes, starts the background work. Raises ``StoreUnavailable`` if the store is not there."""
        try:
            await self._background.start(self._begin, lambda: self._upkeep.loops(self._sleep))
        except BaseException:
            await self.aclose()
            raise

    async def _begin(self) -> None:
        self._background.spawn(self._feed.run(self._sleep, self._upkeep.retry_seconds))
        await self._upkeep.begin(self._feed.connected)

    async def aclose(self) -> None:
        """Gives the lease back: sessions still held begin their grace, streams go off the air, everybody else sees it at once."""
        if not self._background.started:
            return
        self._upkeep.draining = True
        await self._background.end_loops()
        if self._background.running:
            try:
                await self._upkeep.give_up()
            except StoreUnavailable:
                log.warning("lease_not_given_back")
        await self._background.aclose()
        self._held.clear()

    def begin_drain(self) -> None:
        """``login`` is refused from now on (``Draining``); the node's lease says so."""
        self._upkeep.draining = True
        self._upkeep.wake()

    @property
    def ready(self) -> bool:
        """Whether the store can be reached."""
        return self._upkeep.up and self._feed.connected.is_set()

    @property
    def node(self) -> NodeInfo:
        return self._upkeep.node

    @property
    def moderation(self) -> Moderation:
        """What the operator forbids."""
        return self._moderation

    @property
    def messages(self) -> Messages:
        """What is said in rooms."""
        return self._messages

    def reached_at(self, rtmp_url: str) -> None:
        """This node's RTMP address, which is known once it listens. To be said before ``start``."""
        self._upkeep.reached_at(rtmp_url)

    @property
    def node_requests(self) -> NodeRequests:
        """Questions to other nodes and answers to theirs."""
        return self._node_requests

    @property
    def upkeep(self) -> Upkeep:
        """The clean-up steps, for those who want to run one now."""
        return self._upkeep

    def when_changed(self, tell: Callable[[int], None]) -> None:
        """``tell`` hears (on the event loop) of which App something may be in the outbox (``rooms/outbox.py``)."""
        self._registry.on_change = tell

    @property
    def limits(self) -> RoomLimits:
        return self._limits

    def _on_payload(self, channel: str, payload: bytes) -> None:
        if channel == self._home:
            self._node_requests.received(payload)
        else:
            self._following.on_payload(channel, payload)

    def _forget_held(self, held: HeldSession) -> None:
        session = held.session
        if self._held.get(session.session_id) is held:
            del self._held[session.session_id]
        self._following.drop_if_idle(held.room)

    def _on_jump(self, room: FollowedRoom) -> None:
        if room.held:
            self._background.spawn(self._upkeep.restore(list(room.held.values())))

    async def _done(self, app_id: int, published: tuple[Published, ...]) -> None:
        self._following.offer(app_id, published)
        await self._following.settled(app_id, published)

    # --- sessions

    async def login(self, request: LoginRequest, receiver: Receiver) -> LoginResult:
        """Enters a room, or picks up a session (``request.resume``).

        After it returns the view is consistent, and later events reach ``receiver.deliver`` in order: put the login's answer
        on its way before the next ``await``. Raises ``Draining``, ``InvalidRoomId``, ``InvalidUserId``, ``InvalidUserName``,
        ``UserDenied``, ``MultiRoomDisabled``, ``TooManyRooms``, ``AlreadyInRoom``, ``RoomFull``, ``RateLimited``, ``SessionUnknown``
        (the login that a further room was to join has ended), ``SessionEnded`` (the session to resume was ended on purpose).
        """
        if self._upkeep.draining:
            raise Draining("this node takes no new sessions")
        identifiers.check_room_id(request.room_id, self._limits)
        identifiers.check_user_id(request.user_id, self._limits)
        identifiers.check_user_name(request.user_name, self._limits)
        policy = self._policies(request.app_id)
        if (request.multi_room and not policy.multi_room) or (request.login_id and not request.multi_room and not request.resume):
            raise MultiRoomDisabled("several rooms on one login are not enabled")
        self._upkeep.require_store()
        self._upkeep.note_app(request.app_id)
        room = await self._following.follow(request.app_id, request.room_id)
        session_id = self._rng.getrandbits(53) or 1
        entering = Entering((session_id, request.resume))
        room.logins_in_progress.append(entering)
        try:
            self._following.check_login_rate(room)
            try:
                outcome = await self._enter(request, policy, session_id)
                self._following.offer(request.app_id, outcome.published)
                await self._following.reached(room, outcome.session.room_lifetime_id, outcome.rev)
            except (StoreUnavailable, asyncio.CancelledError):
                # The script may have run: nobody would hold what it made.
                self._background.spawn(self._upkeep.abandon(request.app_id, session_id, request.resume, room))
                raise
            return self._attach(outcome, receiver, room, entering)
        finally:
            room.logins_in_progress.remove(entering)
            self._following.release(room)

    async def _enter(self, request: LoginRequest, policy: Policy, session_id: int) -> LoginOutcome:
        now = self._clock()
        user = User(request.user_id, request.user_name, request.role, now, session_id)
        media_key = f"{self._rng.getrandbits(128):032x}"
        login_id = request.login_id or self._rng.getrandbits(53) or 1
        for resume in (request.resume, 0):
            outcome = await self._registry.login(
                request.app_id, request.room_id, user, login_id=login_id, own_login=not request.login_id, resume=resume,
                media_key=media_key, client=request.client, grant=request.grant, most_users=policy.max_room_users,
                first_most_users=request.max_users, most_rooms=policy.max_rooms_per_user, now=now,
            )  # fmt: skip
            if isinstance(outcome, LoginOutcome):
                return outcome
            if outcome.user.user_id == request.user_id and outcome.reason in REFUSED_RETURNS:
                raise SessionEnded(outcome.reason, outcome.message)
        raise SessionUnknown("the session has ended")

    def _attach(self, outcome: LoginOutcome, receiver: Receiver, room: FollowedRoom, entering: Entering) -> LoginResult:
        """The moment at which the receiver begins to get events; nothing here may wait."""
        session, told = outcome.session, outcome.told
        old = self._held.get(session.session_id)
        if old is not None:
            told = old.room.supersede(old)
        elif told is None and outcome.resumed:
            told = self._detaching.get(session.session_id)
        held = HeldSession(session, receiver, room, self._clock())
        ended = entering.ended.get(session.session_id)
        if ended is not None:
            # Already over (a newer login of the user was faster): the client hears it after its login's answer.
            asyncio.get_running_loop().call_soon(room.tell_ended, held, ended)
        else:
            room.attach(held)
            self._held[session.session_id] = held
            if entering.jumped:
                # A snapshot came between: its end, or another connection's taking over, may be in what was skipped.
                self._background.spawn(self._upkeep.restore([held]))
        log.info(
            "session_resumed" if outcome.resumed else "session_started",
            app_id=session.app_id, room_id=session.room_id, user_id=session.user_id, attachment=session.attachment,
        )  # fmt: skip
        return LoginResult(session, outcome.resumed, told if outcome.resumed else None, room.view)

    async def logout(self, session: Session, *, whole_login: bool = False, reason: EndReason = EndReason.LOGOUT, message: str = "") -> None:
        """Ends a session, or all sessions of its login; idempotent. Its streams go off the air first.

        With the store away it returns, too: the session ends here now, and for the others when the store is back.
        """
        try:
            published = await self._registry.end(
                session.app_id, session.session_id, reason, message, whole_login=whole_login, now=self._clock()
            )
            self._following.offer(session.app_id, published)
            await self._following.settled(session.app_id, published)
        except StoreUnavailable:
            self._upkeep.owe_end(session, reason, message, whole_login=whole_login)
        mine = [
            held for held in self._held.values()
            if held.session.session_id == session.session_id
            or (whole_login and held.session.login_id == session.login_id and held.session.app_id == session.app_id)
        ] if whole_login else [held for held in (self._held.get(session.session_id),) if held is not None]  # fmt: skip
        for held in mine:
            # The store did not know it any more, or is away: its end is told here.
            known = held.room.view.users.get(held.session.user_id)
            user = known or User(held.session.user_id, held.session.user_name, held.session.role, held.session.joined_at, 0)
            held.room.tell_ended(held, UserLeft(rev=held.room.view.rev, user=user, reason=reason, message=message))
        log.info("session_ended", app_id=session.app_id, room_id=session.room_id, user_id=session.user_id, reason=reason)

    async def detach(self, session: Session, told: bytes) -> None:
        """The session's socket is lost: its grace period begins. ``told`` is what the client knows; a resume gives it back.

        Does nothing if another connection has the session by now. Never fails: with the store away it is caught up on.
        """
        held = self._held.get(session.session_id)
        if held is None or held.session.attachment != session.attachment:
            return
        held.room.remove(held)
        del self._held[session.session_id]
        kept = told if len(told) <= self._limits.told_bytes else None
        deadline = self._clock() + self._timings.grace
        if kept is not None:
            self._detaching[session.session_id] = kept
        try:
            await self._registry.detach(held.session, deadline, kept, now=self._clock())
        except StoreUnavailable:
            self._upkeep.owe_detach(held.session, deadline, kept)
        finally:
            self._detaching.pop(session.session_id, None)
            self._following.drop_if_idle(held.room)
        log.info("session_detached", app_id=session.app_id, room_id=session.room_id, user_id=session.user_id)

    def heard_from(self, session: Session) -> None:
        """The client sent something: it lives."""
        held = self._held.get(session.session_id)
        if held is not None:
            held.heard_at = self._clock()

    async def session(self, app_id: int, session_id: int) -> Session | None:
        """A session of any node."""
        held = self._held.get(session_id)
        if held is not None and held.session.app_id == app_id:
            return held.session
        record = await self._registry.session(app_id, session_id)
        return None if record is None else record.session

    async def update_grant(self, session: Session, grant: Grant) -> Session:
        """The session's token was renewed. Returns the session as it is now. Raises ``SessionUnknown``."""
        await self._registry.set_grant(session, grant, now=self._clock())
        held = self._held.get(session.session_id)
        if held is None:
            return msgspec.structs.replace(session, grant=grant)
        held.session = msgspec.structs.replace(held.session, grant=grant)
        return held.session

    # --- streams

    async def reserve(self, session: Session, stream_id: str, node_id: str | None = None) -> Stream:
        """Keeps a stream id for this session; again = for longer, and on ``node_id`` if that is given (also when on the air).

        Raises ``InvalidStreamId``, ``StreamTaken``, ``StreamForbidden``, ``UserDenied``, ``TooManyStreams``, ``SessionUnknown``.
        """
        identifiers.check_stream_id(stream_id, self._limits)
        self._upkeep.require_store()
        now = self._clock()
        stream, published = await self._registry.reserve(session, stream_id, node_id, now + self._timings.reservation, now=now)
        await self._done(session.app_id, published)
        return stream

    async def publish(self, session: Session, stream_id: str, extra_info: str = "") -> Stream:
        """The stream is on the air from now on; again by the same session: only a new ``extra_info`` makes a difference.

        Raises ``InvalidStreamId``, ``MessageTooLong``, ``StreamTaken``, ``TooManyStreams``, ``SessionUnknown``.
        """
        identifiers.check_stream_id(stream_id, self._limits)
        identifiers.check_stream_extra_info(extra_info, self._limits)
        self._upkeep.require_store()
        stream, published = await self._registry.publish(session, stream_id, extra_info, now=self._clock())
        await self._done(session.app_id, published)
        return stream

    async def update_stream(self, session: Session, stream_id: str, extra_info: str) -> Stream:
        """Raises ``MessageTooLong``, ``StreamUnknown``, ``NotOwner``."""
        identifiers.check_stream_extra_info(extra_info, self._limits)
        self._upkeep.require_store()
        stream, published = await self._registry.update_stream(session, stream_id, extra_info, now=self._clock())
        await self._done(session.app_id, published)
        return stream

    async def unpublish(self, session: Session, stream_id: str, reason: StreamEnd = StreamEnd.STOPPED) -> Stream | None:
        """Off the air, or the reservation given up; None if there was none. Raises ``NotOwner``."""
        stream, published = await self._registry.unpublish(session.app_id, session.session_id, stream_id, reason, now=self._clock())
        await self._done(session.app_id, published)
        return stream

    async def stream(self, app_id: int, stream_id: str) -> Stream | None:
        """Reserved or on the air, in any room of the App."""
        return await self._registry.stream(app_id, stream_id)

    # --- room attributes

    async def set_extra_info(self, session: Session, key: str, value: str) -> ExtraInfo:
        """Raises ``ExtraInfoRefused``, ``RateLimited``, ``SessionUnknown``."""
        identifiers.check_extra_info(key, value, self._limits)
        speaker(self._held, session).spend("extra_info_rate", self._limits, self._clock())
        self._upkeep.require_store()
        info, published = await self._registry.set_extra_info(session, key, value, now=self._clock())
        await self._done(session.app_id, published)
        return info

    # --- operator

    async def kick(self, app_id: int, room_id: str, user_id: str, *, message: str = "", reason: EndReason = EndReason.KICKED) -> None:
        """Raises ``RoomUnknown``, ``UserUnknown``."""
        published = await self._registry.kick(app_id, room_id, user_id, reason, message, now=self._clock())
        await self._done(app_id, published)
        log.info("user_kicked", app_id=app_id, room_id=room_id, user_id=user_id, reason=reason)

    async def close_room(self, app_id: int, room_id: str, *, message: str = "", told: bool = False) -> None:
        """Ends every session in the room, then the room, whatever ``empty_room`` says. Raises ``RoomUnknown``.

        ``told``: the operator's backend gets a room_close callback, too.
        """
        done = False
        while not done:
            done, published = await self._registry.close_room(app_id, room_id, message, told=told, now=self._clock())
            await self._done(app_id, published)
        log.info("room_closed", app_id=app_id, room_id=room_id)

    async def remove_stream(self, app_id: int, stream_id: str) -> Stream | None:
        """Takes a stream off the air, whoever holds it; None if there was none."""
        stream, published = await self._registry.unpublish(app_id, None, stream_id, StreamEnd.REMOVED, now=self._clock())
        await self._done(app_id, published)
        return stream

    async def rooms(self, app_id: int, *, limit: int = 100, cursor: str = "") -> RoomPage:
        """Rooms in the order of their ids, from after ``cursor``."""
        found = await self._registry.rooms(app_id, limit, cursor, now=self._clock())
        return RoomPage(tuple(found), found[-1].room_id if len(found) == limit and found else "")

    async def users(self, app_id: int, room_id: str) -> list[User]:
        """In the order in which they came; empty if there is no such room."""
        return await self._registry.users(app_id, room_id)

    async def streams(self, app_id: int, room_id: str) -> list[Stream]:
        """On the air, in the order in which they went there; empty if there is no such room."""
        return await self._registry.streams(app_id, room_id)

    async def extra_info(self, app_id: int, room_id: str) -> list[ExtraInfo]:
        return await self._registry.extra_info(app_id, room_id)

    async def nodes(self) -> list[NodeInfo]:
        return await self._registry.nodes()

    # --- local

    def view(self, app_id: int, room_id: str) -> RoomView | None:
        """The room as this node sees it; present while a session with a connection here, or a watcher, is in it."""
        room = self._following.get(app_id, room_id)
        return None if room is None else room.view

    async def watch(self, app_id: int, room_id: str, watcher: Watcher) -> RoomView:
        """The watcher gets every event of the room from now on, whether the room exists yet or not."""
        room = await self._following.follow(app_id, room_id)
        room.watchers.append(watcher)
        self._following.release(room)
        return room.view

    def unwatch(self, app_id: int, room_id: str, watcher: Watcher) -> None:
        """Idempotent."""
        room = self._following.get(app_id, room_id)
        if room is not None and watcher in room.watchers:
            room.watchers.remove(watcher)
            self._following.drop_if_idle(room)

    def counts(self) -> Counts:
        """Costs O(sessions here); meant for a metrics scrape, not for every request."""
        streams = sum(1 for room in self._following.rooms() for stream in room.view.streams.values() if stream.session_id in self._held)
        return Counts(len(self._held), len(self._following), streams)
