"""The measured process' side of ``target.DrivenProcess``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

Open = Callable[[str, int, str, str], Awaitable[str]]
"""Opens a session of a kind, with a number, for a stream, from an offer; returns the answer."""


async def serve_lines(opened: Open, figures: Callable[[], dict[str, object]] = dict) -> None:
    """Answers requests until the input ends. ``figures``: the answer to ``{"figures": true}``."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        request = json.loads(line)
        reply: dict[str, object] = {}
        if "open" in request:
            reply["answer"] = await opened(request["open"], request["session"], request["stream"], request["offer"])
        elif "figures" in request:
            reply = figures()
        print(json.dumps(reply), flush=True)
