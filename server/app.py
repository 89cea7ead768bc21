"""The whole server as one ASGI application: every part is made here, by name, and handed what it needs."""

from __future__ import annotations

import asyncio
import errno
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from calls.cluster_figures import ClusterFigures
from calls.service import Calls
from media.bridge.bridges import Bridges
from media.errors import TurnPortTaken
from media.rtmp.live import LiveHub
from media.rtmp.server import RtmpServer
from media.sfu import Sfu
from rooms.errors import StoreUnavailable
from rooms.model import Clock, NodeInfo
from rooms.outbox import Outbox
from rooms.service import RoomService
from rooms.store import open_store
from server import wiring
from server.access_log import AccessLog
from server.apps import AppDirectory, build_apps
from server.callbacks.delivery import CallbackDelivery
from server.callbacks.receiver import HttpReceiver
from server.cloud_api.action import House
from server.cloud_api.admission import Admission
from server.cloud_api.gateway import Gateway
from server.cloud_api.table import ACTIONS, NOT_OFFERED
from server.configuration import ConfigurationError, Tree, without_password
from server.connections import Connections
from server.http.cloud_api import cloud_api_routes
from server.http.demo import demo_routes
from server.http.health import health_routes
from server.http.live import LivePlays, live_routes
from server.http.sdk_logs import sdk_log_routes
from server.listening import CannotStart
from server.media_metrics import observe_media
from server.metrics import Metrics
from server.proxies import TrustedProxies
from server.reload import AppReloader
from server.sdk_logs import SdkLogs
from server.settings import Settings
from server.state_metrics import observe
from server.store_clock import StoreClock
from server.websockets import admit
from signaling.accesshub.frames import Service
from signaling.accesshub.hubs import Hubs
from signaling.accesshub.rtmp_dispatch import RtmpDispatch
from signaling.accesshub.webrtc_service import WebRtcOnHub
from signaling.media_json.connection import serve_media_socket
from signaling.room_json import RoomSockets

log = structlog.get_logger(__name__)

STORE_WAIT_MS = 10_000
"""How long the start waits for a store that does not answer."""


def wall_clock() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def steady_clock() -> Clock:
    """Epoch milliseconds as they are now, counted on evenly: setting the machine's clock changes nothing."""
    offset = time.time_ns() - time.monotonic_ns()
    return lambda: (time.monotonic_ns() + offset) // 1_000_000


class _MediaEvents:
    """Media and calls need each other: media is made first and tells this, calls is put behind it."""

    calls: Calls

    def media_connected(self, session_id: int) -> None:
        self.calls.media_connected(session_id)

    def media_lost(self, session_id: int, reason: str) -> None:
        self.calls.media_lost(session_id, reason)


class Hearth:
    """The parts of a running server, for whoever runs it (``server/serving.py``). ``create_app`` puts it at ``app.state.hearth``."""

    def __init__(
        self,
        settings: Settings,
        *,
        config_path: Path | None,
        arguments: Tree | None,
        environment: Mapping[str, str],
        port: int,
        clock: Clock | None,
        rng: random.Random,
    ) -> None:
        """``clock``: None = that of the store, shared by all nodes on it."""
        self.settings = settings
        self.port = port
        self.metrics = Metrics()
        self.apps = AppDirectory(build_apps(settings.apps))
        self.proxies = TrustedProxies(settings.server.trusted_proxies)
        self.connections = Connections(settings.limits, self.metrics)
        try:
            self.store = open_store(settings.store.url)
        except ValueError as error:
            problem = str(error).removeprefix("store url: ")
            raise ConfigurationError(f"store.url = {without_password(settings.store.url)}: {problem}") from None
        self.store_clock = StoreClock(self.store.time) if clock is None else None
        clock = self.clock = self.store_clock or clock or wall_clock
        self.rooms = RoomService(
            self.store,
            node=wiring.node_info(settings, port, clock()),
            policies=self.apps.policy,
            limits=wiring.room_limits(settings.limits),
            timings=wiring.timings(settings),
            clock=clock,
            rng=rng,
        )
        events = _MediaEvents()
        # Not the shared clock: packets are timed by one that nobody sets. A step ahead of 15 s would find every connection silent.
        steady = steady_clock()
        self.sfu = Sfu(wiring.media_config(settings), events, clock=steady, rng=rng)
        self.calls = Calls(self.rooms, self.sfu, apps=self.apps.get, settings=wiring.call_settings(settings), clock=clock, rng=rng)
        events.calls = self.calls
        self.live = LiveHub(
            steady, max_streams=settings.media.max_streams, max_players=settings.media.max_players, crowd=settings.rtmp.crowd
        )
        self.bridges = Bridges(self.sfu, self.live, wiring.bridge_config(settings), clock=steady)
        self.calls.statistics.bridges = self.bridges.statistics
        self.rtmp = (
            RtmpServer(wiring.rtmp_config(settings), self.live, self.calls.live_admission, clock=steady, rng=rng)
            if settings.rtmp.enabled
            else None
        )
        self.live_plays = LivePlays(self.live, self.calls.live_admission, wiring.rtmp_config(settings).players, steady)
        self.figures = ClusterFigures(self.calls.statistics, self.rooms.node_requests, self.rooms.node.node_id)
        self.room_sockets = RoomSockets(calls=self.calls, rooms=self.rooms, settings=wiring.room_socket_settings(settings), clock=clock)
        self.hubs = Hubs(
            calls=self.calls,
            rooms=self.rooms,
            serves=lambda app_id: self.apps.get(app_id) is not None,
            settings=wiring.hub_settings(settings),
            clock=clock,
            channels=dict.fromkeys((Service.WEBRTC, Service.WEBRTC_LOW_LATENCY), WebRtcOnHub(self.calls, clock=clock)),
            http={Service.MEDIA_GATEWAY: RtmpDispatch(self.calls)},
        )
        try:
            self.sdk_logs = SdkLogs(
                settings.limits,
                self.metrics,
                is_served=lambda app_id: self.apps.get(app_id) is not None,
                clock=clock,
                file=settings.server.sdk_log_file,
            )
        except OSError as error:
            raise ConfigurationError(f"server.sdk_log_file = {settings.server.sdk_log_file}: {error.strerror}") from None
        self.outbox = Outbox(self.store, most_entries=settings.callbacks.outbox_events, most_dead=settings.callbacks.dead_letters)
        self.receiver = HttpReceiver(
            timeout=settings.callbacks.timeout_seconds,
            private_allowed=settings.callbacks.private_receivers or settings.server.development,
        )
        self.callbacks = CallbackDelivery(
            self.outbox, self.receiver, apps=self.apps.all, settings=settings.callbacks, clock=clock, rng=rng, metrics=self.metrics
        )
        self.rooms.when_changed(self.callbacks.changed)
        self.cloud_api = Gateway(
            ACTIONS,
            NOT_OFFERED,
            apps=self.apps,
            house=House(self.rooms, self.sdk_logs, clock, rng, self.outbox, self.figures),
            admission=Admission(self.store, replay_protection=settings.cloud_api.replay_protection),
            rates=settings.cloud_api.rates,
            room_rates=settings.cloud_api.room_rates,
            metrics=self.metrics,
        )
        self.reloader = AppReloader(config_path, self.apps, settings, environment=environment, arguments=arguments) if config_path else None
        self.draining = False
        observe(self.metrics, self)
        observe_media(self.metrics, self.calls.statistics)

    def readiness(self) -> dict[str, bool]:
        """What has to hold for new clients to be welcome."""
        return {"store": self.rooms.ready, "accepting": not self.draining}

    def ports(self) -> dict[str, int]:
        """Those that this process listens on beside HTTP; known once it runs."""
        rtmp = self.rtmp.port if self.rtmp is not None else None
        ports = {"media": self.sfu.port, "turn": self.sfu.turn_port, "rtmp": rtmp}
        return {name: port for name, port in ports.items() if port is not None}

    @property
    def media_port(self) -> int:
        """UDP port of media; known once the server runs."""
        return self.sfu.port

    @property
    def media_addresses(self) -> tuple[str, ...]:
        return wiring.announced_addresses(self.settings)

    @property
    def busy(self) -> bool:
        """Whether anybody would notice this process ending: sessions or media are still here."""
        media = self.sfu.totals()
        return bool(self.rooms.counts().sessions or media.publishers or media.players or self.live.publishers or self.live.players)

    async def begin_drain(self) -> None:
        """Take no new logins. If there is another node, send the clients there; media stays."""
        self.draining = True
        self.rooms.begin_drain()
        self.calls.begin_drain()
        others = await self._others()
        if others:
            # SDKs go there over TLS only. Where no such address is known, all nodes are behind one.
            self.hubs.elsewhere = [urlsplit(node.ws_url).netloc for node in others if node.ws_url.startswith("wss:")]
            await self.drain_sockets()

    async def drain_sockets(self) -> None:
        """Answer what room sockets have asked, let their sessions wait for their clients, and close them."""
        await asyncio.gather(self.room_sockets.drain(), self.hubs.drain())

    async def _others(self) -> list[NodeInfo]:
        own = self.rooms.node.node_id
        try:
            return [node for node in await self.rooms.nodes() if node.node_id != own and not node.draining]
        except StoreUnavailable:
            return []

    async def _reach_store(self) -> None:
        """Join the others. A store that comes up together with this process is waited for a little."""
        if self.store_clock is not None:
            await self._until_there(self.store_clock.adjust)
        await self._until_there(self.rooms.start)

    async def _listen_for_rtmp(self) -> None:
        if self.rtmp is None:
            return
        try:
            await self.rtmp.start()
        except OSError as error:
            raise CannotStart(_rtmp_cure(self.settings, error)) from None
        if wiring.rtmp_host_is_clients(self.settings):
            self.calls.stream_addresses.rtmp_port = self.rtmp.port
        self.rooms.reached_at(wiring.rtmp_address(self.settings, self.rtmp.port))

    async def _until_there(self, step: Callable[[], Awaitable[None]]) -> None:
        deadline = self.clock() + STORE_WAIT_MS
        while True:
            try:
                await step()
                return
            except StoreUnavailable as error:
                if self.clock() >= deadline:
                    shown = without_password(self.settings.store.url)
                    raise CannotStart(f"store.url = {shown}: {error}. Start the store, or correct store.url.") from None
                log.warning("store_not_there_yet", store=without_password(self.settings.store.url), problem=str(error))
            await asyncio.sleep(1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything that runs by itself, from the first packet to the last."""
        try:
            await self.sfu.start()
        except TurnPortTaken as error:
            raise CannotStart(_turn_cure(self.settings, error)) from None
        except OSError as error:
            raise CannotStart(_udp_cure(self.settings, error)) from None
        try:
            await self._listen_for_rtmp()
            await self._reach_store()
            try:
                # Before the first client: what happens from now on is told.
                await self._until_there(self.callbacks.configure)
                async with asyncio.TaskGroup() as tasks:
                    running = [
                        tasks.create_task(self.calls.run(), name="calls"),
                        tasks.create_task(self.callbacks.run(), name="callbacks"),
                        tasks.create_task(self.live_plays.run(), name="live-plays"),
                    ]
                    if self.store_clock is not None:
                        running.append(tasks.create_task(self.store_clock.run(), name="clock"))
                    if self.reloader is not None:
                        running.append(tasks.create_task(self.reloader.run(), name="apps-reload"))
                    log.info("node_started", node_id=self.rooms.node.node_id, apps=len(self.apps.all()), media_port=self.sfu.port)
                    yield
                    for task in running:
                        task.cancel()
            finally:
                self.calls.aclose()
                await self.rooms.aclose()
                await self.callbacks.aclose()
                await self.receiver.aclose()
        finally:
            await self.bridges.aclose()
            if self.rtmp is not None:
                await self.rtmp.aclose()
            await self.sfu.aclose()
            self.sdk_logs.close()
            log.info("node_stopped", node_id=self.rooms.node.node_id)


def _udp_cure(settings: Settings, error: OSError) -> str:
    host, port = wiring.media_host(settings), settings.media.udp_port
    if error.errno == errno.EADDRINUSE:
        return (
            f"media.udp_port = {port}: already in use by another program on {host}. Stop that program, or choose another port: "
            "HEARTH_MEDIA__UDP_PORT or udp_port in [media] of hearth.toml (0 = any free port)."
        )
    return f'media.host = "{host}", media.udp_port = {port}: {error.strerror}. Set media.host to an address of this machine.'


def _rtmp_cure(settings: Settings, error: OSError) -> str:
    if error.errno not in (errno.EADDRINUSE, errno.EACCES):
        host = wiring.rtmp_host(settings)
        return f'rtmp.host = "{host}", rtmp.port = {settings.rtmp.port}: {error.strerror}. Set rtmp.host to an address of this machine.'
    return (
        f"rtmp.port = {settings.rtmp.port}: {error.strerror} on {wiring.rtmp_host(settings)}. Stop the program that has it, choose another "
        "port (HEARTH_RTMP__PORT or port in [rtmp] of hearth.toml, 0 = any free port), or switch RTMP off with rtmp.enabled = false."
    )


def _turn_cure(settings: Settings, error: OSError) -> str:
    return (
        f"media.turn.port = {settings.media.turn.port}: {error.strerror} on {wiring.media_host(settings)}. Stop the program that has it, "
        "choose another port (HEARTH_MEDIA__TURN__PORT or turn.port in [media] of hearth.toml, 0 = any free port), or switch the TURN "
        "server off with turn.enabled = false."
    )


def create_app(
    settings: Settings,
    *,
    config_path: Path | None = None,
    arguments: Tree | None = None,
    environment: Mapping[str, str] | None = None,
    port: int = 0,
    clock: Clock | None = None,
    rng: random.Random | None = None,
) -> FastAPI:
    """The application. Raises ``ConfigurationError`` for what cannot be used: keys of Apps, the store's address, a file for logs.

    ``config_path`` is followed for changes of its Apps, read under the same ``arguments`` and ``environment`` as ``settings`` were.
    ``port``: the TCP port that it is served on, for the address that other nodes are told.
    """
    hearth = Hearth(
        settings,
        config_path=config_path,
        arguments=arguments,
        environment=environment or {},
        port=port,
        clock=clock,
        # Secrets (session ids, media keys, ICE passwords) come from here.
        rng=rng or random.SystemRandom(),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with hearth.running():
            yield

    app = FastAPI(title="Hearth", lifespan=lifespan, openapi_url=None)
    app.state.hearth = hearth
    app.include_router(health_routes(hearth.readiness, hearth.ports, hearth.metrics, settings.server.metrics_token.get_secret_value()))
    app.include_router(cloud_api_routes(hearth.cloud_api, hearth.proxies, wiring.hearth_version()))
    app.include_router(sdk_log_routes(hearth.sdk_logs, hearth.proxies, hearth.connections, settings.limits.sdk_log_bytes))
    if settings.rtmp.enabled:
        app.include_router(live_routes(hearth.live_plays, hearth.proxies, hearth.connections))
    if settings.server.development:
        app.include_router(demo_routes(hearth.apps.all, hearth.clock))
    _add_sockets(app, hearth)
    app.add_exception_handler(ClientDisconnect, _nobody_there)
    if settings.server.access_log:
        app.add_middleware(AccessLog, proxies=hearth.proxies)
    return app


async def _nobody_there(request: Request, error: Exception) -> Response:
    """A client that goes before its request is complete is no fault of ours, to be logged with a traceback."""
    return Response(status_code=400)


def _add_sockets(app: FastAPI, hearth: Hearth) -> None:
    media_settings = wiring.media_socket_settings(hearth.settings)
    own_address = wiring.listening_address(hearth.settings, hearth.port)

    @app.websocket("/ws")
    async def room_socket(websocket: WebSocket) -> None:
        origin = hearth.proxies.origin(websocket.scope)
        client, base = origin.client_address, origin.ws_base or own_address
        serve = partial(hearth.room_sockets.serve, websocket, client_address=client, base_url=base)
        await admit(websocket, hearth.connections, client, "room_json", serve)

    @app.websocket("/accesshub")
    async def hub_socket(websocket: WebSocket) -> None:
        origin = hearth.proxies.origin(websocket.scope)
        client, base = origin.client_address, origin.ws_base or own_address
        serve = partial(hearth.hubs.serve, websocket, client_address=client, base_url=base)
        await admit(websocket, hearth.connections, client, "accesshub", serve)

    @app.websocket("/media")
    async def media_socket(websocket: WebSocket) -> None:
        client = hearth.proxies.origin(websocket.scope).client_address
        serve = partial(
            serve_media_socket, websocket, calls=hearth.calls, settings=media_settings, clock=hearth.clock, client_address=client
        )
        await admit(websocket, hearth.connections, client, "media_json", serve)
