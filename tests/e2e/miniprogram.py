"""Users of the official mini-program SDK 2.11.0, hosted by ``node/miniprogram.js``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.e2e.remote import LIMIT, Json, Recorder, Remote

PUSH_STARTED = 1002
"""``<live-pusher>``: connected and pushing."""
PLAY_STARTED = 2004
"""``<live-player>``: playing."""
PUSH_DISCONNECTED = -1307
"""``<live-pusher>``: connection to the server lost for good."""


class MiniProgramUser(Recorder):
    """One phone with one app with one engine."""

    def __init__(self, remote: Remote, user_id: str, token: Callable[..., str]) -> None:
        super().__init__(user_id)
        self.user_id = user_id
        self.user_name = f"{user_id} 名"
        self._remote = remote
        self._token = token

    async def create(self, app_id: int, server: str | list[str], multi_room: bool) -> None:
        self._remote.add(self)
        await self._remote.call("create", user=self.name, appId=app_id, server=server, multiRoom=multi_room)

    async def call(self, method: str, *args: Json, limit: float = LIMIT) -> Json:
        """``await engine.method(...args)``."""
        return await self._remote.call("call", user=self.name, method=method, args=args, limit=limit)

    async def login(self, room_id: str, *, user_updates: bool = True, token: str | None = None, **config: Any) -> None:
        """Logs in and waits for the state CONNECTED."""
        given = self._token(self.user_id) if token is None else token
        user = {"userID": self.user_id, "userName": self.user_name}
        await self.call("loginRoom", room_id, given, user, {"userUpdate": user_updates, **config})
        await self.connected(room_id)

    async def connected(self, room_id: str) -> None:
        await self.wait_event("roomStateUpdate", lambda room, state, *_: room == room_id and state == "CONNECTED")

    async def disconnected(self, room_id: str) -> Sequence[Json]:
        """The arguments of the DISCONNECTED state: room id, state, error code, extended data."""
        return await self.wait_event("roomStateUpdate", lambda room, state, *_: room == room_id and state == "DISCONNECTED")

    async def logout(self, room_id: str | None = None) -> None:
        await self.call("logoutRoom", *([] if room_id is None else [room_id]))

    async def start_pusher(self, stream_id: str, **option: Any) -> str:
        """The page starts its live-pusher. Returns the RTMP address; nothing is announced until the pusher has started."""
        return str(await self._remote.call("startPusher", user=self.name, streamId=stream_id, option=option))

    async def publish(self, stream_id: str, **option: Any) -> str:
        """Publishes as an app does, and waits until the SDK says PUBLISHING. Returns the RTMP address."""
        url = await self.start_pusher(stream_id, **option)
        await self.component_state(stream_id, PUSH_STARTED)
        await self.publisher_state(stream_id, "PUBLISHING")
        return url

    async def publisher_state(self, stream_id: str, state: str) -> Json:
        (result,) = await self.wait_event("publisherStateUpdate", lambda r: r["streamID"] == stream_id and r["state"] == state)
        return result

    async def stop_publishing(self) -> None:
        await self._remote.call("stopPusher", user=self.name)

    async def start_player(self, stream_id: str, **option: Any) -> None:
        await self._remote.call("startPlayer", user=self.name, streamId=stream_id, option=option)

    async def play_url(self, stream_id: str) -> str:
        """Starts a player and returns the address that its page's live-player is given."""
        await self.start_player(stream_id)

        def address(data: Json) -> str | None:
            for player in data.get("players", []):
                if player["id"] == stream_id and player.get("url"):
                    return str(player["url"])
            return None

        (data,) = await self.wait_event("setData", address)
        found = address(data)
        assert found is not None
        return found

    async def stop_player(self, stream_id: str) -> None:
        await self._remote.call("stopPlayer", user=self.name, streamId=stream_id)

    async def player_state(self, stream_id: str, state: str) -> Json:
        (result,) = await self.wait_event("playerStateUpdate", lambda r: r["streamID"] == stream_id and r["state"] == state)
        return result

    async def component_state(self, stream_id: str, code: int) -> None:
        """The page passes on a state code of its live-pusher or live-player."""
        await self._remote.call("componentState", user=self.name, streamId=stream_id, code=code)

    async def cut(self, *, stay_offline: bool = False) -> None:
        """Breaks the socket. With ``stay_offline`` the phone has no network until ``go_online``."""
        await self._remote.call("cut", user=self.name, stayOffline=stay_offline)

    async def go_online(self) -> None:
        await self._remote.call("goOnline", user=self.name)

    async def vanish(self, *, silently: bool) -> None:
        """The app is gone for ever: with its socket reset, or silently, the TCP connection left open but mute."""
        await self._remote.call("vanish", user=self.name, silently=silently)

    async def dispose(self) -> None:
        await self._remote.call("dispose", user=self.name)

    # What the SDK has been told, as the app would keep it.

    async def sees_user(self, room_id: str, user_id: str, change: str = "ADD") -> None:
        """Waits until ``roomUserUpdate`` has told of this user."""
        await self.wait_event(
            "roomUserUpdate", lambda room, kind, users: room == room_id and kind == change and user_id in [u["userID"] for u in users]
        )

    async def sees_stream(self, room_id: str, stream_id: str, change: str = "ADD") -> Json:
        """Waits until ``roomStreamUpdate`` has told of this stream; returns its entry."""
        _, _, streams, *_ = await self.wait_event(
            "roomStreamUpdate", lambda room, kind, streams, *_: room == room_id and kind == change and stream_id in ids(streams)
        )
        return next(stream for stream in streams if stream["streamID"] == stream_id)

    def stream_changes(self, stream_id: str) -> list[str]:
        """Every ADD and DELETE of this stream so far: shows flicker."""
        return [kind for _, kind, streams, *_ in self.history("roomStreamUpdate") if stream_id in ids(streams)]

    def user_changes(self, user_id: str) -> list[str]:
        return [kind for _, kind, users in self.history("roomUserUpdate") if user_id in [user["userID"] for user in users]]

    def states(self) -> list[str]:
        return [state for _, state, *_ in self.history("roomStateUpdate")]


def ids(streams: Sequence[Json]) -> list[str]:
    return [stream["streamID"] for stream in streams]
