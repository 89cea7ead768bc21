"""Several nodes on one store, each with rooms, calls and a media plane that only remembers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from auth import AppKeys
from calls.addresses import MediaCredential
from calls.apps import App
from calls.media_owner import MediaClaim
from calls.media_session import MediaLogin
from calls.service import Calls
from calls.settings import CallSettings
from rooms.events import AnyEvent, Delivery
from rooms.limits import RoomLimits
from rooms.model import Client, LoginRequest, NodeInfo, Session, Timings
from rooms.service import RoomService
from rooms.store import Store, open_store
from tests.integration.rooms.house import dormant
from tests.unit.calls.fakes import APP_ID, NOW, SECRET, FakePeer, FakePlane

ROOM = "room"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Ears:
    """What a room told a member."""

    events: list[AnyEvent] = field(default_factory=list)

    def deliver(self, delivery: Delivery) -> None:
        self.events.append(delivery.event)

    def resync(self) -> None: ...

    def superseded(self) -> bytes:
        return b""


class Plane(FakePlane):
    def __init__(self, node_id: str) -> None:
        super().__init__()
        self.node_id = node_id
        self.turn_servers = (f"turn:{node_id}.example:3478?transport=udp",)

    async def _open(self, session_id: int, role: str, stream: str, offer: str) -> str:
        return f"{self.node_id}: {await super()._open(session_id, role, stream, offer)}"

    @property
    def addresses(self) -> tuple[str, ...]:
        return (f"{self.node_id}.example:7000",)


class Node:
    """One ``hearth serve``."""

    def __init__(self, node_id: str, store: Store, clock: Clock, settings: CallSettings) -> None:
        app = App(app_id=APP_ID, keys=AppKeys(APP_ID, (SECRET,)))
        self.node_id = node_id
        self.store = store
        self.plane = Plane(node_id)
        self.rooms = RoomService(
            store,
            node=NodeInfo(node_id, f"ws://{node_id}.example"),
            policies=lambda app_id: app.policy(),
            limits=RoomLimits(),
            timings=Timings(),
            clock=clock,
            rng=random.Random(node_id),
            sleep=dormant,
        )
        self.calls = Calls(self.rooms, self.plane, apps={APP_ID: app}.get, settings=settings, clock=clock, rng=random.Random(node_id + "!"))

    async def enter(self, user_id: str) -> Session:
        request = LoginRequest(APP_ID, ROOM, user_id, user_id.upper(), Client("web", "3.12.0", "192.0.2.7"))
        return (await self.rooms.login(request, Ears())).session

    async def media(self, session: Session, *held: tuple[int, str]) -> tuple[MediaLogin, FakePeer]:
        peer = FakePeer()
        credential = MediaCredential(session.app_id, session.session_id, session.media_key)
        return await self.calls.media_login(credential, MediaClaim(session.user_id, held=held), peer), peer

    async def on_the_air(self, user_id: str, stream_id: str) -> tuple[MediaLogin, int]:
        """A member of this node publishes a stream here."""
        session = await self.enter(user_id)
        login, _ = await self.media(session)
        opened = await self.calls.open_publisher(login, stream_id, "offer")
        self.calls.media_connected(opened.media_session_id)
        await self.calls.announce(session, stream_id, "")
        return login, opened.media_session_id


class Nodes:
    def __init__(self, url: str, settings: CallSettings) -> None:
        self.clock = Clock()
        self._url = url
        self._settings = settings
        self._nodes: list[Node] = []

    async def start(self, node_id: str) -> Node:
        node = Node(node_id, open_store(self._url), self.clock, self._settings)
        await node.rooms.start()
        self._nodes.append(node)
        return node

    async def stop(self, node: Node) -> None:
        """The process is gone: nothing of it answers any more, its lease is over."""
        self._nodes.remove(node)
        await node.rooms.aclose()
        await node.store.aclose()

    async def aclose(self) -> None:
        await asyncio.gather(*(self.stop(node) for node in list(self._nodes)))


@asynccontextmanager
async def nodes_on(url: str, **settings: int) -> AsyncIterator[Nodes]:
    nodes = Nodes(url, msgspec.convert(settings, CallSettings))
    try:
        yield nodes
    finally:
        await nodes.aclose()
