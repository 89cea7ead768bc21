"""The API over a real ``RoomService`` on the embedded store, with a clock under the test's control and one room that is in use."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from auth.signatures import sign_server_api
from calls.cluster_figures import ClusterFigures
from calls.statistics import MediaStatistics
from rooms.events import AnyEvent, Delivery
from rooms.limits import RoomLimits
from rooms.model import Client, LoginRequest, NodeInfo, Session, Timings
from rooms.outbox import Outbox
from rooms.service import RoomService
from rooms.store import open_store
from server.apps import AppDirectory, build_apps
from server.cloud_api.action import House
from server.cloud_api.admission import Admission
from server.cloud_api.gateway import Gateway
from server.cloud_api.table import ACTIONS, NOT_OFFERED
from server.http.cloud_api import cloud_api_routes
from server.metrics import Metrics
from server.proxies import TrustedProxies
from server.sdk_logs import SdkLogs
from server.settings import AppSettings, LimitSettings

APP, SECRET, OLD_SECRET = 7, "0123456789abcdef" * 2, "fedcba9876543210" * 2
NOW = 1_800_000_000
"""Unix seconds."""

Answer = Mapping[str, Any]


class Ear:
    """A connection that notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[AnyEvent] = []

    def deliver(self, delivery: Delivery) -> None:
        self.heard.append(delivery.event)

    def resync(self) -> None: ...

    def superseded(self) -> bytes:
        return b""


class ApiHouse:
    """``await house.do("KickoutUser", RoomId="r", UserId=["bob"])``."""

    def __init__(
        self, app: FastAPI, rooms: RoomService, client: httpx.AsyncClient, metrics: Metrics, sdk_logs: SdkLogs, statistics: MediaStatistics
    ) -> None:
        self.app = app
        self.rooms = rooms
        self.client = client
        self.metrics = metrics
        self.sdk_logs = sdk_logs
        self.statistics = statistics
        self.now = NOW
        self.ears: dict[str, Ear] = {}
        self._nonces = itertools.count(1)

    async def enter(self, user_id: str, room_id: str = "r", *, role: int = 2) -> Session:
        ear = self.ears[user_id] = Ear()
        result = await self.rooms.login(
            LoginRequest(
                app_id=APP, room_id=room_id, user_id=user_id, user_name=f"name of {user_id}", role=role,
                client=Client(kind="miniprogram", version="2.11.0", address="203.0.113.7"),
            ),
            ear,
        )  # fmt: skip
        return result.session

    def signed(self, action: str, *, secret: str = SECRET, **over: str | None) -> dict[str, str]:
        """The common parameters; ``over`` replaces some after signing, None leaves them out."""
        nonce = f"{next(self._nonces):016x}"
        values = {
            "Action": action, "AppId": str(APP), "SignatureNonce": nonce, "Timestamp": str(self.now),
            "Signature": sign_server_api(APP, nonce, secret, self.now), "SignatureVersion": "2.0",
        }  # fmt: skip
        for name, value in over.items():
            if value is None:
                values.pop(name, None)
            else:
                values[name] = value
        return values

    async def state(self) -> object:
        """What a refused request must not have changed: the room "r", its users' ears, the rules."""
        # Barrage messages (rev 0) come a moment after the answer, so they would make a difference by themselves.
        heard = {user_id: sum(event.rev > 0 for event in ear.heard) for user_id, ear in self.ears.items()}
        return heard, await self.rooms.users(APP, "r"), await self.rooms.streams(APP, "r")

    async def get(self, query: Mapping[str, str] | Sequence[tuple[str, str]], path: str = "/") -> Answer:
        return _read(await self.client.get(path, params=query if isinstance(query, Mapping) else list(query)))

    async def post(self, query: Mapping[str, str], body: object, path: str = "/") -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return _read(await self.client.post(path, params=dict(query), content=content, headers={"Content-Type": "application/json"}))

    async def do(self, action: str, /, **parameters: Any) -> Answer:
        """A signed POST with a JSON body."""
        return await self.post(self.signed(action), parameters)

    async def do_get(self, action: str, /, **parameters: Any) -> Answer:
        """A signed GET with everything in the query."""
        return await self.get([*self.signed(action).items(), *in_query(parameters)])


def in_query(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Lists as ``Name[]=v``."""
    pairs: list[tuple[str, str]] = []
    for name, value in parameters.items():
        if isinstance(value, list):
            pairs += [(f"{name}[]", str(item)) for item in value]
        else:
            pairs.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return pairs


def _read(answer: httpx.Response) -> Answer:
    assert answer.status_code == 200
    document = answer.json()
    assert set(document) <= {"Code", "Message", "RequestId", "Data"}
    assert isinstance(document["Code"], int) and document["RequestId"].isdecimal() and document["Message"]
    return document  # type: ignore[no-any-return]


@asynccontextmanager
async def api_house(
    *, store_url: str = "memory://", rates: Mapping[str, float] | None = None, room_rates: Mapping[str, float] | None = None,
    replay_protection: bool = True, rtmp_url: str = "",
) -> AsyncIterator[ApiHouse]:  # fmt: skip
    """Without ``rates`` nothing is limited."""
    store = open_store(store_url)
    apps = AppDirectory(build_apps([AppSettings.model_validate({"app_id": APP, "server_secrets": [SECRET, OLD_SECRET]})]))
    metrics = Metrics()
    house: ApiHouse

    def clock() -> int:
        return house.now * 1000

    rng = random.Random(1)
    rooms = RoomService(
        store, node=NodeInfo("node-1", "ws://127.0.0.1:1", rtmp_url=rtmp_url), policies=apps.policy, limits=RoomLimits(),
        timings=Timings(), clock=clock, rng=rng,
    )  # fmt: skip
    sdk_logs = SdkLogs(LimitSettings(), metrics, is_served=lambda _: True, clock=clock)
    statistics = MediaStatistics(interval=5_000, points=3, clock=clock)
    figures = ClusterFigures(statistics, rooms.node_requests, rooms.node.node_id)
    gateway = Gateway(
        ACTIONS, NOT_OFFERED, apps=apps, house=House(rooms, sdk_logs, clock, rng, Outbox(store, most_entries=1000, most_dead=100), figures),
        admission=Admission(store, replay_protection=replay_protection), metrics=metrics,
        rates=dict.fromkeys(ACTIONS, 0.0) if rates is None else rates,
        room_rates=dict.fromkeys(ACTIONS, 0.0) if room_rates is None else room_rates,
    )  # fmt: skip
    app = FastAPI(openapi_url=None)
    app.include_router(cloud_api_routes(gateway, TrustedProxies([]), "1.2.3"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hearth.test") as client:
        house = ApiHouse(app, rooms, client, metrics, sdk_logs, statistics)
        await rooms.start()
        try:
            yield house
        finally:
            await rooms.aclose()
            await store.aclose()
