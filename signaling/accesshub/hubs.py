"""The binary dialect of one node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rooms.model import Clock
from signaling.accesshub.configuration import CloudSettings
from signaling.accesshub.connection import HubConnection
from signaling.accesshub.frames import Service as ServiceNo
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.rooms.replies import listed_user
from signaling.accesshub.rooms.service import RoomsOnHub
from signaling.accesshub.services import HttpService, Service, Services
from signaling.accesshub.settings import HubSettings
from signaling.ports import Calls, Rooms
from signaling.socket import SocketLike
from signaling.sockets import Sockets


class Hubs(Sockets[HubConnection, pb.LrUserBaseInfo]):
    """Give each WebSocket on ``/accesshub`` to ``serve``."""

    def __init__(
        self,
        *,
        calls: Calls,
        rooms: Rooms,
        serves: Callable[[int], bool],
        settings: HubSettings,
        clock: Clock,
        channels: Mapping[int, Service] | None = None,
        http: Mapping[int, HttpService] | None = None,
    ) -> None:
        """``serves``: whether there is such an App. ``channels``, ``http``: services beside the rooms, by number."""
        super().__init__(rooms=rooms, settings=settings, clock=clock, listed=listed_user)
        self._settings = settings
        self._serves = serves
        self.elsewhere: Sequence[str] = ()
        """``host[:port]`` of other nodes, for clients of a draining one."""
        room_service = RoomsOnHub(calls, rooms, self, settings=settings, clock=clock)
        self._services = Services(
            channels={ServiceNo.ROOMS: room_service, **(channels or {})},
            http=dict(http or {}),
            interfaces={CloudSettings.INTERFACE: CloudSettings()},
        )

    def serves(self, app_id: int) -> bool:
        return self._serves(app_id)

    async def serve(self, socket: SocketLike, *, client_address: str, base_url: str) -> None:
        """Accept and serve one socket until it is closed by either side.

        ``client_address``: the client's IP address. ``base_url``: ``ws://host:port`` as the client used it.
        """
        await self._run(
            HubConnection(
                socket,
                client_address=client_address,
                base_url=base_url,
                node=self,
                services=self._services,
                registry=self,
                rooms=self._rooms,
                settings=self._settings,
                clock=self._clock,
            )
        )
