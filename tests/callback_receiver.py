"""A backend that receives callbacks: a small HTTP server that notes what it is told.

It checks every signature with code of its own, written from ``docs/callbacks.md``; nothing here uses Hearth's.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl

Callback = dict[str, Any]

HANG = 0
"""As a status: read the request and never answer."""


def is_genuine(callback: Callback, secret: str) -> bool:
    """The check of ``docs/callbacks.md``: SHA-1 over secret, timestamp and nonce, sorted and joined."""
    joined = "".join(sorted([secret, str(callback["timestamp"]), callback["nonce"]]))
    return hmac.compare_digest(hashlib.sha1(joined.encode()).hexdigest(), callback["signature"])


class CallbackReceiver:
    """``async with CallbackReceiver(secret) as backend``: listens on a free port until ``close``; ``listen`` opens the same port again."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.status = 200
        self.headers = ""
        """Further header lines of the answers, each with its line end."""
        self.callbacks: list[Callback] = []
        """What was answered with 2xx, in the order of arrival; repetitions are in it, too."""
        self.refused: list[Callback] = []
        """What was answered with anything else, or not at all."""
        self.seen_headers: list[dict[str, str]] = []
        self.forged = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=path-secret"

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """As if it had been killed: its port is closed, its connections are cut."""
        assert self._server is not None
        self._server.close()
        for writer in self._open.values():
            writer.transport.abort()
        await asyncio.gather(*self._open)
        await self._server.wait_closed()

    async def __aenter__(self) -> CallbackReceiver:
        await self.listen()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of one's own, which close() waits for: asyncio would log one that its loop cuts off.
        self._open[asyncio.create_task(self._serve(reader, writer))] = writer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self._open.pop(asyncio.current_task(), None)  # type: ignore[arg-type]

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        assert first.startswith("POST ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = (await reader.readexactly(int(headers["content-length"]))).decode()
        callback: Callback = json.loads(body) if headers["content-type"] == "application/json" else dict(parse_qsl(body, True))
        self.seen_headers.append(headers)
        if not is_genuine(callback, self.secret):
            self.forged += 1
        status = self.status
        (self.callbacks if 200 <= status <= 299 else self.refused).append(callback)
        if status == HANG:
            await reader.read()
            return False
        writer.write(f"HTTP/1.1 {status} Whatever\r\n{self.headers}Content-Length: 2\r\n\r\nok".encode())
        await writer.drain()
        return True

    # --- what was told

    def of(self, event: str, **fields: Any) -> list[Callback]:
        """Callbacks of an event with these fields, each once, in the order of their sequence numbers."""
        found = {fingerprint(one): one for one in self.callbacks if one["event"] == event and fields.items() <= one.items()}
        return sorted(found.values(), key=sequence)

    def one(self, event: str, **fields: Any) -> Callback:
        found = self.of(event, **fields)
        assert len(found) == 1, f"{event} {fields}: {found} of {self.callbacks}"
        return found[0]


def sequence(callback: Callback) -> tuple[int, int]:
    """The order in which things happened in a room, as ``docs/callbacks.md`` has it."""
    lifetime = int(callback.get("room_seq") or callback["room_session_id"])
    return lifetime, int(callback.get("user_update_seq") or callback.get("stream_seq") or 0)


def fingerprint(callback: Callback) -> tuple[str, ...]:
    """The same for repetitions of one callback, as ``docs/callbacks.md`` has it."""
    return (callback["event"], callback["room_id"], *(str(part) for part in sequence(callback)))
