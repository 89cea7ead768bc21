"""A Node process that hosts official SDKs, remote-controlled over JSON lines (``node/remote.js``), and what its users see.

Everything an SDK reports is kept per user: its events, the frames on its sockets, what it logged. A test waits for events; on failure it
gets the whole trace (see ``conftest.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LINE_LIMIT = 16 * 1024 * 1024
"""Longest line from a Node process, in bytes."""

LIMIT = 45.0
"""Default limit for anything that is waited for, in seconds. Generous: it bounds a failure, not a success."""

Json = Any
"""What JSON can hold; its shape is the SDK's business."""

_TOKEN = re.compile(r"(04[A-Za-z0-9+/=]{12})[A-Za-z0-9+/=]{20,}")


def _redacted(text: str) -> str:
    return _TOKEN.sub(r"\1...", text)


class SdkError(Exception):
    """A call into the SDK threw or rejected. ``value`` is what was thrown, e.g. ``{"code": 1102016, "msg": "..."}``."""

    def __init__(self, message: str, value: Json = None) -> None:
        super().__init__(message)
        self.value = value

    @property
    def code(self) -> int | None:
        """The error code, under either of the two names that the SDK uses."""
        if not isinstance(self.value, dict):
            return None
        code = self.value.get("code", self.value.get("errorCode"))
        return code if isinstance(code, int) else None


class Trace:
    """Everything that happened in the running test, in order, as text."""

    def __init__(self, keep: int = 4000) -> None:
        self._keep = keep
        self._lines: list[str] = []
        self._began = time.monotonic()

    def add(self, who: str, what: str) -> None:
        if len(self._lines) < self._keep:
            self._lines.append(f"{time.monotonic() - self._began:8.3f} {who:<12} {_redacted(what)}")

    def clear(self) -> None:
        self._lines.clear()
        self._began = time.monotonic()

    def text(self) -> str:
        return "\n".join(self._lines)


TRACE = Trace()


@dataclass(frozen=True)
class Event:
    """One call of an event handler: ``engine.on(name, (...args) => ...)``."""

    name: str
    args: Sequence[Json]


@dataclass(frozen=True)
class Frame:
    """One frame on one of the user's sockets, or (``opened``, ``closed``) the socket itself."""

    direction: str
    """``sent``, ``received``, ``opened`` or ``closed``, seen from the SDK."""
    socket: str
    """The socket's URL."""
    text: str

    @property
    def cmd(self) -> str:
        """The frame's command; empty if it has none."""
        if not self.text.startswith("{"):
            return ""
        return str(self.json["header"]["cmd"])

    @property
    def json(self) -> Json:
        return json.loads(self.text)


Predicate = Callable[..., object]
"""Gets the event's arguments; truthy = this is the one."""


@dataclass(eq=False)
class Recorder:
    """What one user has seen. ``wait_event`` hands out each event once, so that two equal waits mean two events."""

    name: str
    events: list[Event] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    page_errors: list[str] = field(default_factory=list)
    """What the SDK's page has thrown and nobody caught."""
    _taken: set[tuple[int, str]] = field(default_factory=set)
    _wakeups: set[asyncio.Future[None]] = field(default_factory=set)

    def receive(self, report: dict[str, Json]) -> None:
        if "event" in report:
            self.events.append(Event(report["event"], report["args"]))
            TRACE.add(self.name, f"* {report['event']} {json.dumps(report['args'], ensure_ascii=False)[:2000]}")
        elif "frame" in report:
            frame = Frame(report["frame"], report["socket"], report["text"])
            self.frames.append(frame)
            arrow = {"sent": ">", "received": "<"}.get(frame.direction, f"= {frame.direction} {frame.socket}")
            TRACE.add(self.name, f"{arrow} {frame.text[:2000]}")
        elif "thrown" in report:
            self.page_errors.append(report["thrown"])
            TRACE.add(self.name, f"# page error: {report['thrown']}")
        elif "log" in report:
            TRACE.add(self.name, f"# {report['log']}")
        for wakeup in self._wakeups:
            if not wakeup.done():
                wakeup.set_result(None)

    async def until(self, condition: Callable[[], bool], what: str, limit: float = LIMIT) -> None:
        """Waits until ``condition`` holds; it is looked at after everything that this user reports."""
        try:
            async with asyncio.timeout(limit):
                while not condition():
                    wakeup: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._wakeups.add(wakeup)
                    try:
                        await wakeup
                    finally:
                        self._wakeups.discard(wakeup)
        except TimeoutError:
            raise AssertionError(f"{self.name}: no {what} within {limit} s; saw {[event.name for event in self.events]}") from None

    async def wait_event(self, name: str, predicate: Predicate | None = None, limit: float = LIMIT, about: str = "") -> Sequence[Json]:
        """The arguments of the next event ``name`` that satisfies ``predicate`` and has not been handed out before.

        ``about``: for events that tell of several things at once; each is handed out once for every thing.
        """
        found: list[int] = []

        def look() -> bool:
            for index, event in enumerate(self.events):
                if event.name == name and (index, about) not in self._taken and (predicate is None or predicate(*event.args)):
                    found.append(index)
                    return True
            return False

        await self.until(look, f"{name} {about} (as expected)", limit)
        self._taken.add((found[0], about))
        return self.events[found[0]].args

    async def wait_frame(
        self, direction: str, cmd: str, predicate: Callable[[Json], object] | None = None, limit: float = LIMIT, after: int = 0
    ) -> Json:
        """The first frame with this command, looking from index ``after`` of ``frames`` on."""

        def look() -> Json:
            for frame in self.frames[after:]:
                if frame.direction == direction and frame.cmd == cmd and (predicate is None or predicate(frame.json)):
                    return frame.json
            return None

        await self.until(lambda: look() is not None, f"frame {direction} {cmd}", limit)
        return look()

    def history(self, name: str) -> list[Sequence[Json]]:
        """The arguments of every event ``name`` so far."""
        return [event.args for event in self.events if event.name == name]

    def sent(self, cmd: str, after: int = 0) -> list[Json]:
        """Every frame with this command that the SDK has sent."""
        return [frame.json for frame in self.frames[after:] if frame.direction == "sent" and frame.cmd == cmd]


class Remote:
    """One Node process under remote control."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Json]] = {}
        self._users: dict[str, Recorder] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, script: str) -> Remote:
        process = await asyncio.create_subprocess_exec(
            "node",
            str(HERE / "node" / script),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "NODE_NO_WARNINGS": "1"},
            limit=LINE_LIMIT,
        )
        return cls(process)

    def add(self, recorder: Recorder) -> None:
        self._users[recorder.name] = recorder

    async def call(self, operation: str, /, limit: float = LIMIT, **arguments: Json) -> Json:
        """Runs one of the process's operations. Raises SdkError if it throws, AssertionError if it does not settle in time."""
        call_id = next(self._ids)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._calls[call_id] = answer
        assert self._process.stdin is not None
        if operation == "call":
            TRACE.add(arguments["user"], f"! {arguments['method']} {json.dumps(arguments['args'], ensure_ascii=False)[:500]}")
        self._process.stdin.write(json.dumps({"id": call_id, "op": operation, **arguments}).encode() + b"\n")
        try:
            async with asyncio.timeout(limit):
                return await answer
        except TimeoutError:
            raise AssertionError(f"{operation} {arguments} did not settle within {limit} s") from None
        finally:
            del self._calls[call_id]

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            report = json.loads(line)
            if "id" in report:
                self._answer(report)
            elif (user := self._users.get(report.get("user", ""))) is not None:
                user.receive(report)
            elif "log" in report:
                TRACE.add("node", f"# {report['log']}")
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(SdkError("the Node process has ended"))

    def _answer(self, report: dict[str, Json]) -> None:
        answer = self._calls.get(report["id"])
        if answer is None or answer.done():
            return
        if "error" in report:
            error = report["error"]
            answer.set_exception(SdkError(error["message"], error.get("value")))
        else:
            answer.set_result(report["result"])

    async def aclose(self) -> None:
        """Closes stdin, which ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(20):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await self._reader
