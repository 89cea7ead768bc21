"""What a login, a message and a logout cost in CPU time of this process: ``python -m bench.room_service [url]`` (default ``memory://``)."""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from collections.abc import Awaitable, Callable

import structlog

from rooms.events import Delivery
from rooms.limits import RoomLimits
from rooms.model import Client, LoginRequest, NodeInfo, Policy, Timings
from rooms.service import LoginResult, RoomService
from rooms.store import open_store

APP = 1
COUNT = 1000


class Nobody:
    def deliver(self, delivery: Delivery) -> None: ...

    def resync(self) -> None: ...

    def superseded(self) -> bytes:
        return b""


async def main(url: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    store = open_store(url)
    service = RoomService(
        store, node=NodeInfo("bench", ""), policies=lambda app_id: Policy(), limits=RoomLimits(login_rate=0, broadcast_rate=0,
        broadcast_room_rate=0), timings=Timings(), clock=lambda: time.time_ns() // 1_000_000, rng=random.Random(1),
    )  # fmt: skip
    await service.start()
    results: list[LoginResult] = []

    async def enter(number: int) -> None:
        request = LoginRequest(APP, f"room{number // 10}", f"user{number}", f"User {number}", Client())
        results.append(await service.login(request, Nobody()))

    async def measure(what: str, each: Callable[[int], Awaitable[object]], at_once: int) -> None:
        begin, wall = time.process_time(), time.perf_counter()
        for start in range(0, COUNT, at_once):
            await asyncio.gather(*(each(number) for number in range(start, min(start + at_once, COUNT))))
        spent, took = (time.process_time() - begin) / COUNT, (time.perf_counter() - wall) / COUNT
        print(f"{what:40} {spent * 1e3:6.2f} ms CPU  {1 / spent:7.0f} /s per core   {took * 1e3:6.2f} ms wall")

    await measure("login, 10 per room, one after the other", enter, 1)
    await measure("broadcast to 10", lambda n: service.messages.send_broadcast(results[n].session, "hello"), 1)
    await measure("publish", lambda n: service.publish(results[n].session, f"s{n}"), 1)
    await measure("detach", lambda n: service.detach(results[n].session, b"told"), 1)
    await measure("logout", lambda n: service.logout(results[n].session), 1)
    results.clear()
    await measure("login, 10 per room, 50 at once", enter, 50)
    await measure("logout, 50 at once", lambda n: service.logout(results[n].session), 50)
    await service.aclose()
    await store.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "memory://"))
