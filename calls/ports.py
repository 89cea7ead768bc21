"""What calls needs of the room registry and of the media plane. ``rooms.service.RoomService`` and ``media.sfu.Sfu`` have it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from media.figures import MediaFigures
from media.plane import Loudest
from media.turn.access import RelayAccess
from rooms.events import EndReason, Receiver, StreamEnd, Watcher
from rooms.model import Grant, LoginRequest, NodeInfo, Session, Stream, User, Verdict

if TYPE_CHECKING:
    from rooms.service import LoginResult


class View(Protocol):
    """The part of ``rooms.view.RoomView`` that calls looks at."""

    @property
    def users(self) -> Mapping[str, User]: ...


class Verdicts(Protocol):
    """The part of ``rooms.moderation.Moderation`` that calls asks."""

    async def add_stream(
        self, app_id: int, room_id: str, user_id: str, user_name: str, stream_id: str, extra_info: str, node_id: str = ""
    ) -> Stream: ...

    async def delist_stream(self, app_id: int, room_id: str, user_id: str, stream_id: str) -> Stream: ...

    async def verdict(self, app_id: int, room_id: str, stream_id: str) -> Verdict: ...


class NodeRequests(Protocol):
    """The part of ``rooms.node_requests.NodeRequests`` that calls uses. Raises ``NodeUnreachable``, ``StoreUnavailable``."""

    def serve(self, kind: str, handler: Callable[[bytes], Awaitable[bytes]]) -> None: ...

    async def ask(self, node_id: str, kind: str, body: bytes) -> bytes: ...

    def tell(self, node_id: str, kind: str, body: bytes) -> None: ...


class Rooms(Protocol):
    """Where sessions and streams are kept. Raises ``rooms.errors``; any call may raise ``StoreUnavailable``."""

    @property
    def node(self) -> NodeInfo: ...

    @property
    def moderation(self) -> Verdicts: ...

    @property
    def node_requests(self) -> NodeRequests: ...

    async def login(self, request: LoginRequest, receiver: Receiver) -> LoginResult: ...

    async def logout(self, session: Session, *, whole_login: bool = False, reason: EndReason = EndReason.LOGOUT) -> None: ...

    async def session(self, app_id: int, session_id: int) -> Session | None: ...

    async def update_grant(self, session: Session, grant: Grant) -> Session: ...

    async def reserve(self, session: Session, stream_id: str, node_id: str | None = None) -> Stream: ...

    async def publish(self, session: Session, stream_id: str, extra_info: str) -> Stream: ...

    async def update_stream(self, session: Session, stream_id: str, extra_info: str) -> Stream: ...

    async def unpublish(self, session: Session, stream_id: str, reason: StreamEnd = StreamEnd.STOPPED) -> Stream | None: ...

    async def stream(self, app_id: int, stream_id: str) -> Stream | None: ...

    async def nodes(self) -> list[NodeInfo]: ...

    async def watch(self, app_id: int, room_id: str, watcher: Watcher) -> View: ...

    def unwatch(self, app_id: int, room_id: str, watcher: Watcher) -> None: ...


class MediaPlane(Protocol):
    """Where packets are moved. ``session_id`` is the uint32 media session id, ``stream`` an opaque name unique in the house."""

    async def open_publisher(self, session_id: int, stream: str, offer: str, *, loudest: Loudest | None = None) -> str: ...

    async def open_player(self, session_id: int, stream: str, offer: str) -> str: ...

    @property
    def addresses(self) -> tuple[str, ...]:
        """``host:port`` of this node's candidates, best first."""
        ...

    @property
    def relay_urls(self) -> tuple[str, ...]:
        """TURN servers for clients of this node; empty = none."""
        ...

    def relay_access(self, session_id: int) -> RelayAccess | None: ...

    def close(self, session_id: int) -> None: ...

    def figures(self, session_id: int) -> MediaFigures | None:
        """Counters of an open session; None for an unknown one."""
        ...

    def set_forwarding(self, session_id: int, *, audio: bool) -> None: ...
