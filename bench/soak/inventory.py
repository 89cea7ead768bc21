"""What a node holds, counted from the inside: whatever rises with every visit is a leak."""

from __future__ import annotations

import asyncio
import gc
import os
from collections import Counter

HOUSE = ("auth.", "rooms.", "media.", "calls.", "signaling.", "server.")
"""Modules whose objects are counted."""
BOUNDED = frozenset({"rooms.scripts.Script", "task Event.wait"})
"""Scripts are read from files when first needed, and kept. The embedded store's reader waits in a task of that name, or happens not to wait
just when one looks."""


def inventory() -> Counter[str]:
    """Objects of the house by class, tasks by name, open files, after a full collection."""
    gc.collect()
    found: Counter[str] = Counter()
    for one in gc.get_objects():
        kind = type(one)
        # A proxy may claim any class, and raise when asked for it.
        module = kind.__dict__.get("__module__", "")
        if isinstance(module, str) and module.startswith(HOUSE):
            found[f"{module}.{kind.__qualname__}"] += 1
    for task in asyncio.all_tasks():
        found[f"task {task.get_coro().__qualname__ if task.get_coro() is not None else '?'}"] += 1  # type: ignore[union-attr]
    found["open files"] = len(os.listdir("/proc/self/fd"))
    return found


def growth(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """What there is more of."""
    return {name: count - before[name] for name, count in after.items() if count > before[name] and name not in BOUNDED}
