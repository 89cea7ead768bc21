"""The two JSON sockets of a light client: requests and their answers, pushes passed over."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

ANSWER_SECONDS = 60
"""Only a node that has hung is slower."""

Body = dict[str, Any]


class JsonSocket:
    """A WebSocket on which each request is waited for. Not for concurrent requests."""

    def __init__(self, url: str, header: Body) -> None:
        self.header = header
        self._url = url
        self._seq = 1
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> JsonSocket:
        self._socket = await connect(self._url, proxy=None, open_timeout=ANSWER_SECONDS, compression=None)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._socket is not None
        await self._socket.close()

    def abort(self) -> None:
        """As if the tab were killed: no closing handshake."""
        assert self._socket is not None
        self._socket.transport.abort()

    async def ask(self, command: str, body: Body, **header: object) -> Body:
        """The answer's body; ``ConnectionClosed`` if the node hangs up."""
        assert self._socket is not None
        self._seq += 1
        await self._socket.send(json.dumps({"header": {**self.header, "cmd": command, "seq": self._seq, **header}, "body": body}))
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                frame: Body = json.loads(await self._socket.recv())
                head = frame["header"]
                if head["seq"] == self._seq and not head["cmd"].endswith("Push") and head.get("Protocol") != "push":
                    answer: Body = frame["body"]
                    return answer
