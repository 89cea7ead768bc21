"""Keeps the views of the rooms in which somebody on this node is, and hands events to the receivers here.

Events reach a room twice: with the reply of the script that this node ran, and over the subscription. Each carries its place in
the history, so the second one is dropped. A hole in what the subscription brings is filled from the room's log, or, if that
is too short, by a snapshot, after which the receivers are told to resynchronise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import msgspec
import structlog

from rooms.buckets import TokenBucket
from rooms.errors import RateLimited, StoreUnavailable
from rooms.events import Addressed, AnyEvent, Delivery, RoomClosed, SessionMoved, UserLeft, Watcher
from rooms.feed import EventFeed
from rooms.held import HeldSession
from rooms.limits import RoomLimits
from rooms.model import Clock
from rooms.registry import CatchUp, Published, Registry
from rooms.store import app_prefix
from rooms.view import RoomView

log = structlog.get_logger()

_decoder = msgspec.json.Decoder(AnyEvent)

OVERDUE_SECONDS = 0.5
"""How long an event that this node caused may take to come in before the view is repaired from the store."""

REPAIR_SECONDS = 3.0
"""How long that repair may take before the call that waits for it fails."""


class Entering:
    """A login between its script and the moment at which its receiver is attached."""

    __slots__ = ("ended", "jumped", "session_ids")

    def __init__(self, session_ids: tuple[int, ...]) -> None:
        self.session_ids = session_ids
        """The session that it may begin and the one that it may resume (0 = none)."""
        self.ended: dict[int, UserLeft] = {}
        """Which of them have ended meanwhile."""
        self.jumped = False
        """The view was replaced by a snapshot meanwhile."""


class FollowedRoom:
    """One room on this node: its view, who gets its events, and what is held back while the view is behind."""

    def __init__(self, app_id: int, room_id: str, node_id: str, limits: RoomLimits, now: int) -> None:
        self.view = RoomView(app_id, room_id)
        self.holds = 0
        """Operations in progress that need the room to stay followed."""
        self.logins_in_progress: list[Entering] = []
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.behind = True
        """The view waits for the store; events are held back in ``waiting``."""
        self.broken = False
        """A hole was found (or the last repair failed): nothing short of a repair helps."""
        self.waiting: list[tuple[bytes, bool]] = []
        self.held: dict[int, HeldSession] = {}
        self.watchers: list[Watcher] = []
        self.broadcasts = TokenBucket(limits.broadcast_room_rate, now)
        self.logins = TokenBucket(limits.login_rate, now)
        self.dropped = False
        """No longer followed: nothing more will come in."""
        self._by_user: dict[str, HeldSession] = {}
        self._node_id = node_id
        self._most_waiting = limits.waiting_events
        self._closed_lifetime = 0
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []
        self.on_ended: Callable[[HeldSession], None] = lambda held: None

    @property
    def channel(self) -> str:
        return f"{app_prefix(self.view.app_id)}events:{self.view.room_id}"

    @property
    def idle(self) -> bool:
        return not (self.holds or self.held or self.watchers)

    # --- who gets events

    def entering(self, session_id: int) -> bool:
        """Whether a login in progress may take this session."""
        return any(session_id in login.session_ids for login in self.logins_in_progress)

    def attach(self, held: HeldSession) -> None:
        self.held[held.session.session_id] = held
        self._by_user[held.session.user_id] = held

    def remove(self, held: HeldSession) -> None:
        """The session gets no more events here."""
        if self.held.get(held.session.session_id) is held:
            del self.held[held.session.session_id]
        if self._by_user.get(held.session.user_id) is held:
            del self._by_user[held.session.user_id]

    # --- events

    def passed(self, lifetime_id: int, rev: int) -> bool:
        """Whether the view has seen this point of the history, or nobody here looks at it any more."""
        view = self.view
        if self.dropped:
            return True
        if view.lifetime_id == lifetime_id:
            return view.rev >= rev
        return view.lifetime_id > lifetime_id or self._closed_lifetime >= lifetime_id

    async def wait_for(self, lifetime_id: int, rev: int, seconds: float) -> bool:
        """Waits until the view has passed this point; False if it takes longer than that."""
        if self.passed(lifetime_id, rev):
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (lifetime_id, rev, future)
        self._waiters.append(entry)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiters.remove(entry)
        return True

    def drop(self) -> None:
        self.dropped = True
        self._wake()

    def _wake(self) -> None:
        for lifetime_id, rev, future in self._waiters:
            if not future.done() and self.passed(lifetime_id, rev):
                future.set_result(None)

    def take(self, payload: bytes, *, own: bool) -> bool:
        """An event came in. ``own``: with a script's reply, which may overtake the subscription. True = there is a hole: repair."""
        if self.behind:
            if len(self.waiting) >= self._most_waiting:
                self.waiting.clear()  # the rest will show a hole, and that leads to a snapshot
            self.waiting.append((payload, own))
            return False
        life, number, json = payload.split(b" ", 2)
        lifetime_id, rev = int(life), int(number)
        view = self.view
        if rev == 0:
            if lifetime_id == view.lifetime_id:
                self._hand_out(_decoder.decode(json))
            return False
        if self.passed(lifetime_id, rev):
            return False
        if view.lifetime_id == 0 and rev == 1:
            view.begin(lifetime_id)
        if view.lifetime_id != lifetime_id or rev != view.rev + 1:
            return not own
        self._apply(_decoder.decode(json))
        return False

    def _apply(self, event: AnyEvent) -> None:
        if isinstance(event, RoomClosed):
            self._closed_lifetime = event.lifetime_id
        self.view.apply(event)
        if isinstance(event, SessionMoved):
            self._moved(event)
        else:
            self._hand_out(event)
            if isinstance(event, UserLeft):
                self._ended(event)
        if self._waiters:
            self._wake()

    def _hand_out(self, event: AnyEvent) -> None:
        delivery = Delivery(event)
        if isinstance(event, Addressed) and event.to:
            held = [found for user_id in event.to if (found := self._by_user.get(user_id)) is not None]
        else:
            held = list(self.held.values())
        for one in held:
            try:
                one.receiver.deliver(delivery)
            except Exception:
                log.exception("receiver_failed", app_id=self.view.app_id, room_id=self.view.room_id, user_id=one.session.user_id)
        for watcher in tuple(self.watchers):
            try:
                watcher.deliver(delivery)
            except Exception:
                log.exception("watcher_failed", app_id=self.view.app_id, room_id=self.view.room_id)

    def _ended(self, event: UserLeft) -> None:
        session_id = event.user.session_id
        for login in self.logins_in_progress:
            if session_id in login.session_ids:
                login.ended[session_id] = event
        held = self.held.get(session_id)
        if held is not None:
            self.remove(held)
            self.on_ended(held)

    def _moved(self, event: SessionMoved) -> None:
        held = self.held.get(event.session_id)
        # On this node the login that took it over asks the old receiver itself.
        if held is not None and event.node_id != self._node_id and held.session.attachment < event.attachment:
            self.supersede(held)
        delivery = Delivery(event)
        for watcher in tuple(self.watchers):
            try:
                watcher.deliver(delivery)
            except Exception:
                log.exception("watcher_failed", app_id=self.view.app_id, room_id=self.view.room_id)

    def supersede(self, held: HeldSession) -> bytes | None:
        """Another connection has the session now. Returns what the old one's client had been told."""
        self.remove(held)
        self.on_ended(held)
        try:
            return held.receiver.superseded()
        except Exception:
            log.exception("receiver_failed", app_id=self.view.app_id, room_id=self.view.room_id, user_id=held.session.user_id)
            return None

    def tell_ended(self, held: HeldSession, event: UserLeft) -> None:
        """The session ended in a part of the history that this node has missed."""
        self.remove(held)
        self.on_ended(held)
        try:
            held.receiver.deliver(Delivery(event))
        except Exception:
            log.exception("receiver_failed", app_id=self.view.app_id, room_id=self.view.room_id, user_id=held.session.user_id)

    def caught_up(self, state: CatchUp) -> tuple[bool, bool]:
        """The store has answered. Returns whether the view jumped and whether there is a hole again."""
        self.behind = False
        jumped = False
        waiting, self.waiting = self.waiting, []
        if state.payloads is not None:
            waiting = [*((payload, False) for payload in state.payloads), *waiting]
        elif not state.same:
            jumped = True
            for login in self.logins_in_progress:
                login.jumped = True
            view = self.view
            if view.lifetime_id and view.lifetime_id != state.lifetime_id:
                self._closed_lifetime = max(self._closed_lifetime, view.lifetime_id)
            view.replace(state.lifetime_id, state.rev, state.users, state.streams, state.extra)
            if self.ready.done():
                self._resync()
            self._wake()
        hole = False
        for payload, own in waiting:
            hole = self.take(payload, own=own) or hole
        return jumped, hole

    def _resync(self) -> None:
        for receiver in [*(held.receiver for held in self.held.values()), *self.watchers]:
            try:
                receiver.resync()
            except Exception:
                log.exception("receiver_failed", app_id=self.view.app_id, room_id=self.view.room_id)


class Following:
    """All rooms that this node follows."""

    def __init__(
        self,
        registry: Registry,
        feed: EventFeed,
        node_id: str,
        limits: RoomLimits,
        clock: Clock,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        on_ended: Callable[[HeldSession], None],
        on_jump: Callable[[FollowedRoom], None],
    ) -> None:
        """``on_jump``: a view was replaced by a snapshot, its local sessions may have ended meanwhile."""
        self._registry = registry
        self._feed = feed
        self._node_id = node_id
        self._limits = limits
        self._clock = clock
        self._spawn = spawn
        self._on_ended = on_ended
        self._on_jump = on_jump
        self._rooms: dict[tuple[int, str], FollowedRoom] = {}
        self._by_channel: dict[str, FollowedRoom] = {}
        self.steady = asyncio.Event()
        """Cleared while what this node holds is being put back into the store: a snapshot taken now would lack it."""
        self.steady.set()

    def __len__(self) -> int:
        return len(self._rooms)

    def rooms(self) -> Iterable[FollowedRoom]:
        return tuple(self._rooms.values())

    def get(self, app_id: int, room_id: str) -> FollowedRoom | None:
        room = self._rooms.get((app_id, room_id))
        return room if room is not None and room.ready.done() else None

    async def follow(self, app_id: int, room_id: str) -> FollowedRoom:
        """The room with an up-to-date view, held until ``release``. Raises ``StoreUnavailable``."""
        room = self._rooms.get((app_id, room_id))
        if room is None:
            room = FollowedRoom(app_id, room_id, self._node_id, self._limits, self._clock())
            room.on_ended = self._on_ended
            self._rooms[app_id, room_id] = room
            self._by_channel[room.channel] = room
            room.holds += 1
            self._spawn(self._open(room))
        else:
            room.holds += 1
        if not room.ready.done():
            try:
                await asyncio.shield(room.ready)
            except BaseException:
                self.release(room)
                raise
        elif room.ready.exception() is not None:
            self.release(room)
            raise StoreUnavailable("the room cannot be followed now")
        return room

    def release(self, room: FollowedRoom) -> None:
        room.holds -= 1
        self.drop_if_idle(room)

    def drop_if_idle(self, room: FollowedRoom) -> None:
        """Stops following when nobody here needs the room any more."""
        if room.idle and room.ready.done() and self._forget(room):
            self._spawn(self._feed.unsubscribe(room.channel))

    def _forget(self, room: FollowedRoom) -> bool:
        key = (room.view.app_id, room.view.room_id)
        if self._rooms.get(key) is not room:
            return False
        del self._rooms[key]
        del self._by_channel[room.channel]
        self._feed.forget(room.channel)
        room.drop()
        return True

    async def _open(self, room: FollowedRoom) -> None:
        try:
            await self._feed.subscribe(room.channel)
            hole = (await self._catch_up(room))[1]
        except StoreUnavailable as error:
            if self._forget(room):
                self._spawn(self._feed.unsubscribe(room.channel))
            room.ready.set_exception(error)
            room.ready.exception()  # seen: those who waited may have gone
            return
        except BaseException:
            self._forget(room)
            room.ready.cancel()
            raise
        room.ready.set_result(None)
        if hole:
            self.repair(room)
        self.drop_if_idle(room)

    async def _catch_up(self, room: FollowedRoom) -> tuple[bool, bool]:
        view = room.view
        room.behind = True
        state = await self._registry.catch_up(view.app_id, view.room_id, view.lifetime_id, view.rev, now=self._clock())
        return room.caught_up(state)

    def repair(self, room: FollowedRoom) -> None:
        """Brings a view up to date in the background; events are held back meanwhile."""
        if not room.broken and self._rooms.get((room.view.app_id, room.view.room_id)) is room:
            room.broken = room.behind = True
            self._spawn(self._repair(room))

    async def _repair(self, room: FollowedRoom) -> None:
        try:
            await self.steady.wait()
            while True:
                jumped, hole = await self._catch_up(room)
                if jumped:
                    log.info("view_jumped", app_id=room.view.app_id, room_id=room.view.room_id, rev=room.view.rev)
                    self._on_jump(room)
                if not hole:
                    return
        except StoreUnavailable:
            # The view stays behind; `refresh` is called when the store is back.
            log.warning("view_repair_postponed", app_id=room.view.app_id, room_id=room.view.room_id)
        finally:
            room.broken = False

    def refresh(self) -> None:
        """Checks every view against the store (after the subscription or the store was away)."""
        for room in self.rooms():
            if room.ready.done():
                self.repair(room)

    def on_payload(self, channel: str, payload: bytes) -> None:
        room = self._by_channel.get(channel)
        if room is not None and room.take(payload, own=False):
            self.repair(room)

    def offer(self, app_id: int, published: Iterable[Published]) -> None:
        """Events from the reply of a script that this node ran: applied at once if they are the next ones."""
        for one in published:
            room = self._rooms.get((app_id, one.room_id))
            if room is not None:
                room.take(one.payload, own=True)

    async def settled(self, app_id: int, published: Iterable[Published]) -> None:
        """Waits until the view here (if there is one) has seen these events, so that callers read their own writes."""
        last: dict[str, bytes] = {one.room_id: one.payload for one in published}
        for room_id, payload in last.items():
            room = self._rooms.get((app_id, room_id))
            if room is not None:
                life, number, _ = payload.split(b" ", 2)
                await self.reached(room, int(life), int(number))

    async def reached(self, room: FollowedRoom, lifetime_id: int, rev: int) -> None:
        """Waits until the view has seen this point, and helps if it takes long. Raises ``StoreUnavailable``."""
        if room.passed(lifetime_id, rev) or await room.wait_for(lifetime_id, rev, OVERDUE_SECONDS):
            return
        self.repair(room)
        if not await room.wait_for(lifetime_id, rev, REPAIR_SECONDS):
            raise StoreUnavailable("the room's events do not come in")

    def check_login_rate(self, room: FollowedRoom) -> None:
        """Raises ``RateLimited``."""
        if not room.logins.take(self._clock()):
            raise RateLimited("too many logins to this room per second")
