"""What plugs into a hub connection: services behind persistent channels, and services behind HTTP requests (``sdk-3x.md`` §3.5, §4.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from signaling.accesshub.connection import HubConnection


class Channel(Protocol):
    """A persistent channel (PC): payloads of one service in both directions, until it or its socket is closed."""

    @property
    def hub(self) -> HubConnection:
        """The connection that it belongs to."""
        ...

    @property
    def stream(self) -> int:
        """Its stream id, for frames that a service writes whole (``downward``)."""
        ...

    def send(self, payload: bytes) -> None:
        """Queue a payload for the client. Never blocks or raises; after the end it does nothing."""

    def send_frame(self, frame: bytes) -> None:
        """The same for a frame of this channel that is written already."""

    def hold(self, milliseconds: int) -> None:
        """Keep what is sent from now on back for so long (``signaling.settling``)."""

    def release(self) -> None:
        """End a hold."""


Job = Callable[[], Awaitable[None]]
"""What is left to do for a payload. Does not raise."""


class Conversation(Protocol):
    """A service's end of one channel. Neither raises."""

    def take(self, payload: bytes) -> Job | None:
        """The client sent a payload. What needs no waiting is done here; the rest is returned, and done after what came before it."""

    async def closed(self) -> None:
        """The channel is over: closed by the client, opened anew, or its socket is gone. The last thing said about it."""


class Service(Protocol):
    """One for all connections of a node."""

    def opened(self, channel: Channel) -> Conversation:
        """A client opened a channel; its first payload follows."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request through the hub."""

    hub: HubConnection
    method: int
    """1 GET, 2 POST."""
    location: str
    """Path; empty for a numbered interface."""
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name."""
    body: bytes = field(repr=False)
    token: str = field(repr=False)
    """Of numbered interfaces; others carry theirs in a header."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    body: bytes = b""


class HttpService(Protocol):
    """One for all connections of a node."""

    async def answer(self, request: HttpRequest) -> HttpAnswer:
        """Does not raise."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a hub offers."""

    channels: Mapping[int, Service]
    """By ``service_no``."""
    http: Mapping[int, HttpService]
    """By ``service_no`` of an HTTP request."""
    interfaces: Mapping[int, HttpService]
    """By ``interface_id`` of a numbered one."""
