"""A client of the room dialect for tests that need somebody in a room and no SDK: plain frames over a WebSocket."""

from __future__ import annotations

import asyncio
import json
import ssl
from types import TracebackType
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.hearth_process import HearthProcess
from tests.waiting import until

Frame = dict[str, Any]


class RoomClient:
    """One user on one connection. ``async with RoomClient(hearth, "alice") as alice: await alice.login("room")``."""

    def __init__(self, hearth: HearthProcess, user_id: str, *, headers: dict[str, str] | None = None) -> None:
        self.hearth = hearth
        self.user_id = user_id
        self.room_id = ""
        self.session: dict[str, str] = {"user_id": "", "session_id": "0", "room_session_id": "0"}
        self.pushes: list[Frame] = []
        self.close_code: int | None = None
        self._headers = headers or {}
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._seq = 0
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> RoomClient:
        context = ssl._create_unverified_context() if self.hearth.ws_url.startswith("wss") else None
        self._socket = await connect(self.hearth.ws_url, ssl=context, additional_headers=self._headers, proxy=None, open_timeout=40)
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._socket is not None and self._reader is not None
        await self._socket.close()
        await self._reader

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                frame: Frame = json.loads(text)
                waiting = self._answers.pop(frame["header"]["seq"], None) if frame["header"]["Protocol"] == "rsp" else None
                if waiting is not None:
                    waiting.set_result(frame["body"])
                else:
                    self.pushes.append(frame)
        except ConnectionClosed:
            pass
        self.close_code = socket.close_code
        for unanswered in self._answers.values():
            unanswered.cancel()

    async def request(self, cmd: str, body: Frame) -> Frame:
        """Send a request and wait for the body of its answer."""
        assert self._socket is not None
        self._seq += 1
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[self._seq] = answer
        header = {"Protocol": "req", "cmd": cmd, "appid": self.hearth.app_id, "seq": self._seq, "room_id": self.room_id, **self.session}
        await self._socket.send(json.dumps({"header": header, "body": body}))
        return await asyncio.wait_for(answer, 20)

    async def login(self, room_id: str, *, token: str | None = None) -> Frame:
        self.room_id = room_id
        body = {
            "id_name": self.user_id,
            "nick_name": self.user_id,
            "role": 2,
            "token": token or self.hearth.token(self.user_id),
            "version": "2.11.0",
            "room_name": room_id,
            "user_state_flag": 1,
            "room_create_flag": 1,
            "client_type": 2,
            "user_count_limit": 0,
            "login_logic": 1,
        }
        answer = await self.request("login", body)
        if answer["err_code"] == 0:
            self.session = {name: answer[name] for name in ("user_id", "session_id", "room_session_id")}
        return answer

    async def heartbeat(self) -> Frame:
        return await self.request("hb", {"reserve": 0})

    async def push(self, cmd: str) -> Frame:
        """The body of the next push of this kind, wherever it stands among the others."""

        def find() -> Frame | None:
            return next((frame for frame in self.pushes if frame["header"]["cmd"] == cmd), None)

        frame = await until(find, what=f"{cmd} arrives at {self.user_id}, so far: {self.pushes}")
        assert frame is not None
        self.pushes.remove(frame)
        body: Frame = frame["body"]
        return body

    async def closed(self) -> int:
        """Wait for the server to close the connection; the close code."""
        assert self._reader is not None
        await asyncio.wait_for(asyncio.shield(self._reader), 20)
        return self.close_code or 0
