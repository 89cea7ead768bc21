"""The measured process: a whole server with one room full of users. ``python -m bench.cloud_api.node STORE_URL USERS``.

Prints its port, then serves until stdin ends, then prints the CPU seconds that it has used since the first line.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import sys

import uvicorn
import uvloop

from rooms.events import Delivery
from rooms.model import Client, LoginRequest
from server.app import Hearth, create_app
from server.logs import configure_logs
from server.settings import Settings

APP_ID, SECRET = 1234567890, "0123456789abcdef" * 2
ROOM = "bench"


class _Deaf:
    """A member whose connection costs nothing."""

    def deliver(self, delivery: Delivery) -> None: ...

    def resync(self) -> None: ...

    def superseded(self) -> bytes:
        return b""


async def _fill(hearth: Hearth, users: int) -> None:
    for number in range(users):
        request = LoginRequest(APP_ID, ROOM, f"user-{number:05}", f"User number {number}", Client(kind="web"))
        await hearth.rooms.login(request, _Deaf())


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _serve(store_url: str, users: int) -> None:
    configure_logs("json", "warning")
    settings = Settings.model_validate(
        {
            "store": {"url": store_url},
            "media": {"udp_port": 0},
            "limits": {"login_rate": 0},
            # The room is asked more often than the cloud allows; nonces are kept, as in production.
            "cloud_api": {"rates": {"DescribeUserList": 0}, "room_rates": {"DescribeUserList": 0}},
            "apps": [{"app_id": APP_ID, "server_secrets": [SECRET]}],
        }
    )
    app = create_app(settings)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.02)
        await _fill(app.state.hearth, users)
        before = _cpu()
        print(listener.getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(_cpu() - before, flush=True)
        server.should_exit = True
        await serving


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], int(sys.argv[2])))
