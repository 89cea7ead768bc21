"""A WebSocket without a network, and frames as clients write them."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any

from signaling.room_json import RoomSockets, RoomSocketSettings
from tests.unit.signaling.client_socket import Socket
from tests.unit.signaling.house import APP, Clock, House
from tests.waiting import until

Frame = dict[str, Any]


class Peer:
    """One client's end: sends requests and keeps what came. Knows nothing of an SDK's behaviour."""

    def __init__(self, world: World, client_type: int = 2, version: str = "2.11.0") -> None:
        self.world = world
        self.socket = Socket[str]()
        self.client_type = client_type
        self.version = version
        self.seq = 0
        self.header: Frame = {"session_id": "0", "room_id": "r", "room_session_id": "0"}
        self.last_room: Frame = {}
        """Header of the room that was entered last, for tests with several."""
        self._read = 0
        self._task = asyncio.create_task(world.sockets.serve(self.socket, client_address="192.0.2.7", base_url="ws://here:1"))

    def request(self, cmd: str, body: Frame | None = None, **header: Any) -> int:
        self.seq += 1
        frame = {"header": {"Protocol": "req", "cmd": cmd, "appid": APP, "seq": self.seq, **self.header, **header}, "body": body or {}}
        self.socket.put(json.dumps(frame))
        return self.seq

    async def frame(self) -> Frame:
        """The next frame."""
        await until(lambda: len(self.socket.sent) > self._read, what="a frame")
        self._read += 1
        frame: Frame = json.loads(self.socket.sent[self._read - 1])
        return frame

    async def reply(self, cmd: str, body: Frame | None = None, **header: Any) -> Frame:
        """Send a request; the body of its answer. Pushes before it are skipped."""
        seq = self.request(cmd, body, **header)
        while True:
            frame = await self.frame()
            if frame["header"]["seq"] == seq:
                answer: Frame = frame["body"]
                return answer

    async def push(self, cmd: str) -> Frame:
        """The body of the next push of this kind."""
        while True:
            frame = await self.frame()
            if frame["header"]["cmd"] == cmd and frame["header"]["seq"] == 0:
                body: Frame = frame["body"]
                return body

    async def quiet(self) -> list[Frame]:
        """Every frame that has come and has not been looked at, after all that was sent before is done."""
        seq = self.request("hb")
        frames = []
        while (frame := await self.frame())["header"]["seq"] != seq:
            frames.append(frame)
        return frames + self.rest()

    def rest(self) -> list[Frame]:
        rest = [json.loads(text) for text in self.socket.sent[self._read :]]
        self._read = len(self.socket.sent)
        return rest

    def login_body(self, user: str, **other: Any) -> Frame:
        return {
            "id_name": user,
            "nick_name": f"name of {user}",
            "role": 2,
            "token": "token",
            "version": self.version,
            "room_name": "r",
            "user_state_flag": 1,
            "room_create_flag": 1,
            "client_type": self.client_type,
            "third_token": "token",
            "user_count_limit": 0,
            "relate_service": "",
            "login_logic": 1,
            "proto_format": "json",
            **other,
        }

    async def login(self, user: str, room: str = "r", cmd: str = "login", **other: Any) -> Frame:
        """Log in with what this peer believes to hold, and take over the ids of the answer."""
        self.header["room_id"] = room
        answer = await self.reply(cmd, self.login_body(user, **other))
        if answer["err_code"] == 0:
            self.header |= {key: answer[key] for key in ("user_id", "session_id", "room_session_id")}
        return answer

    async def enter(self, user: str, room: str, **other: Any) -> Frame:
        """Log in and fetch the user list, as every SDK does at once."""
        answer = await self.login(user, room, **other)
        await self.reply("user_list", {"user_index": 0, "sort_type": 0})
        return answer

    async def lose(self) -> None:
        self.socket.cut()
        await self._task

    async def ended(self) -> tuple[int, str]:
        """Wait until the server has closed the socket."""
        await self._task
        assert self.socket.closed is not None
        return self.socket.closed

    def again(self) -> Peer:
        """A new socket of the same client."""
        other = Peer(self.world, self.client_type, self.version)
        other.seq = self.seq
        other.header = dict(self.header)
        self.world.peers.append(other)
        return other


class World:
    """A node with its house; leaves no task behind."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.house = House(self.clock)
        self.sockets = RoomSockets(
            calls=self.house, rooms=self.house, settings=RoomSocketSettings(**{"settle": 0, "settle_login": 0} | settings), clock=self.clock
        )
        self.peers: list[Peer] = []

    def peer(self, client_type: int = 2, version: str = "2.11.0") -> Peer:
        peer = Peer(self, client_type, version)
        self.peers.append(peer)
        return peer

    async def __aenter__(self) -> World:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for peer in self.peers:
            peer.socket.cut()
        await asyncio.gather(*(peer._task for peer in self.peers))
        assert self.sockets.connections == 0
