"""FLV players over real sockets that stop reading: what waits for them is bounded, and after a while they are hung up on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import uvicorn
from fastapi import FastAPI

from media.flv import aac_config_tag, aac_frame_tag
from media.rtmp.access import LiveConnection
from media.rtmp.config import PlayerLimits
from media.rtmp.live import LiveHub
from server.connections import Connections
from server.http.live import LivePlays, live_routes
from server.metrics import Metrics
from server.proxies import TrustedProxies
from server.quiet_pongs import QuietPongs
from server.request_deadline import with_request_deadline
from server.settings import LimitSettings
from tests.unit.server.test_quiet_pongs import HANDSHAKE
from tests.waiting import until

LIMITS = PlayerLimits(queue_ms=1_000, queue_bytes=200_000, stall_ms=5_000)
CONFIG = aac_config_tag(b"\x12\x10")
REQUESTS = {
    "HTTP": b"GET /live/1/a.flv HTTP/1.1\r\nHost: x\r\n\r\n",
    "WebSocket": HANDSHAKE.replace(b"/ws ", b"/live/1/a.flv "),
}


@dataclass
class Everybody:
    """May play, and what is told of it."""

    told: list[str] = field(default_factory=list)
    players: list[LiveConnection] = field(default_factory=list)

    def serves(self, path: str) -> bool:
        return True

    async def publish(self, address: str, client: str, connection: LiveConnection) -> Everybody:
        raise AssertionError("nobody publishes over a connection here")

    async def play(self, address: str, client: str, connection: LiveConnection) -> Everybody:
        connection.open("a")
        self.players.append(connection)
        return self

    def media_arrived(self) -> None:
        self.told.append("arrived")

    def ended(self, *, lost: bool) -> None:
        self.told.append("lost" if lost else "ended")


class Publisher:
    def replaced(self) -> None: ...


class House:
    """A server of one stream."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.hub = LiveHub(lambda: self.now)
        self.everybody = Everybody()
        self.plays = LivePlays(self.hub, self.everybody, LIMITS, lambda: self.now)
        self.connections = Connections(LimitSettings(), Metrics())
        self.feed = self.hub.publish("a", Publisher())
        self.feed.message(CONFIG)
        self._time = 0
        app = FastAPI()
        app.include_router(live_routes(self.plays, TrustedProxies([]), self.connections))
        self._listener = socket.create_server(("127.0.0.1", 0))
        http = with_request_deadline(60)
        self.server = uvicorn.Server(uvicorn.Config(app, lifespan="off", http=http, ws=QuietPongs, log_config=None, loop="none"))

    async def start(self) -> None:
        self._serving = asyncio.create_task(self.server._serve(sockets=[self._listener]))
        await until(lambda: self.server.started)

    async def connect(self, request: bytes) -> socket.socket:
        """A client that reads nothing by itself, but has its first sound."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, self._listener.getsockname())
        await loop.sock_sendall(client, request)
        seen = b""
        while CONFIG.body not in seen:
            seen += await loop.sock_recv(client, 1_024)
        return client

    async def play_on(self) -> None:
        """A fifth of a second of the stream, and time for it to go where it can."""
        for _ in range(10):
            self._time += 20
            self.feed.message(aac_frame_tag(bytes(2_000), self._time))
        await asyncio.sleep(0)

    async def fill(self, player: int = 0) -> None:
        """Until so much waits for a player that some of it was dropped."""

        async def dropped() -> bool:
            await self.play_on()
            figures = self.everybody.players[player].figures()
            return figures is not None and figures.dropped > 0

        await until(dropped)

    @property
    def sockets(self) -> int:
        return len(self.server.server_state.connections)

    async def aclose(self) -> None:
        self.server.force_exit = self.server.should_exit = True
        await self._serving


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    await made.start()
    yield made
    await made.aclose()


@pytest.mark.parametrize("kind", REQUESTS)
async def test_a_player_that_reads_nothing_is_hung_up_on_and_the_others_go_on(house: House, kind: str) -> None:
    stalled, other = await house.connect(REQUESTS[kind]), await house.connect(REQUESTS["HTTP"])
    reading = asyncio.create_task(_read_on(other))
    await house.fill()
    house.plays.tick(house.now + LIMITS.stall_ms - 1)
    assert house.hub.players == 2 and "lost" not in house.everybody.told
    house.plays.tick(house.now + LIMITS.stall_ms)
    await until(lambda: house.hub.players == 1 and house.sockets == 1 and house.connections.total == 1)
    assert house.everybody.told.count("lost") == 1
    await _read_on(stalled)  # what was on its way, and then the end
    stalled.close()
    await house.play_on()
    assert not reading.done() and house.sockets == 1
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    other.close()
    await until(lambda: house.hub.players == house.sockets == house.connections.total == 0)


@pytest.mark.parametrize("kind", REQUESTS)
async def test_a_player_that_reads_slowly_stays_and_one_that_was_kicked_and_reads_nothing_does_not(house: House, kind: str) -> None:
    client = await house.connect(REQUESTS[kind])
    await house.fill()
    (player,) = house.everybody.players

    async def waits_anew() -> bool:
        """What was being handed over has been taken, and what follows waits."""
        await asyncio.get_running_loop().sock_recv(client, 4_096)
        await house.play_on()
        return any(each.waiting_since == house.now for each in house.plays.clients)

    for _ in range(3):
        before = house.now
        house.now += LIMITS.stall_ms - 1
        await until(waits_anew)
        house.plays.tick(before + LIMITS.stall_ms)
        assert house.hub.players == 1
    player.close("kicked")
    assert house.hub.players == 0 and house.sockets == 1
    house.plays.tick(house.now + LIMITS.stall_ms)
    await until(lambda: house.sockets == house.connections.total == 0)
    client.close()


async def _read_on(client: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(client, 65_536):
        pass
