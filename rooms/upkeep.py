"""What a node does beside answering calls: its lease, cleaning up after lost nodes, deadlines, silent sessions, and putting things
right after the store was away. Each is one step that can be called by itself; ``loops`` calls them in turn.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, Protocol

import msgspec
import structlog

from rooms.errors import StoreUnavailable
from rooms.events import EndReason, UserLeft
from rooms.following import FollowedRoom, Following
from rooms.held import HeldSession
from rooms.model import Clock, NodeInfo, Session, Stream, Timings, User
from rooms.registry import BATCH, EndedSession, LeaseState, Registry
from rooms.store import Store

log = structlog.get_logger()

Sleep = Callable[[float], Awaitable[None]]

_AT_ONCE = 16
"""Sessions that are restored at the same time."""

_CONNECT_SECONDS = 5.0


class EndSession(Protocol):
    def __call__(self, session: Session, *, reason: EndReason) -> Coroutine[Any, Any, None]: ...


class Upkeep:
    retry_seconds = 0.5
    """Pause before the next try while the store is away."""

    sweep_seconds = 1.0
    """Pace of ``reap`` and ``end_silent``: how late a deadline may be noticed."""

    def __init__(
        self,
        registry: Registry,
        following: Following,
        held: dict[int, HeldSession],
        *,
        node: NodeInfo,
        timings: Timings,
        clock: Clock,
        rng: random.Random,
        store: Store,
        end: EndSession,
    ) -> None:
        self._registry = registry
        self._following = following
        self._held = held
        self._node = node
        self._timings = timings
        self._clock = clock
        self._rng = rng
        self._store = store
        self._end = end
        self._apps: set[int] = set()
        self._owed: dict[int, Callable[[], Awaitable[None]]] = {}
        self._doubtful = False
        self._wake = asyncio.Event()
        self._reconciling = asyncio.Lock()
        self.up = False
        """The store answered last time."""
        self.draining = False

    @property
    def node(self) -> NodeInfo:
        """This node with its sessions; its streams are counted where its lease is renewed."""
        return msgspec.structs.replace(self._node, draining=self.draining, sessions=len(self._held))

    def reached_at(self, rtmp_url: str) -> None:
        """See ``RoomService.reached_at``."""
        self._node = msgspec.structs.replace(self._node, rtmp_url=rtmp_url)

    # --- what happens

    def wake(self) -> None:
        """Renew the lease now: something in it is new."""
        self._wake.set()

    def doubt(self, *, store_failed: bool) -> None:
        """The store or the subscription was away: what is here and what is there may differ."""
        self._doubtful = True
        if store_failed and self.up:
            self.up = False
            log.warning("store_unreachable")
        self._wake.set()

    def require_store(self) -> None:
        """Raises ``StoreUnavailable`` while the store is known to be away, rather than let each caller find out."""
        if not self.up:
            raise StoreUnavailable("the room store cannot be reached now")

    def note_app(self, app_id: int) -> None:
        """The App is in use: its deadlines are watched."""
        if app_id not in self._apps:
            self._apps.add(app_id)
            self._wake.set()

    def owe_end(self, session: Session, reason: EndReason, message: str, *, whole_login: bool) -> None:
        """The session has ended here; the store is told when it is back."""

        async def end() -> None:
            published = await self._registry.end(
                session.app_id, session.session_id, reason, message, whole_login=whole_login, now=self._clock()
            )
            self._following.offer(session.app_id, published)

        self._owed[session.session_id] = end

    def owe_detach(self, session: Session, deadline: int, told: bytes | None) -> None:
        """The session lost its connection; the store is told when it is back."""

        async def detach() -> None:
            await self._registry.detach(session, deadline, told, now=self._clock())

        self._owed.setdefault(session.session_id, detach)

    async def abandon(self, app_id: int, session_id: int, resume: int, room: FollowedRoom) -> None:
        """A login was given up halfway: what its script may have made is ended (new) or waits for its client again (resumed)."""

        async def undo() -> None:
            published = await self._registry.end(app_id, session_id, EndReason.LOGOUT, "", whole_login=False, now=self._clock())
            self._following.offer(app_id, published)
            if resume and resume not in self._held and not room.entering(resume):
                record = await self._registry.session(app_id, resume)
                if record is not None and record.holder == self._registry.holder and not record.detached:
                    now = self._clock()
                    await self._registry.detach(record.session, now + self._timings.grace, None, now=now)

        try:
            await undo()
        except StoreUnavailable:
            self._owed[session_id] = undo

    # --- steps

    async def begin(self, connected: asyncio.Event) -> None:
        """First lease; whatever an earlier process of this name held is cleaned up. Raises ``StoreUnavailable``."""
        state = await self._renew()
        for holder in state.dying:
            if holder.rpartition("#")[0] == self._node.node_id:
                await self._clean_up(holder, state.apps, streams=True)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await connected.wait()
        except TimeoutError as error:
            raise StoreUnavailable("the store's event subscription does not come up") from error
        self._doubtful = False
        self.up = True

    async def renew_lease(self) -> None:
        """Renews the lease, puts things right if they may be wrong, cleans up after nodes that are gone. Raises ``StoreUnavailable``."""
        try:
            state = await self._renew()
            if not state.kept:
                # Others may be cleaning up after the old lease: begin a new one, and move everything to it.
                log.warning("lease_lost", node_id=self._node.node_id)
                self._registry.holder = f"{self._node.node_id}#{self._rng.getrandbits(32):08x}"
                state = await self._renew()
                self._doubtful = True
            if self._doubtful:
                await self.reconcile()
            self.up = True
            for holder in state.dying:
                log.warning("node_lost", node_id=_node_of(holder))
                await self._clean_up(holder, state.apps, streams=not any(_node_of(live) == _node_of(holder) for live in state.live))
        except StoreUnavailable:
            self._doubtful = True
            self.up = False
            raise

    async def _renew(self) -> LeaseState:
        now = self._clock()
        node = msgspec.structs.replace(self.node, streams=self._streams_here())
        state = await self._registry.renew_lease(node, now + self._timings.node_lease, self._apps, now=now)
        self._apps.update(state.apps)
        return state

    def _streams_here(self) -> int:
        own = self._node.node_id
        return sum(stream.node_id == own for room in self._following.rooms() for stream in room.view.streams.values())

    async def _clean_up(self, holder: str, apps: Sequence[int], *, streams: bool) -> None:
        for app_id in apps:
            count = 1
            while count:
                now = self._clock()
                count, published = await self._registry.node_lost(app_id, holder, now + self._timings.grace, streams=streams, now=now)
                self._following.offer(app_id, published)
        await self._registry.bury(holder)

    async def give_up(self) -> None:
        """This node leaves: as if it were lost, but at once. Raises ``StoreUnavailable``."""
        await self._clean_up(self._registry.holder, tuple(self._apps), streams=True)

    async def reconcile(self) -> None:
        """Store and node agree again: what is owed is done, what is held here is there, views show what is there.

        Raises ``StoreUnavailable``: then it is done when the lease is next renewed.
        """
        async with self._reconciling:
            self._doubtful = False
            self._following.steady.clear()
            if not self.up:
                self._store.drop_connections()
            for session_id, owed in list(self._owed.items()):
                await owed()
                self._owed.pop(session_id, None)
            await self.restore(list(self._held.values()))
            self._following.steady.set()
            self._following.refresh()
        log.info("reconciled", node_id=self._node.node_id, sessions=len(self._held))

    async def restore(self, sessions: Sequence[HeldSession]) -> None:
        """Makes sure that the store knows these sessions and their streams as they are here, and learns which have ended."""
        streams: dict[int, list[Stream]] = defaultdict(list)
        for room in {held.room for held in sessions}:
            for stream in room.view.streams.values():
                streams[stream.session_id].append(stream)
        for start in range(0, len(sessions), _AT_ONCE):
            some = sessions[start : start + _AT_ONCE]
            await asyncio.gather(*(self._restore(held, streams.get(held.session.session_id, [])) for held in some))

    async def _restore(self, held: HeldSession, streams: Sequence[Stream]) -> None:
        session, view = held.session, held.room.view
        user = User(session.user_id, session.user_name, session.role, session.joined_at, session.session_id)
        state, published = await self._registry.restore(session, user, streams, view.rev, now=self._clock())
        self._following.offer(session.app_id, published)
        if self._held.get(session.session_id) is not held:
            return  # it ended or moved while the store was asked
        if state is None:
            held.room.supersede(held)
        elif isinstance(state, EndedSession):
            held.room.tell_ended(held, UserLeft(rev=view.rev, user=state.user, reason=state.reason, message=state.message))
        elif state != session.room_lifetime_id:
            held.session = msgspec.structs.replace(held.session, room_lifetime_id=state)

    async def reap(self) -> None:
        """Ends what is due in all Apps: grace of detached sessions, reservations, empty rooms. Any node does it for all."""
        for app_id in tuple(self._apps):
            count = BATCH
            while count == BATCH:
                count, published = await self._registry.reap(app_id, now=self._clock())
                self._following.offer(app_id, published)

    async def end_silent(self) -> None:
        """Ends sessions here whose clients have sent nothing for ``session_timeout``, socket open or not."""
        limit = self._clock() - self._timings.session_timeout
        for held in [one for one in self._held.values() if one.heard_at < limit]:
            await self._end(held.session, reason=EndReason.TIMEOUT)

    # --- in turn

    def loops(self, sleep: Sleep) -> Iterator[Coroutine[Any, Any, None]]:
        yield self._keep_lease(sleep)
        yield self._repeat(sleep, self.reap)
        yield self._repeat(sleep, self.end_silent)

    async def _repeat(self, sleep: Sleep, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            await sleep(self.sweep_seconds)
            await self._try(step)

    async def _keep_lease(self, sleep: Sleep) -> None:
        while True:
            await self._pause(sleep, self._timings.node_lease / 3000)
            while not await self._try(self.renew_lease):
                await sleep(self.retry_seconds)

    async def _try(self, step: Callable[[], Awaitable[None]]) -> bool:
        """A failure of one turn must not end the loop."""
        try:
            await step()
        except StoreUnavailable:
            return False
        except Exception:
            log.exception("upkeep_failed", step=getattr(step, "__name__", ""))
        return True

    async def _pause(self, sleep: Sleep, seconds: float) -> None:
        """Until the time is over or ``wake`` is called."""
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(_ended(sleep(seconds))), group.create_task(_ended(self._wake.wait()))]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        self._wake.clear()


async def _ended(wait: Awaitable[object]) -> None:
    await wait


def _node_of(holder: str) -> str:
    return holder.rpartition("#")[0]
