"""Which room session may publish which stream: asked of the registry, which has the newest grant, before each beginning."""

from __future__ import annotations

from calls import admission
from calls.ports import Rooms
from rooms.errors import SessionUnknown
from rooms.model import Clock, Session, Stream


class PublishPermission:
    def __init__(self, rooms: Rooms, clock: Clock) -> None:
        self._rooms = rooms
        self._clock = clock

    async def current(self, session: Session) -> Session:
        """The session as the registry has it now, with its newest grant. Raises ``SessionUnknown``."""
        current = await self._rooms.session(session.app_id, session.session_id)
        if current is None:
            raise SessionUnknown("the room session is over")
        return current

    async def check(self, session: Session, stream_id: str) -> None:
        """Raises ``TokenExpired`` and ``TokenNotPermitted`` unless the session, as ``current`` gave it, may begin to publish the stream."""
        stream = await self._rooms.stream(session.app_id, stream_id)
        if stream is not None and stream.session_id == session.session_id:
            return  # a running publish goes on, whatever has become of the token
        admission.check_publish(session.grant, stream_id, self._clock())

    async def reserve(self, session: Session, stream_id: str) -> Stream:
        """Keep the stream for this session, on this node. Raises as ``check`` and ``RoomService.reserve``."""
        await self.check(session, stream_id)
        return await self._rooms.reserve(session, stream_id, self._rooms.node.node_id)
