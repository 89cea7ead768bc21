"""People come and go for ten minutes: does a node hold more at the end than after the first minute?

``python -m bench.soak [--per-minute 200] [--minutes 10] [--store URL]``

One node in this process, its visitors too, so the machine is shared and only the shape of the columns counts: memory that has stopped
to rise, and nothing but the host left when everybody is gone. A line for each minute; the last one after all deadlines have passed.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from bench.soak.inventory import growth, inventory
from bench.soak.node import Node, running_node, talking_host
from bench.soak.visit import visit
from server.logs import configure_logs

ROOM, STREAM = "soak", "host-stream"
WARM_UP = 40
"""Visits before the first look."""
SETTLING_SECONDS = 8
"""More than any deadline of the node."""


class Visits:
    """Starts visits at an even pace, however long each takes."""

    def __init__(self, node: Node, per_minute: float) -> None:
        self._node = node
        self._pause = 60 / per_minute
        self._number = 0
        self.failed: list[str] = []
        self.slowest = 0.0
        """Seconds of the longest visit since the last look."""

    async def go_on(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        due = loop.time()
        async with asyncio.TaskGroup() as visitors:
            while due < end:
                await asyncio.sleep(max(0.0, due - loop.time()))
                visitors.create_task(self._visit(self._number))
                self._number += 1
                due += self._pause

    async def _visit(self, number: int) -> None:
        began = time.monotonic()
        try:
            await visit(self._node.place, number, ROOM, STREAM)
        except Exception as error:
            self.failed.append(f"visit {number}: {error!r}")
        self.slowest = max(self.slowest, time.monotonic() - began)

    @property
    def count(self) -> int:
        return self._number


def resident_kib() -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1])


async def run(arguments: argparse.Namespace) -> int:
    configure_logs("json", "error")
    async with running_node(arguments.store) as node, talking_host(node.place, ROOM, STREAM):
        visits = Visits(node, arguments.per_minute)
        await visits.go_on(WARM_UP * 60 / arguments.per_minute)
        await asyncio.sleep(SETTLING_SECONDS)
        before = inventory()
        print(f"{'minute':>6} {'visits':>7} {'failed':>7} {'slowest s':>10} {'RSS KiB':>9} {'sessions':>9} {'media':>6} {'tasks':>6}")
        for minute in range(1, arguments.minutes + 1):
            await visits.go_on(60)
            show(str(minute), node, visits)
        await asyncio.sleep(SETTLING_SECONDS)
        show("after", node, visits)
        left = growth(before, inventory())
    for line in visits.failed[:20]:
        print(line)
    print("left behind:", left or "nothing")
    return 1 if left or visits.failed else 0


def show(when: str, node: Node, visits: Visits) -> None:
    sessions, media = node.hearth.rooms.counts().sessions, node.hearth.sfu.totals()
    held = media.publishers + media.players
    print(
        f"{when:>6} {visits.count:>7} {len(visits.failed):>7} {visits.slowest:>10.1f} {resident_kib():>9} {sessions:>9} {held:>6} "
        f"{len(asyncio.all_tasks()):>6}",
        flush=True,
    )
    visits.slowest = 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-minute", type=float, default=200)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--store", default="memory://")
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    raise SystemExit(main())
