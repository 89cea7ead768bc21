"""The JSON room dialect of one node."""

from __future__ import annotations

from rooms.model import Clock, User
from signaling.ports import Calls, Rooms
from signaling.room_json.commands import Commands
from signaling.room_json.connection import RoomConnection
from signaling.room_json.login import Logins
from signaling.room_json.replies import ListedUser
from signaling.room_json.settings import RoomSocketSettings
from signaling.socket import SocketLike
from signaling.sockets import Sockets


class RoomSockets(Sockets[RoomConnection, ListedUser]):
    """Give each WebSocket on ``/ws`` to ``serve``."""

    def __init__(self, *, calls: Calls, rooms: Rooms, settings: RoomSocketSettings, clock: Clock) -> None:
        super().__init__(rooms=rooms, settings=settings, clock=clock, listed=_listed)
        self._settings = settings
        logins = Logins(calls, self, settings=settings, clock=clock)
        self._commands = Commands(calls, rooms, logins, settings=settings, clock=clock, hooks=self)

    async def serve(self, socket: SocketLike, *, client_address: str, base_url: str) -> None:
        """Accept and serve one socket until it is closed by either side.

        ``client_address``: the client's IP address. ``base_url``: ``ws://host:port`` as the client used it.
        """
        await self._run(
            RoomConnection(
                socket,
                client_address=client_address,
                base_url=base_url,
                commands=self._commands,
                registry=self,
                rooms=self._rooms,
                settings=self._settings,
                clock=self._clock,
            )
        )


def _listed(user: User) -> ListedUser:
    return ListedUser(user.user_id, user.user_name, user.role)
