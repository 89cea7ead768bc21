"""Runs the server: one process, one event loop, from the first bound socket to the last closed one.

SIGTERM drains: new logins are refused, clients are sent to other nodes if there are any, media runs on until ``server.drain_seconds`` are
over or no session is left. A second SIGTERM, or Ctrl-C at any time, ends the process at once. SIGHUP reads the Apps again.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
import uvicorn

from server import wiring
from server.app import Hearth, create_app
from server.configuration import Configuration, Tree, without_password
from server.connection_card import connection_card
from server.dev_tls import DevelopmentTls, ensure_development_tls
from server.listening import CannotStart, in_url, is_wildcard, listen_tcp
from server.quiet_pongs import QuietPongs
from server.request_deadline import with_request_deadline

log = structlog.get_logger(__name__)

_PING_SECONDS = 30.0
"""WebSocket pings keep addresses in NATs and proxies alive between heartbeats …"""
_PONG_SECONDS = 60.0
"""… and a client that answers none is gone."""
_DRAIN_LOOK_SECONDS = 0.1
_FAREWELL_SECONDS = 0.2
"""How long the last words to media sockets may take."""
_CLOSING_SECONDS = 5
"""How long handlers may take to end once their sockets are closed."""


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling (SIGTERM must drain, not stop), that says when it listens."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_listening()

    def end(self, *, at_once: bool) -> None:
        self.should_exit = True
        self.force_exit = self.force_exit or at_once


def serve(configuration: Configuration, arguments: Tree) -> None:
    """Serve until told to stop. Raises ``CannotStart`` and ``ConfigurationError`` if it cannot start."""
    settings = configuration.settings
    _raise_file_limit()
    listener = listen_tcp(settings.server.host, settings.server.port)
    port = int(listener.getsockname()[1])
    tls = _development_tls(settings.server.data_dir) if settings.server.dev_tls else None
    application = create_app(settings, config_path=configuration.path, arguments=arguments, port=port, environment=os.environ)
    hearth: Hearth = application.state.hearth
    config = uvicorn.Config(
        application,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=with_request_deadline(settings.limits.request_timeout_seconds),
        lifespan="off",
        ws=QuietPongs,
        ws_max_size=settings.limits.frame_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=_PING_SECONDS,
        ws_ping_timeout=_PONG_SECONDS,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_CLOSING_SECONDS,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
    )
    server = _Server(config, lambda: print(_card(configuration, hearth, port, tls), flush=True))

    async def run() -> None:
        # Not uvicorn's lifespan: a mistake at the start is to reach the caller as what it is.
        async with hearth.running():
            steward = _Steward(server, hearth)
            steward.listen_for_signals()
            await server.serve(sockets=[listener])
            steward.stop()

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(run())


def _development_tls(directory: Path) -> DevelopmentTls:
    try:
        return ensure_development_tls(directory, datetime.datetime.now(datetime.UTC))
    except OSError as error:
        raise CannotStart(f"server.data_dir = {directory}: {error.strerror}. Set it to a folder that can be written to.") from None


def _raise_file_limit() -> None:
    """Each client is an open file; the usual soft limit of 1024 would be the first limit to be met, and the one told worst."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Steward:
    """Turns signals into what they mean for the server."""

    def __init__(self, server: _Server, hearth: Hearth) -> None:
        self._server = server
        self._hearth = hearth
        self._draining: asyncio.Task[None] | None = None

    def listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminate)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        if self._hearth.reloader is not None:
            loop.add_signal_handler(signal.SIGHUP, self._hearth.reloader.request)
        else:
            loop.add_signal_handler(signal.SIGHUP, log.info, "nothing_to_reload")

    def stop(self) -> None:
        if self._draining is not None:
            self._draining.cancel()

    def _terminate(self) -> None:
        if self._draining is not None:
            log.info("drain_cut_short")
            self._server.end(at_once=True)
            return
        self._draining = asyncio.get_running_loop().create_task(self._drain())

    def _interrupt(self) -> None:
        # Ctrl-C: a developer who wants the prompt back. The second one waits for nothing.
        if self._draining is not None:
            self._server.end(at_once=True)
            return
        self._draining = asyncio.get_running_loop().create_task(self._close())

    async def _drain(self) -> None:
        hearth = self._hearth
        seconds = hearth.settings.server.drain_seconds
        log.info("drain_started", sessions=hearth.rooms.counts().sessions, seconds=seconds)
        with _logged("drain_failed"):
            await hearth.begin_drain()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while hearth.busy and loop.time() < deadline:  # noqa: ASYNC110 -- ends by several causes, none of which has an event
            await asyncio.sleep(_DRAIN_LOOK_SECONDS)
        log.info("drain_ended", sessions=hearth.rooms.counts().sessions)
        await self._close()

    async def _close(self) -> None:
        """What clients have asked is answered before their sockets go."""
        with contextlib.suppress(TimeoutError), _logged("farewell_failed"):
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self._hearth.drain_sockets()
                # Media sockets are still there: what is left on them is told to ask for an address again.
                self._hearth.calls.aclose()
                await asyncio.sleep(_FAREWELL_SECONDS)
        self._server.end(at_once=False)


@contextlib.contextmanager
def _logged(event: str) -> Iterator[None]:
    """A defect on the way out must not keep the process from ending."""
    try:
        yield
    except TimeoutError:
        raise
    except Exception:
        log.exception(event)


def _card(configuration: Configuration, hearth: Hearth, port: int, tls: DevelopmentTls | None) -> str:
    settings = configuration.settings
    host = settings.server.host
    shown = in_url(host if not is_wildcard(host) else (hearth.media_addresses[0] if hearth.media_addresses else host))
    url = f"{'https' if tls else 'http'}://{shown}:{port}"
    apps = hearth.apps.all()
    return connection_card(
        base_url=url,
        app=apps[0] if apps else None,
        config=configuration.path,
        development=settings.server.development,
        media=f"UDP {', '.join(hearth.media_addresses)} port {hearth.media_port}{_turn(hearth)}",
        rtmp=wiring.rtmp_address(settings, hearth.rtmp.port) if hearth.rtmp is not None else None,
        tls=tls,
        store=without_password(settings.store.url),
    )


def _turn(hearth: Hearth) -> str:
    port = hearth.sfu.turn_port
    return f", TURN {port}" if port is not None else ""
