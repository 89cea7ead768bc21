"""What is measured: a server process that forwards sound, and how the load generator gets sessions in it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Protocol

from bench.sfu.light_client import LightClient

_ROOT = Path(__file__).resolve().parents[2]
_KIB = 1_024


class Target(Protocol):
    """One running server process."""

    decodes: bool
    """It decodes what it gets, so that it must be sent real Opus, and what comes out has no time stamp in it."""

    @property
    def pid(self) -> int: ...

    async def join(self, client: LightClient, kind: str, stream: str) -> None:
        """Connects the client as ``publisher`` or ``player`` of the stream; a player's publisher is there already."""

    async def stop(self) -> None: ...


def cpu_seconds(pid: int) -> float:
    """CPU time of the process since its start, all threads, those that have ended too (Linux: clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_kib(pid: int) -> float:
    """Resident memory of the process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _KIB


class DrivenProcess:
    """A Python process driven over its standard input and output: Hearth's media node, or the naive relay."""

    def __init__(self, process: asyncio.subprocess.Process, *, decodes: bool) -> None:
        self._process = process
        self._sessions = 0
        self._asking = asyncio.Lock()
        self.decodes = decodes

    @classmethod
    async def start(cls, module: str, *arguments: str, decodes: bool = False) -> DrivenProcess:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=_ROOT
        )
        target = cls(process, decodes=decodes)
        # It answers as soon as it serves; before that its figures are those of imports.
        await target.ask({"ready": True})
        return target

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, request: dict[str, object]) -> dict[str, object]:
        assert self._process.stdin is not None and self._process.stdout is not None
        async with self._asking:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the node ended")
        reply: dict[str, object] = json.loads(line)
        return reply

    async def join(self, client: LightClient, kind: str, stream: str) -> None:
        self._sessions += 1
        reply = await self.ask({"open": kind, "session": self._sessions, "stream": stream, "offer": client.offer})
        await client.connect(str(reply["answer"]))

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
