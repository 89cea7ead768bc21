"""A ``/media`` client in the test's own process: a socket whose other end is queues."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

from calls.addresses import MediaCredential, media_url
from rooms.model import Session
from signaling.media_json.connection import serve_media_socket
from signaling.media_json.settings import MediaSocketSettings
from tests.unit.calls.fakes import House

LIMIT = 20.0


class PipeSocket:
    """What the server sees. ``stalled`` makes sending wait, as for a client that does not read."""

    def __init__(self, query: str) -> None:
        self.scope: MutableMapping[str, Any] = {"query_string": query.encode()}
        self.accepted = False
        self.closed: tuple[int, str] | None = None
        self.to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.to_client: asyncio.Queue[str] = asyncio.Queue()
        self.stalled = asyncio.Event()
        self.stalled.set()

    async def accept(self) -> None:
        self.accepted = True

    async def receive(self) -> dict[str, Any]:
        return await self.to_server.get()

    async def send_text(self, data: str) -> None:
        await self.stalled.wait()
        if self.closed is not None:
            raise RuntimeError("closed")
        self.to_client.put_nowait(data)

    async def send_bytes(self, data: bytes) -> None:
        raise AssertionError("this dialect has no binary frames")

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        if self.closed is None:
            self.closed = (code, reason or "")


class Client:
    """Speaks as the SDK does: a header with every request, its own rising ``seq``."""

    def __init__(self, house: House, session: Session, settings: MediaSocketSettings | None = None, query: str | None = None) -> None:
        credential = MediaCredential(session.app_id, session.session_id, session.media_key)
        self.session = session
        self.socket = PipeSocket(media_url("ws://h", credential).partition("?")[2] if query is None else query)
        self._house = house
        self._settings = settings or MediaSocketSettings()
        self._seq = 1
        self.pushes: list[dict[str, Any]] = []
        """Frames that answered no request, in order."""

    async def __aenter__(self) -> Client:
        self.server = asyncio.create_task(
            serve_media_socket(
                self.socket, calls=self._house.calls, settings=self._settings, clock=self._house.clock, client_address="192.0.2.7"
            )
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.hang_up()
        await asyncio.wait_for(self.server, LIMIT)

    def hang_up(self) -> None:
        self.socket.to_server.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def closed(self) -> tuple[int, str]:
        """Wait until the server has closed the socket: code and reason."""
        await asyncio.wait_for(asyncio.shield(self.server), LIMIT)
        assert self.socket.closed is not None
        return self.socket.closed

    def send_text(self, text: str) -> None:
        self.socket.to_server.put_nowait({"type": "websocket.receive", "text": text})

    def send(self, cmd: str, body: object, *, session_id: int = 0, **header: object) -> int:
        self._seq += 1
        fields = {
            "version": "1.0.1",
            "cmd": cmd,
            "appid": str(self.session.app_id),
            "seq": self._seq,
            "user_id": self.session.user_id,
            "session_id": session_id,
        }
        self.send_text(json.dumps({"header": {**fields, **header}, "body": body}))
        return self._seq

    async def receive(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.to_client.get(), LIMIT))
        return frame

    async def ask(self, cmd: str, body: object, *, session_id: int = 0, **header: object) -> dict[str, Any]:
        """The answer's frame; pushes that come before it are kept."""
        seq = self.send(cmd, body, session_id=session_id, **header)
        while True:
            frame = await self.receive()
            if not frame["header"]["cmd"].endswith("Push"):
                assert frame["header"]["seq"] == seq
                return frame
            self.pushes.append(frame)

    async def push(self) -> dict[str, Any]:
        """The next push."""
        if self.pushes:
            return self.pushes.pop(0)
        frame = await self.receive()
        assert frame["header"]["cmd"].endswith("Push"), frame
        return frame

    async def log_in(self, *held: tuple[int, str], version: str = "2.14.0", token: str = "t0ken") -> dict[str, Any]:
        body: dict[str, object] = {"token": token, "tokenType": 0, "roomid": "r", "anchorname": "", "sdkversion": version, "osinfo": "x"}
        if held:
            body["sessions"] = [{"session_id": number, "session_token": token} for number, token in held]
        return await self.ask("LoginReq", body)

    async def open(self, kind: int, stream_id: str) -> dict[str, Any]:
        return await self.ask(
            "CreateSessionWithSdpReq",
            {
                "type": kind,
                "app_id": str(self.session.app_id),
                "stream_id": stream_id,
                "sdp": OFFER,
                "user_id": self.session.user_id,
                "platform": "Linux x86_64",
                "browser": "Chrome",
                "sdk_vers": 2140,
                "clientIp": "",
                "media_server_host": "",
                "strAuthParam": "",
            },
        )


OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 63",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=sendonly",
        "a=rtpmap:111 opus/48000/2",
        "",
    ]
)
