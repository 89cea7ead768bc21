"""One action of the API: its name, its parameters, what it does and what it answers."""

from __future__ import annotations

import enum
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic

from calls.apps import App
from calls.cluster_figures import ClusterFigures
from rooms.model import Clock
from rooms.outbox import Outbox
from rooms.service import RoomService
from server.cloud_api.codes import RoomCode
from server.cloud_api.parameters import P, RawParameters, read
from server.sdk_logs import SdkLogs


class Family(enum.Enum):
    """Which part of the cloud an action belongs to. The value is what it calls success."""

    ROOM = "success"
    MEDIA = "ok"


@dataclass(frozen=True)
class House:
    """What actions work on."""

    rooms: RoomService
    sdk_logs: SdkLogs
    clock: Clock
    rng: random.Random
    outbox: Outbox
    figures: ClusterFigures


@dataclass(frozen=True)
class Call:
    """One authorised request."""

    app: App
    house: House
    is_test: bool = False
    """``IsTest``: in the cloud's test environment stream ids carry a prefix, which callers of media actions send along."""

    @property
    def app_id(self) -> int:
        return self.app.app_id

    @property
    def rooms(self) -> RoomService:
        return self.house.rooms

    def stream_id(self, given: str) -> str:
        """The stream id of a media action without the test environment's prefix: here there is one environment."""
        return given.removeprefix(f"zegotest-{self.app_id}-") if self.is_test else given


@dataclass(frozen=True)
class Action(Generic[P]):
    """``carry_out`` raises ``Refused`` or a ``RoomError``; its result becomes ``Data`` (None = there is none)."""

    name: str
    summary: str
    family: Family
    parameters: type[P]
    carry_out: Callable[[Call, P], Awaitable[object]]
    data: object = None
    """Type of ``Data``."""
    rate: float = 0
    """Requests per second of an App, over all nodes; 0 = unlimited. What the cloud allows (§2.4); a setting can change it."""
    room_rate: float = 0
    """The same for each room."""
    rate_code: int = RoomCode.APP_RATE
    room_unknown: int = RoomCode.ROOM_UNKNOWN
    """"Room does not exist", which the cloud says differently in each action (§8 row 19)."""
    codes: Mapping[int, str] = field(default_factory=dict)
    """Codes of this action beside the common ones, for its description."""

    async def run(self, call: Call, raw: RawParameters) -> object:
        return await self.carry_out(call, read(self.parameters, raw))


AnyAction = Action[Any]
"""An entry of the table: each has parameters of its own type, which only it looks at."""
