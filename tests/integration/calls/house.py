"""Rooms on the embedded store, the SFU on loopback, calls, and the ``/media`` socket on a real port, in the test's own process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import uvicorn
import websockets.asyncio.client
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from auth import AppKeys, TokenKind, issue_token
from calls.apps import App
from calls.service import Calls, EnterRequest
from calls.settings import CallSettings
from media.config import MediaConfig
from media.sfu import Sfu
from rooms.events import AnyEvent, Delivery
from rooms.limits import RoomLimits
from rooms.model import Client, NodeInfo, Session, Timings
from rooms.service import RoomService
from rooms.store import open_store
from signaling.media_json.connection import serve_media_socket
from signaling.media_json.settings import MediaSocketSettings
from tests.integration.media.aiortc_clients import Ear, epoch_ms
from tests.waiting import until

APP_ID = 1234567890
ROOM = "room"
SECRET = "0123456789abcdef0123456789abcdef"
PUBLISH, PLAY = 0, 1
ANSWER_LIMIT = 20.0


class _Relay:
    """Calls are made after the SFU that reports to them."""

    calls: Calls

    def media_connected(self, session_id: int) -> None:
        self.calls.media_connected(session_id)

    def media_lost(self, session_id: int, reason: str) -> None:
        self.calls.media_lost(session_id, reason)


@dataclass
class Member:
    """A user in the room, and what the room told that user."""

    session: Session = field(init=False)
    events: list[AnyEvent] = field(default_factory=list)

    def deliver(self, delivery: Delivery) -> None:
        self.events.append(delivery.event)

    def resync(self) -> None: ...

    def superseded(self) -> bytes:
        return b""


class CallClock:
    """Moved by the test: of the deadlines of calls, not of the media plane, to which a jump would be silence."""

    def __init__(self) -> None:
        self.now = epoch_ms()

    def __call__(self) -> int:
        return self.now


class House:
    clock: CallClock
    rooms: RoomService
    sfu: Sfu
    calls: Calls
    base: str
    """``ws://127.0.0.1:PORT``."""

    async def pass_time(self, ms: int) -> None:
        """Lets the deadlines of calls come nearer, and keeps those that are over."""
        self.clock.now += ms
        await self.calls.tick(self.clock.now)

    async def enter(self, user_id: str) -> Member:
        app = self.calls._apps(APP_ID)
        assert app is not None
        token = issue_token(TokenKind.TOKEN04, keys=app.keys, user_id=user_id, now=epoch_ms() // 1000, ttl=3600)
        member = Member()
        request = EnterRequest(APP_ID, ROOM, user_id, user_id.upper(), token, Client("web", "2.14.0", "127.0.0.1"))
        member.session = (await self.calls.login(request, member)).session
        return member


@contextlib.asynccontextmanager
async def open_house(settings: CallSettings | None = None, sockets: MediaSocketSettings | None = None) -> AsyncIterator[House]:
    house = House()
    house.clock = CallClock()
    app = App(app_id=APP_ID, keys=AppKeys(APP_ID, (SECRET,)))
    store = open_store("memory://")
    relay = _Relay()
    house.rooms = RoomService(
        store,
        node=NodeInfo("here", ""),
        policies=lambda app_id: app.policy(),
        limits=RoomLimits(),
        timings=Timings(),
        clock=epoch_ms,
        rng=random.Random(3),
    )
    house.sfu = Sfu(MediaConfig(host="127.0.0.1", udp_port=0, tick_ms=20), relay, clock=epoch_ms, rng=random.Random(5))
    house.calls = relay.calls = Calls(
        house.rooms, house.sfu, apps={APP_ID: app}.get, settings=settings or CallSettings(tick=20), clock=house.clock, rng=random.Random(9)
    )

    async def media(websocket: WebSocket) -> None:
        host = websocket.client.host if websocket.client else ""
        await serve_media_socket(
            websocket, calls=house.calls, settings=sockets or MediaSocketSettings(), clock=epoch_ms, client_address=host
        )

    listener = socket.create_server(("127.0.0.1", 0))
    house.base = f"ws://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=[WebSocketRoute("/media", media)]), log_config=None, lifespan="off"))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    await house.sfu.start()
    await house.rooms.start()
    serving = asyncio.create_task(server.serve([listener]))
    ticking = asyncio.create_task(house.calls.run())
    try:
        await until(lambda: server.started)
        yield house
    finally:
        house.calls.aclose()
        ticking.cancel()
        server.should_exit = True
        await asyncio.gather(serving, ticking, return_exceptions=True)
        await house.rooms.aclose()
        await store.aclose()
        await house.sfu.aclose()


class MediaClient:
    """A page's media socket with its peer connections: one for each stream and direction, as the web SDK does it."""

    def __init__(self, member: Member, url: str) -> None:
        self.member = member
        self.url = url
        self.sessions: dict[int, str] = {}
        self.pushes: list[dict[str, Any]] = []
        self._connections: list[RTCPeerConnection] = []
        self._ears: list[Ear] = []
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._seq = 1

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, member: Member, url: str) -> AsyncIterator[MediaClient]:
        client = cls(member, url)
        try:
            await client.connect()
            yield client
        finally:
            await client.close()

    async def connect(self) -> dict[str, Any]:
        """Open the socket and log in, claiming the sessions that are held."""
        self._socket = await websockets.asyncio.client.connect(self.url)
        self._reader = asyncio.create_task(self._read())
        held = [{"session_id": number, "session_token": token} for number, token in self.sessions.items()]
        return await self.ask("LoginReq", {"token": "t", "tokenType": 0, "roomid": ROOM, **({"sessions": held} if held else {})})

    async def cut(self) -> None:
        """The network goes away: no closing handshake."""
        self._socket.transport.abort()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def close(self) -> None:
        await self._socket.close()
        await asyncio.gather(self._reader, return_exceptions=True)
        for ear in self._ears:
            await ear.close()
        for connection in self._connections:
            await connection.close()

    async def _read(self) -> None:
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            async for text in self._socket:
                frame: dict[str, Any] = json.loads(text)
                if frame["header"]["cmd"].endswith("Push"):
                    self.pushes.append(frame)
                else:
                    self._answers.pop(frame["header"]["seq"]).set_result(frame)

    async def ask(self, cmd: str, body: object, session_id: int = 0) -> dict[str, Any]:
        """The body of the answer."""
        self._seq += 1
        session = self.member.session
        header = {
            "version": "1.0.1",
            "cmd": cmd,
            "appid": str(session.app_id),
            "seq": self._seq,
            "user_id": session.user_id,
            "session_id": session_id,
        }
        answer = self._answers[self._seq] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"header": header, "body": body}))
        body_of_answer: dict[str, Any] = (await asyncio.wait_for(answer, ANSWER_LIMIT))["body"]
        return body_of_answer

    def pushed(self, cmd: str, session_id: int) -> list[dict[str, Any]]:
        """Bodies of the pushes of one kind to one session so far."""
        return [p["body"] for p in self.pushes if (p["header"]["cmd"], p["header"]["session_id"]) == (cmd, session_id)]

    async def publish(self, stream_id: str, track: MediaStreamTrack) -> tuple[int, RTCPeerConnection]:
        connection = self._connection()
        connection.addTransceiver(track, direction="sendonly")
        return await self._negotiate(PUBLISH, stream_id, connection), connection

    async def play(self, stream_id: str) -> tuple[int, Ear]:
        connection = self._connection()
        connection.addTransceiver("audio", direction="recvonly")
        heard: list[MediaStreamTrack] = []
        connection.on("track", heard.append)
        number = await self._negotiate(PLAY, stream_id, connection)
        ear = Ear(heard[0])
        self._ears.append(ear)
        return number, ear

    async def offer(self, kind: int, stream_id: str) -> dict[str, Any]:
        """Only ask, as a client whose wish is going to be refused."""
        connection = self._connection()
        connection.addTransceiver("audio", direction="sendonly" if kind == PUBLISH else "recvonly")
        await connection.setLocalDescription(await connection.createOffer())
        return await self.ask("CreateSessionWithSdpReq", {"type": kind, "stream_id": stream_id, "sdp": connection.localDescription.sdp})

    def _connection(self) -> RTCPeerConnection:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connections.append(connection)
        return connection

    async def _negotiate(self, kind: int, stream_id: str, connection: RTCPeerConnection) -> int:
        await connection.setLocalDescription(await connection.createOffer())
        body = {"type": kind, "stream_id": stream_id, "sdp": connection.localDescription.sdp}
        answer = await self.ask("CreateSessionWithSdpReq", body)
        assert answer["result"] == 0, answer
        number: int = answer["session_id"]
        self.sessions[number] = answer["session_token"]
        await connection.setRemoteDescription(RTCSessionDescription(sdp=answer["sdp"], type="answer"))
        event = "PublishEventPush" if kind == PUBLISH else "PlayEventPush"
        await until(lambda: self.pushed(event, number))
        return number


def host_of(url: str) -> str:
    """``ws://host:port`` of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
