"""A whole server in this process, to be looked at from the inside, and a host who talks in one of its rooms."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import uvicorn

from auth.claims import AppKeys, TokenKind
from auth.tokens import issue_token
from bench.soak.visit import PAYLOAD, Place, Visitor
from server.app import Hearth, create_app
from server.settings import Settings

APP_ID, SECRET = 1234567890, "0123456789abcdef" * 2
PACKET_SECONDS = 0.02
PACKETS_PER_BEAT = 500


@dataclass
class Node:
    hearth: Hearth
    place: Place


def token(user_id: str) -> str:
    return issue_token(TokenKind.TOKEN04, keys=AppKeys(APP_ID, (SECRET,)), user_id=user_id, now=int(time.time()), ttl=3600)


@contextlib.asynccontextmanager
async def running_node(store_url: str = "memory://") -> AsyncIterator[Node]:
    """Whoever is lost is forgotten after a second, so that what remains soon is what stays for good."""
    settings = Settings.model_validate(
        {
            "store": {"url": store_url, "grace_seconds": 1},
            "media": {
                "udp_port": 0, "turn": {"port": 0}, "stun_delay_ms": 0, "publisher_grace_seconds": 1,
                "statistics_seconds": 1,
            },
            "rtmp": {"enabled": False},
            "limits": {"login_rate": 0},
            "apps": [{"app_id": APP_ID, "server_secrets": [SECRET]}],
        }
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = int(listener.getsockname()[1])
        app = create_app(settings, port=port)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            if serving.done():
                await serving
            await asyncio.sleep(0.02)
        try:
            yield Node(app.state.hearth, Place(f"ws://127.0.0.1:{port}/ws", APP_ID, token))
        finally:
            server.should_exit = True
            await serving


@contextlib.asynccontextmanager
async def talking_host(place: Place, room_id: str, stream_id: str) -> AsyncIterator[None]:
    """Somebody is in the room and sends a packet every 20 ms, as long as the block lasts."""
    async with Visitor(place, "host", room_id) as host:
        await host.enter()
        client = await host.publish(stream_id)

        async def talk() -> None:
            for number in itertools.count():
                client.send(number, PAYLOAD, stamped=False)
                if number % PACKETS_PER_BEAT == 0:
                    await host.beat()
                await asyncio.sleep(PACKET_SECONDS)

        talking = asyncio.create_task(talk())
        try:
            yield
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
