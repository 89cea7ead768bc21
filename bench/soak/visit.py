"""One person's visit: enter a room, publish, hear the room's host, go away again in one of several ways."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from contextlib import AsyncExitStack

from aiortc import RTCCertificate

from bench.sfu.light_client import LightClient
from bench.soak.sockets import Body, JsonSocket

PUBLISH, PLAY = 0, 1
VERSION = "2.14.0"
HEARING_SECONDS = 60
PAYLOAD = bytes(100)


class Leaving(enum.Enum):
    """How a visit ends."""

    ORDERLY = enum.auto()
    """Stops playing and publishing, logs out, closes."""
    LOGOUT_ONLY = enum.auto()
    """Leaves the room with media running."""
    TAB_CLOSED = enum.auto()
    """Both sockets break and the media falls silent."""
    HALF_WAY = enum.auto()
    """Begins a session of the first style, with its TURN credential, and goes before it makes an offer."""


class Place:
    """A node and how one gets in."""

    def __init__(self, ws_url: str, app_id: int, token: Callable[[str], str]) -> None:
        """``ws_url``: of the room socket. ``token``: a token of a user."""
        self.ws_url = ws_url
        self.app_id = app_id
        self.token = token
        self.certificate = RTCCertificate.generateCertificate()


class Visitor:
    """A web client without a browser. ``async with``: its sockets are closed at the end."""

    def __init__(self, place: Place, user_id: str, room_id: str) -> None:
        self.user_id = user_id
        self._place = place
        self._room_id = room_id
        self._stack = AsyncExitStack()
        self._media: JsonSocket | None = None
        self._sessions: list[tuple[int, LightClient]] = []
        header = {"Protocol": "req", "appid": place.app_id, "room_id": room_id, "session_id": "0", "room_session_id": "0"}
        self._room = JsonSocket(place.ws_url, header)

    async def __aenter__(self) -> Visitor:
        await self._stack.enter_async_context(self._room)
        return self

    async def __aexit__(self, *exc: object) -> None:
        for _, client in self._sessions:
            await client.close()
        await self._stack.aclose()

    async def enter(self) -> None:
        user = {"id_name": self.user_id, "nick_name": self.user_id, "token": self._place.token(self.user_id), "version": "2.14.0"}
        flags = {
            "role": 2,
            "room_name": self._room_id,
            "user_state_flag": 1,
            "room_create_flag": 1,
            "client_type": 3,
            "user_count_limit": 0,
        }
        answer = await self._room.ask("login", {**user, **flags})
        _check(answer, "err_code")
        self._room.header |= {name: answer[name] for name in ("user_id", "session_id", "room_session_id")}

    async def publish(self, stream_id: str) -> LightClient:
        client = await self._open(PUBLISH, stream_id)
        _check(
            await self._room.ask("stream", {"sub_cmd": 2001, "stream_msg": f'{{"stream_id":"{stream_id}","extra_info":""}}'}), "err_code"
        )
        return client

    async def play(self, stream_id: str) -> LightClient:
        """Returns when the first packet is there. Raises ``TimeoutError``."""
        client = await self._open(PLAY, stream_id)
        await asyncio.wait_for(client.heard.wait(), HEARING_SECONDS)
        return client

    async def begin(self, stream_id: str) -> None:
        """Only the first step of a session of the first style."""
        media = await self._media_socket(stream_id, PUBLISH)
        _check(await media.ask("CreateSessionReq", {"type": PUBLISH, "stream_id": stream_id, "sdk_version": 2050}), "result")

    async def beat(self) -> None:
        """What keeps both sockets and their sessions alive."""
        _check(await self._room.ask("hb", {"reserve": 0}), "err_code")
        if self._media is not None:
            _check(await self._media.ask("ClientHBReq", {"session_ids": [session_id for session_id, _ in self._sessions]}), "result")

    async def leave(self, way: Leaving) -> None:
        if way is Leaving.TAB_CLOSED:
            for socket in (self._room, self._media):
                if socket is not None:
                    socket.abort()
            return
        if way is Leaving.ORDERLY and self._media is not None:
            for session_id, _ in self._sessions:
                _check(await self._media.ask("CloseSessionReq", {"reason": 0}, session_id=session_id), "result")
        _check(await self._room.ask("logout", {"reserve": 0}), "err_code")

    async def _media_socket(self, stream_id: str, kind: int) -> JsonSocket:
        asked: Body = {"stream_id": stream_id, "ptype": "pull" if kind == PLAY else "push", "signals": [], "header_kvs": []}
        answer = await self._room.ask("webrtc_url", asked)
        _check(answer, "err_code")
        if self._media is None:
            header = {"version": "1.0.1", "appid": str(self._place.app_id), "user_id": self.user_id, "session_id": 0}
            self._media = await self._stack.enter_async_context(JsonSocket(answer["urls"][0], header))
            _check(
                await self._media.ask("LoginReq", {"token": "", "tokenType": 0, "roomid": self._room_id, "sdkversion": "2.14.0"}), "result"
            )
        return self._media

    async def _open(self, kind: int, stream_id: str) -> LightClient:
        media = await self._media_socket(stream_id, kind)
        client = LightClient(self._place.certificate, publishing=kind == PUBLISH)
        answer = await media.ask("CreateSessionWithSdpReq", {"type": kind, "stream_id": stream_id, "sdp": client.offer})
        _check(answer, "result")
        self._sessions.append((answer["session_id"], client))
        await client.connect(answer["sdp"])
        return client


async def visit(place: Place, number: int, room_id: str, host_stream: str) -> None:
    """The whole of it. The number chooses how it ends."""
    ways = list(Leaving)
    way = ways[number % len(ways)]
    async with Visitor(place, f"visitor-{number}", room_id) as visitor:
        await visitor.enter()
        if way is Leaving.HALF_WAY:
            await visitor.begin(f"half-{number}")
        else:
            own = await visitor.publish(f"visit-{number}")
            own.send(1, PAYLOAD, stamped=False)
            await visitor.play(host_stream)
        await visitor.leave(way)


def _check(answer: dict[str, object], name: str) -> None:
    if answer[name] != 0:
        raise RuntimeError(f"refused: {answer}")
