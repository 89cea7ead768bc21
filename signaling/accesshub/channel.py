"""A persistent channel of one hub connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signaling.accesshub.downward import downward_frame
from signaling.accesshub.services import Job, Service
from signaling.accesshub.settings import HubSettings
from signaling.command_queue import CommandQueue
from signaling.settling import Settling

if TYPE_CHECKING:
    from signaling.accesshub.connection import HubConnection


class OpenChannel:
    """``services.Channel``, and the service's conversation on it."""

    __slots__ = ("_hub", "_open", "_settling", "_stream", "conversation", "queue", "service_no")

    def __init__(self, hub: HubConnection, stream: int, service_no: int, service: Service, settings: HubSettings) -> None:
        self._hub = hub
        self._stream = stream
        self._open = True
        self._settling = Settling(hub.send, most_frames=settings.outbox_frames, most_size=settings.outbox_size, on_overflow=hub.overflow)
        self.service_no = service_no
        self.conversation = service.opened(self)
        self.queue = CommandQueue[Job](_do, settings.waiting_commands)

    @property
    def hub(self) -> HubConnection:
        return self._hub

    @property
    def stream(self) -> int:
        return self._stream

    def send(self, payload: bytes) -> None:
        self.send_frame(downward_frame(self._stream, payload, self._hub.now()))

    def send_frame(self, frame: bytes) -> None:
        if self._open:
            self._settling.send(frame)

    def hold(self, milliseconds: int) -> None:
        if self._open:
            self._settling.hold(milliseconds)

    def release(self) -> None:
        self._settling.release()

    async def close(self) -> None:
        """What was asked on it is done first."""
        await self.queue.idle()
        self._settling.release()
        self._open = False
        await self.conversation.closed()


async def _do(job: Job) -> None:
    await job()
