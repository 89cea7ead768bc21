"""The operator's way in: ``POST /control/{action}``, signed with the App's ServerSecret. ``hearth rooms``, ``kick`` … use it.

Headers: ``X-Hearth-App-Id``, ``X-Hearth-Timestamp`` (Unix seconds, within ten minutes of ours), ``X-Hearth-Nonce`` (used once),
``X-Hearth-Signature`` (``auth.signatures.sign_request``). Body and answer are JSON: ``{"data": …}`` or
``{"error": {"type": …, "message": …}}``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Literal, TypeVar

import msgspec

from auth.signatures import verify_request
from calls.apps import App
from rooms.errors import InvalidRequest, RateLimited, RoomError, RoomUnknown, StoreUnavailable, UserUnknown
from rooms.model import Clock
from rooms.service import RoomService
from server.apps import AppDirectory
from server.control_headers import HEADERS
from server.metrics import Metrics
from server.redaction import JSON
from server.sdk_logs import SdkLogs

WINDOW_SECONDS = 600
_NONCES_KEPT = 100_000
_MAX_NONCE = 64


class ControlRefused(Exception):
    """``status``: HTTP status; ``kind``: machine-readable name of the problem."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class SeenNonces:
    """Nonces of the time window, so that a request that somebody recorded cannot be sent a second time."""

    def __init__(self, clock: Clock, most: int = _NONCES_KEPT) -> None:
        self._clock = clock
        self._most = most
        self._seen: OrderedDict[tuple[int, str], int] = OrderedDict()

    def use(self, app_id: int, nonce: str) -> bool:
        """Mark as used. False = it was used before, or so many are remembered that the answer is not known."""
        now = self._clock() // 1000
        while self._seen and next(iter(self._seen.values())) < now:
            self._seen.popitem(last=False)
        if (app_id, nonce) in self._seen or len(self._seen) >= self._most:
            return False
        # A timestamp may be as much ahead of our clock as behind it: remembered for both.
        self._seen[app_id, nonce] = now + 2 * WINDOW_SECONDS
        return True


class _Room(msgspec.Struct, forbid_unknown_fields=True):
    room_id: str


class _Rooms(msgspec.Struct, forbid_unknown_fields=True):
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000
    cursor: str = ""


class _Logs(msgspec.Struct, forbid_unknown_fields=True):
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000


class _Kick(msgspec.Struct, forbid_unknown_fields=True):
    room_id: str
    user_id: str
    reason: str = ""


class _Close(msgspec.Struct, forbid_unknown_fields=True):
    room_id: str
    reason: str = ""


class _Send(msgspec.Struct, forbid_unknown_fields=True):
    room_id: str
    content: str
    kind: Literal["broadcast", "barrage", "command"] = "broadcast"
    user_id: str = "server"
    user_name: str = "server"
    to: list[str] = []


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Control:
    """Checks a request and carries it out."""

    def __init__(self, apps: AppDirectory, rooms: RoomService, sdk_logs: SdkLogs, metrics: Metrics, clock: Clock) -> None:
        self._apps = apps
        self._rooms = rooms
        self._sdk_logs = sdk_logs
        self._metrics = metrics
        self._clock = clock
        self._nonces = SeenNonces(clock)
        self._actions: Mapping[str, Callable[[int, bytes], Awaitable[JSON]]] = {
            "rooms": self._list_rooms,
            "users": self._list_users,
            "streams": self._list_streams,
            "nodes": self._list_nodes,
            "kick": self._kick,
            "close-room": self._close_room,
            "send": self._send,
            "logs": self._list_logs,
        }

    async def handle(self, action: str, path: str, headers: Mapping[str, str], body: bytes) -> JSON:
        """The answer's data. Raises ``ControlRefused``."""
        name = action if action in self._actions else "unknown"
        try:
            app = self._authorise(path, headers, body)
            if action not in self._actions:
                raise ControlRefused(404, "UnknownAction", f"there is no action {action!r}")
            data = await self._run(action, app.app_id, body)
        except ControlRefused as refusal:
            self._metrics.control_requests.labels(name, refusal.kind).inc()
            raise
        self._metrics.control_requests.labels(name, "ok").inc()
        return data

    def _authorise(self, path: str, headers: Mapping[str, str], body: bytes) -> App:
        app_id, timestamp, nonce, signature = (headers.get(name, "") for name in HEADERS)
        if not all((app_id, timestamp, nonce, signature)):
            raise ControlRefused(401, "NotSigned", f"a signed request has {', '.join(HEADERS)}")
        if not all(text.isascii() and text.isdecimal() and len(text) <= 12 for text in (app_id, timestamp)) or len(nonce) > _MAX_NONCE:
            raise ControlRefused(401, "NotSigned", "malformed signature headers")
        app = self._apps.get(int(app_id))
        # The same work and the same answer for an unknown App and for a wrong secret.
        secrets = app.keys.server_secrets if app else ("0" * 32,)
        genuine = verify_request(signature, server_secrets=secrets, method="POST", path=path, timestamp=timestamp, nonce=nonce, body=body)
        if app is None or not genuine:
            raise ControlRefused(401, "WrongSignature", f"the signature does not fit AppID {app_id}: wrong AppID or ServerSecret")
        skew = int(timestamp) - self._clock() // 1000
        if abs(skew) > WINDOW_SECONDS:
            raise ControlRefused(
                401, "WrongTime", f"the request's clock is {abs(skew)} s {'ahead of' if skew > 0 else 'behind'} the server's"
            )
        if not self._nonces.use(app.app_id, nonce):
            raise ControlRefused(401, "Replayed", "this request was sent before")
        return app

    async def _run(self, action: str, app_id: int, body: bytes) -> JSON:
        try:
            return await self._actions[action](app_id, body)
        except msgspec.ValidationError as error:
            raise ControlRefused(400, "BadRequest", str(error)) from None
        except msgspec.DecodeError:
            raise ControlRefused(400, "BadRequest", "the body is not JSON") from None
        except RoomUnknown:
            raise ControlRefused(404, "RoomUnknown", "there is no such room") from None
        except UserUnknown:
            raise ControlRefused(404, "UserUnknown", "there is no such user in this room") from None
        except InvalidRequest as error:
            raise ControlRefused(400, type(error).__name__, str(error)) from None
        except RateLimited as error:
            raise ControlRefused(429, "RateLimited", str(error) or "too many requests") from None
        except StoreUnavailable as error:
            raise ControlRefused(503, "StoreUnavailable", str(error) or "the store cannot be reached, try again") from None
        except RoomError as error:
            raise ControlRefused(409, type(error).__name__, str(error) or type(error).__name__) from None

    # --- look -----------------------------------------------------------------------------------------------------------------

    async def _list_rooms(self, app_id: int, body: bytes) -> JSON:
        asked = _read(body, _Rooms)
        page = await self._rooms.rooms(app_id, limit=asked.limit, cursor=asked.cursor)
        return {"rooms": _plain(page.rooms), "cursor": page.cursor}

    async def _list_users(self, app_id: int, body: bytes) -> JSON:
        users = await self._rooms.users(app_id, _read(body, _Room).room_id)
        if not users:
            raise RoomUnknown
        return _plain(users, secret=("session_id",))

    async def _list_streams(self, app_id: int, body: bytes) -> JSON:
        room_id = _read(body, _Room).room_id
        streams = await self._rooms.streams(app_id, room_id)
        if not streams and not await self._rooms.users(app_id, room_id):
            raise RoomUnknown
        return _plain(streams, secret=("session_id",))

    async def _list_nodes(self, app_id: int, body: bytes) -> JSON:
        _read(body, _Nothing)
        return _plain(await self._rooms.nodes())

    async def _list_logs(self, app_id: int, body: bytes) -> JSON:
        records: list[JSON] = [*self._sdk_logs.recent(app_id, _read(body, _Logs).limit)]
        return records

    # --- act ------------------------------------------------------------------------------------------------------------------

    async def _kick(self, app_id: int, body: bytes) -> JSON:
        asked = _read(body, _Kick)
        await self._rooms.kick(app_id, asked.room_id, asked.user_id, message=asked.reason)
        return None

    async def _close_room(self, app_id: int, body: bytes) -> JSON:
        asked = _read(body, _Close)
        await self._rooms.close_room(app_id, asked.room_id, message=asked.reason)
        return None

    async def _send(self, app_id: int, body: bytes) -> JSON:
        asked = _read(body, _Send)
        match asked.kind:
            case "broadcast":
                await self._rooms.broadcast_from_server(app_id, asked.room_id, asked.user_id, asked.user_name, asked.content)
            case "barrage":
                await self._rooms.barrage_from_server(app_id, asked.room_id, asked.user_id, asked.user_name, asked.content)
            case "command":
                await self._rooms.command_from_server(app_id, asked.room_id, asked.user_id, asked.user_name, asked.content, to=asked.to)
        return None


_Body = TypeVar("_Body", bound=msgspec.Struct)


def _read(body: bytes, kind: type[_Body]) -> _Body:
    return msgspec.json.decode(body or b"{}", type=kind)


def _plain(values: Sequence[msgspec.Struct], secret: Sequence[str] = ()) -> JSON:
    rows: list[JSON] = []
    for value in values:
        row: dict[str, JSON] = msgspec.to_builtins(value)
        rows.append({key: inner for key, inner in row.items() if key not in secret})
    return rows
