"""The API served on a port of its own by a thread, for clients that know nothing of event loops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvicorn

from tests.unit.server.cloud_api.house import ApiHouse, api_house
from tests.waiting import until

T = TypeVar("T")


class ServedHouse:
    """``with ServedHouse() as served``: at ``served.url``; ``served.run(served.house.enter("alice"))``."""

    def __init__(self) -> None:
        self.url = ""
        self.house: ApiHouse
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run()))

    async def _run(self) -> None:
        async with api_house(rtmp_url="rtmp://127.0.0.1:1935") as self.house:
            self._server = uvicorn.Server(uvicorn.Config(self.house.app, port=0, log_level="warning", lifespan="off"))
            serving = asyncio.create_task(self._server.serve())
            await until(lambda: self._server.started)
            self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
            self._ready.set()
            await serving

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def __enter__(self) -> ServedHouse:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(60)
