"""One of many processes that want the same stream id and the same user id (run by ``test_contention.py``)."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

import redis.asyncio

from rooms.errors import StreamTaken
from rooms.events import EndReason
from rooms.limits import RoomLimits
from rooms.model import NodeInfo, Policy, Timings
from rooms.service import RoomService
from rooms.store import open_store
from tests.integration.rooms.house import APP, Phone, request
from tests.waiting import until


async def main(url: str, number: int, processes: int, rounds: int) -> dict[str, object]:
    store = open_store(url, timeout=10)
    referee = redis.asyncio.Redis.from_url(url)
    service = RoomService(
        store, node=NodeInfo(f"p{number}", ""), policies=lambda app: Policy(), limits=RoomLimits(login_rate=0), timings=Timings(),
        clock=lambda: time.time_ns() // 1_000_000, rng=random.SystemRandom(),
    )  # fmt: skip
    await service.start()

    async def together(step: str) -> None:
        """Everybody waits here for everybody."""
        await referee.incr(f"step:{step}")

        async def all_here() -> bool:
            return int(await referee.get(f"step:{step}") or 0) >= processes

        await until(all_here, 200)

    report: dict[str, list[object]] = {key: [] for key in ("stream", "stream_owner", "alive", "replaced", "session")}
    for turn in range(rounds):
        me = await service.login(request(f"u{number}", f"room{number % 3}"), Phone())
        await together(f"stream-{turn}")
        try:
            await (service.publish if number % 2 else service.reserve)(me.session, f"contested{turn}")
            report["stream"].append(True)
        except StreamTaken:
            report["stream"].append(False)
        await together(f"stream-done-{turn}")
        owner = await service.stream(APP, f"contested{turn}")
        report["stream_owner"].append(owner and owner.user_id)
        await together(f"user-{turn}")
        phone = Phone()
        shared = await service.login(request("shared", f"shared-room{number % 2}"), phone)
        phone.session = shared.session
        await together(f"user-done-{turn}")

        async def known() -> list[int]:
            return [user.session_id for room in ("shared-room0", "shared-room1") for user in await service.users(APP, room)]

        sessions = await known()
        assert len(sessions) == 1, sessions
        if sessions[0] != shared.session.session_id:
            await until(lambda phone=phone: phone.end() is not None)
        report["session"].append(sessions[0])
        report["alive"].append(phone.end() is None)
        report["replaced"].append(phone.end() == EndReason.REPLACED)
        await together(f"turn-{turn}")
    await service.aclose()
    await store.aclose()
    await referee.aclose()
    return {"number": number, **report}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], *(int(text) for text in sys.argv[2:5])))))
