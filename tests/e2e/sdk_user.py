"""What a user of any SDK generation can do and see: the part of the engine's interface that they have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.e2e.remote import LIMIT, Json, Recorder, Remote


class SdkUser(Recorder):
    """One engine of the official SDK with one user id, hosted by a Node process."""

    def __init__(self, remote: Remote, user_id: str, token: Callable[..., str]) -> None:
        super().__init__(user_id)
        self.user_id = user_id
        self.user_name = f"{user_id} 名"
        self._remote = remote
        self._token = token

    async def call(self, method: str, *args: Json, limit: float = LIMIT) -> Json:
        """``await engine.method(...args)``."""
        return await self._remote.call("call", user=self.name, method=method, args=args, limit=limit)

    async def login(self, room_id: str, *, user_updates: bool = True, token: str | None = None, **config: Any) -> None:
        """Logs in and waits for the state CONNECTED."""
        given = self._token(self.user_id) if token is None else token
        user = {"userID": self.user_id, "userName": self.user_name}
        await self.call("loginRoom", room_id, given, user, {"userUpdate": user_updates, **config})
        await self.connected(room_id)

    async def logout(self, room_id: str | None = None) -> None:
        await self.call("logoutRoom", *([] if room_id is None else [room_id]))

    async def connected(self, room_id: str) -> None:
        await self.wait_event("roomStateUpdate", lambda room, state, *_: room == room_id and state == "CONNECTED")

    async def disconnected(self, room_id: str) -> Sequence[Json]:
        """The arguments of the DISCONNECTED state: room id, state, error code, extended data."""
        return await self.wait_event("roomStateUpdate", lambda room, state, *_: room == room_id and state == "DISCONNECTED")

    async def publisher_state(self, stream_id: str, state: str) -> Json:
        (result,) = await self.wait_event("publisherStateUpdate", lambda r: r["streamID"] == stream_id and r["state"] == state)
        return result

    async def player_state(self, stream_id: str, state: str) -> Json:
        (result,) = await self.wait_event("playerStateUpdate", lambda r: r["streamID"] == stream_id and r["state"] == state)
        return result

    # What the SDK has told the app.

    async def sees_user(self, room_id: str, user_id: str, change: str = "ADD") -> None:
        """Waits until ``roomUserUpdate`` has told of this user."""
        await self.wait_event(
            "roomUserUpdate",
            lambda room, kind, users: room == room_id and kind == change and user_id in [u["userID"] for u in users],
            about=user_id,
        )

    async def sees_stream(self, room_id: str, stream_id: str, change: str = "ADD") -> Json:
        """Waits until ``roomStreamUpdate`` has told of this stream; returns its entry."""
        _, _, streams, *_ = await self.wait_event(
            "roomStreamUpdate",
            lambda room, kind, streams, *_: room == room_id and kind == change and stream_id in _ids(streams),
            about=stream_id,
        )
        return next(stream for stream in streams if stream["streamID"] == stream_id)

    def stream_changes(self, stream_id: str) -> list[str]:
        """Every ADD and DELETE of this stream so far: shows flicker."""
        return [kind for _, kind, streams, *_ in self.history("roomStreamUpdate") if stream_id in _ids(streams)]

    def user_changes(self, user_id: str) -> list[str]:
        """Every ADD and DELETE of this user so far."""
        return [kind for _, kind, users in self.history("roomUserUpdate") if user_id in [user["userID"] for user in users]]

    def states(self) -> list[str]:
        """Every state of the room so far (of all rooms, with multi-room)."""
        return [state for _, state, *_ in self.history("roomStateUpdate")]

    def publisher_states(self, stream_id: str) -> list[str]:
        return [state["state"] for (state,) in self.history("publisherStateUpdate") if state["streamID"] == stream_id]


def _ids(streams: Sequence[Json]) -> list[str]:
    return [stream["streamID"] for stream in streams]
