"""The transport under a request. ASGI does not show it, and has no word for hanging up, or for how much may wait for a slow client."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Any

_STATE = "hearth.transport"
_UNSENT = 16_384
"""Bytes that the kernel, and as many that uvicorn, keep unsent before whoever writes has to wait."""


def with_transport(state: Mapping[str, Any], transport: asyncio.Transport) -> dict[str, Any]:
    """The ``app_state`` of a uvicorn protocol, of which each scope gets a copy, with the transport in it."""
    return {**state, _STATE: transport}


def transport_of(scope: Mapping[str, Any]) -> asyncio.Transport | None:
    """None under a server that does not put it there."""
    found: asyncio.Transport | None = scope.get("state", {}).get(_STATE)
    return found


def keep_little(transport: asyncio.Transport) -> None:
    """What waits for the client is to wait with us, who know what of it has become worthless, not in the buffers below."""
    if transport.is_closing():
        return
    transport.set_write_buffer_limits(high=_UNSENT)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
