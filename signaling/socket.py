"""The WebSocket that a dialect's connection loop is handed: starlette's, or a test's."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Protocol


class SocketLike(Protocol):
    """The part of ``starlette.websockets.WebSocket`` that is used. Not accepted yet when a dialect gets it."""

    @property
    def scope(self) -> MutableMapping[str, Any]:
        """ASGI connection scope: ``query_string`` (bytes), ``headers`` …"""

    async def accept(self) -> None: ...

    async def receive(self) -> MutableMapping[str, Any]:
        """The next ASGI event: ``websocket.connect``, ``websocket.receive`` (``text`` or ``bytes``), ``websocket.disconnect``."""

    async def send_text(self, data: str) -> None: ...

    async def send_bytes(self, data: bytes) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close; before ``accept`` this refuses the connection."""
