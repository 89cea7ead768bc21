"""How long ForbidRTCStream takes to arrive on another node.

``python -m bench.forbid --streams 200``

Two ``hearth serve`` on one Redis. A user on the second node publishes one stream after the other; each is forbidden by an API call to the
first node. Measured is the time from the call until another user on the second node is told that the stream is gone. The same event ends
the stream's media there, in the same step of the event loop and before anybody is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import tempfile
import time
from pathlib import Path

from server.cloud_client import call
from tests.e2e.redis_process import RedisProcess
from tests.hearth_process import HearthProcess
from tests.integration.server.room_client import RoomClient

ROOM = "room"
_LIMIT_SECONDS = 10


async def _node(directory: Path, redis_url: str) -> HearthProcess:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    no_rates = {"rates": {"ForbidRTCStream": 0}}
    sections = {"server": {"port": port, "public_url": f"http://127.0.0.1:{port}"}, "cloud_api": no_rates}
    return await HearthProcess.astart(directory, store_url=redis_url, sections=sections)


async def _gone(listener: RoomClient) -> float:
    """When the listener was told of a deleted stream."""
    while True:
        for frame in listener.pushes:
            if frame["header"]["cmd"] == "push_stream_update" and frame["body"]["stream_cmd"] == 12002:
                listener.pushes.clear()
                return time.perf_counter()
        await asyncio.sleep(0.0005)


async def measure(directory: Path, streams: int) -> list[float]:
    """Seconds for each stream."""
    redis = await asyncio.to_thread(RedisProcess.start, directory)
    delays: list[float] = []
    try:
        first, second = await asyncio.gather(_node(directory / "first", redis.url), _node(directory / "second", redis.url))
        with first, second:
            async with RoomClient(second, "speaker") as speaker, RoomClient(second, "listener") as listener:
                await listener.login(ROOM)
                await speaker.login(ROOM)
                for number in range(streams):
                    stream_id = f"s{number}"
                    message = json.dumps({"stream_id": stream_id, "extra_info": ""})
                    answer = await speaker.request("stream", {"sub_cmd": 2001, "stream_msg": message})
                    assert answer["err_code"] == 0, answer
                    await listener.push("push_stream_update")
                    told = asyncio.create_task(_gone(listener))
                    began = time.perf_counter()
                    await asyncio.to_thread(
                        call, f"http://127.0.0.1:{first.port}", "ForbidRTCStream", app_id=first.app_id, server_secret=first.secret,
                        body={"StreamId": stream_id, "Sequence": str(number + 1)},
                    )  # fmt: skip
                    delays.append(await asyncio.wait_for(told, _LIMIT_SECONDS) - began)
    finally:
        await asyncio.to_thread(redis.stop)
    return delays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=200, help="how many streams are forbidden, one after the other (default 200)")
    streams = parser.parse_args().streams
    with tempfile.TemporaryDirectory() as directory:
        delays = sorted(asyncio.run(measure(Path(directory), streams)))
    print(
        f"{len(delays)} streams: median {statistics.median(delays) * 1000:.1f} ms, "
        f"p99 {delays[min(len(delays) - 1, int(len(delays) * 0.99))] * 1000:.1f} ms, slowest {delays[-1] * 1000:.1f} ms"
    )


if __name__ == "__main__":
    main()
