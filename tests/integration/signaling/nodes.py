"""Hearth nodes inside the test's own event loop, behind real sockets, and plain WebSocket clients of the room dialect."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from types import TracebackType
from typing import Any

import uvicorn
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from auth.claims import AppKeys, TokenKind
from auth.tokens import issue_token
from server.app import Hearth, create_app
from server.settings import AppSettings, LimitSettings, MediaSettings, Settings, StoreSettings
from tests.waiting import until

APP = 1234567890
SECRET = "0123456789abcdef0123456789abcdef"

Frame = dict[str, Any]


def token(user: str, ttl: int = 3600) -> str:
    return issue_token(TokenKind.TOKEN04, keys=AppKeys(APP, (SECRET,)), user_id=user, now=int(time.time()), ttl=ttl)


class Node:
    """``async with Node(store_url) as node: node.ws_url``."""

    def __init__(self, store_url: str, **limits: Any) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.ws_url = f"ws://127.0.0.1:{port}/ws"
        app = create_app(
            Settings(
                store=StoreSettings(url=store_url),
                media=MediaSettings(udp_port=0),
                limits=LimitSettings(**limits),
                apps=[AppSettings(app_id=APP, server_secrets=[SecretStr(SECRET)])],
            ),
            port=port,
        )
        self.hearth: Hearth = app.state.hearth
        config = uvicorn.Config(
            app, lifespan="off", ws="websockets-sansio", ws_per_message_deflate=False, log_config=None, timeout_graceful_shutdown=5
        )
        self._server = uvicorn.Server(config)
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Node:
        self._running = asyncio.create_task(self._run())
        await until(lambda: self._server.started or self._running is None or self._running.done(), what="the node is up")
        return self

    async def _run(self) -> None:
        async with self.hearth.running():
            await self._server._serve(sockets=[self._listener])

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.should_exit = True
        assert self._running is not None
        await self._running


class Client:
    """A client without an SDK's behaviour. ``async with Client(node, "alice") as alice``."""

    def __init__(self, node: Node, user: str, *, client_type: int = 2, version: str = "2.11.0") -> None:
        self.node = node
        self.user = user
        self.client_type = client_type
        self.version = version
        self.header: Frame = {"session_id": "0", "room_id": "r", "room_session_id": "0"}
        self.frames: list[Frame] = []
        """Pushes, and answers that nobody waits for."""
        self.closed: int | None = None
        self._seq = 0
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self.socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Client:
        self.socket = await connect(self.node.ws_url, proxy=None, max_size=None, open_timeout=40)
        self._reader = asyncio.create_task(self._read(self.socket))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Close the socket without a logout."""
        if self.socket is not None and self._reader is not None:
            await self.socket.close()
            await self._reader

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                frame = json.loads(text)
                answer = self._answers.pop(frame["header"]["seq"], None)
                if answer is not None:
                    answer.set_result(frame["body"])
                else:
                    self.frames.append(frame)
        except ConnectionClosed:
            pass
        self.closed = socket.close_code
        for answer in self._answers.values():
            answer.cancel()

    async def send(self, text: str | bytes) -> None:
        assert self.socket is not None
        await self.socket.send(text)

    async def request(self, cmd: str, body: Frame | None = None, **header: Any) -> Frame:
        self._seq += 1
        answer = self._answers[self._seq] = asyncio.get_running_loop().create_future()
        full = {"Protocol": "req", "cmd": cmd, "appid": APP, "seq": self._seq, **self.header, **header}
        await self.send(json.dumps({"header": full, "body": body or {}}))
        return await asyncio.wait_for(answer, 20)

    async def login(self, room: str = "r", cmd: str = "login", **other: Any) -> Frame:
        """``login`` and ``user_list`` with what this client believes to hold."""
        self.header["room_id"] = room
        body = {
            "id_name": self.user, "nick_name": f"name of {self.user}", "role": 2, "token": token(self.user), "version": self.version,
            "user_state_flag": 1, "client_type": self.client_type, "login_logic": 1, "user_count_limit": 0, **other,
        }  # fmt: skip
        answer = await self.request(cmd, body)
        if answer["err_code"] == 0:
            self.header |= {key: answer[key] for key in ("user_id", "session_id", "room_session_id")}
            await self.request("user_list", {"user_index": 0, "sort_type": 0})
        return answer

    def again(self, node: Node | None = None) -> Client:
        """The same client on a new socket, here or elsewhere."""
        other = Client(node or self.node, self.user, client_type=self.client_type, version=self.version)
        other.header = dict(self.header)
        other._seq = self._seq
        return other

    async def push(self, cmd: str) -> Frame:
        def find() -> Frame | None:
            return next((frame for frame in self.frames if frame["header"]["cmd"] == cmd), None)

        frame = await until(find, what=f"{cmd} at {self.user}; there is {self.frames}")
        assert frame is not None
        del self.frames[: self.frames.index(frame) + 1]
        body: Frame = frame["body"]
        return body

    async def end(self) -> int | None:
        """Wait for the server to close the socket; the code."""
        assert self._reader is not None
        await asyncio.wait_for(asyncio.shield(self._reader), 20)
        return self.closed
