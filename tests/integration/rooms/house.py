"""Nodes on one store, with a clock that the test moves and receivers that remember."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import msgspec

from rooms.events import AnyEvent, Delivery, EndReason, UserLeft
from rooms.limits import RoomLimits
from rooms.model import Client, LoginRequest, NodeInfo, Policy, Session, Timings
from rooms.scripts import Script
from rooms.service import LoginResult, RoomService
from rooms.store import Reply, Store, open_store
from rooms.view import RoomView
from tests.waiting import until

APP = 1234567890
ROOM = "room"
NOW = 1_800_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now

    def forward(self, ms: int) -> None:
        self.now += ms


class Phone:
    """A client's end: the receiver of one session, or a watcher."""

    def __init__(self, told: bytes = b"told") -> None:
        self.events: list[AnyEvent] = []
        self.resyncs = 0
        self.taken_over = False
        self.session: Session | None = None
        self.told = told

    def deliver(self, delivery: Delivery) -> None:
        self.events.append(delivery.event)

    def resync(self) -> None:
        self.resyncs += 1

    def superseded(self) -> bytes:
        self.taken_over = True
        return self.told

    def seen(self) -> list[str]:
        """The kinds of events so far."""
        return [type(event).__name__ for event in self.events]

    def forget(self) -> None:
        self.events.clear()

    def end(self) -> EndReason | None:
        """Why the session of this phone has ended."""
        for event in self.events:
            if isinstance(event, UserLeft) and self.session is not None and event.user.session_id == self.session.session_id:
                return event.reason
        return None


async def dormant(seconds: float) -> None:
    """For background work that the test does itself, step by step."""
    await asyncio.Event().wait()


async def brisk(seconds: float) -> None:
    """For background work that is to happen by itself, soon."""
    await asyncio.sleep(min(seconds, 0.02))


def request(user_id: str, room_id: str = ROOM, *, app_id: int = APP, **fields: object) -> LoginRequest:
    base = LoginRequest(app_id, room_id, user_id, user_id.upper(), Client("web", "2.14.0", "192.0.2.7"))
    return msgspec.structs.replace(base, **fields)


class Pauses:
    """A ``sleep`` of which the test knows what waits in it."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.under_way: Counter[float] = Counter()
        """By their length, in seconds."""
        self._sleep = sleep

    async def __call__(self, seconds: float) -> None:
        self.under_way[seconds] += 1
        try:
            await self._sleep(seconds)
        finally:
            self.under_way[seconds] -= 1


class HeldAnswers:
    """A store whose answers to one script come back only when the gate is opened, though the script has run."""

    def __init__(self, store: Store, name: str) -> None:
        self.ran = asyncio.Event()
        self.gate = asyncio.Event()
        self._store = store
        self._run = store.run
        self._name = name

    def __enter__(self) -> HeldAnswers:
        async def run(script: Script, key: str, *args: str | bytes | int) -> Reply:
            reply = await self._run(script, key, *args)
            if script.name == self._name:
                self.ran.set()
                await self.gate.wait()
            return reply

        self._store.run = run  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        self._store.run = self._run  # type: ignore[method-assign]


@contextmanager
def deaf(node: RoomService) -> Iterator[None]:
    """The node's subscription loses everything meanwhile."""
    feed = node._feed
    hear = feed._on_payload
    feed._on_payload = lambda channel, payload: None
    try:
        yield
    finally:
        feed._on_payload = hear


class House:
    """All nodes of a test. ``async with`` closes them."""

    def __init__(self, url: str, *, persistent_rng: int = 1) -> None:
        self.url = url
        self.clock = Clock()
        self.policy = Policy()
        self.timings = Timings()
        self.limits = RoomLimits(
            broadcast_rate=0, broadcast_room_rate=0, barrage_rate=0, command_rate=0, command_many_rate=0, extra_info_rate=0, login_rate=0
        )
        self._seed = persistent_rng
        self._running: list[tuple[RoomService, Store]] = []
        self._pauses: dict[RoomService, Pauses] = {}

    async def __aenter__(self) -> House:
        return self

    async def __aexit__(self, *_: object) -> None:
        for service, store in self._running:
            await service.aclose()
            await store.aclose()

    async def node(
        self, name: str = "n1", *, sleep: Callable[[float], Awaitable[None]] = dormant, timeout: float = 10.0, start: bool = True
    ) -> RoomService:
        store = open_store(self.url, timeout=timeout)
        self._seed += 1
        pauses = Pauses(sleep)
        service = RoomService(
            store,
            node=NodeInfo(name, f"ws://{name}"),
            policies=lambda app_id: self.policy,
            limits=self.limits,
            timings=self.timings,
            clock=self.clock,
            rng=random.Random(self._seed),
            sleep=pauses,
        )
        self._pauses[service] = pauses
        self._running.append((service, store))
        if start:
            await service.start()
        return service

    async def at_rest(self, *nodes: RoomService) -> None:
        """Waits until the renewals of leases are over that these nodes' first logins in an App have asked for."""

        def rests(node: RoomService) -> bool:
            return not node.upkeep._wake.is_set() and self._pauses[node].under_way[self.timings.node_lease / 3000] > 0

        await until(lambda: all(map(rests, nodes)))

    def store_of(self, node: RoomService) -> Store:
        return next(store for service, store in self._running if service is node)

    async def enter(self, node: RoomService, user_id: str, room_id: str = ROOM, **fields: object) -> tuple[LoginResult, Phone]:
        phone = Phone()
        result = await node.login(request(user_id, room_id, **fields), phone)
        phone.session = result.session
        return result, phone


def state(view: RoomView | None) -> tuple[object, ...]:
    """A view as comparable values; within one millisecond the order of entries is open."""
    if view is None:
        return (0, (), (), ())
    return (
        view.lifetime_id,
        tuple(sorted(view.users.values(), key=lambda user: user.user_id)),
        tuple(sorted(view.streams.values(), key=lambda stream: stream.stream_id)),
        tuple(sorted(view.extra.values(), key=lambda info: info.key)),
    )


async def stored(node: RoomService, room_id: str = ROOM, app_id: int = APP) -> tuple[object, ...]:
    """The same values as the store has them."""
    page = await node.rooms(app_id, limit=1000)
    lifetime = next((room.lifetime_id for room in page.rooms if room.room_id == room_id), 0)
    users = sorted(await node.users(app_id, room_id), key=lambda user: user.user_id)
    streams = sorted(await node.streams(app_id, room_id), key=lambda stream: stream.stream_id)
    extra = sorted(await node.extra_info(app_id, room_id), key=lambda info: info.key)
    return (lifetime, tuple(users), tuple(streams), tuple(extra))
