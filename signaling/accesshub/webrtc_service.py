"""Services 18 and 19 on a hub connection: ``webrtc.WebRtcSignaling`` behind a persistent channel."""

from __future__ import annotations

from functools import partial

from calls.service import Calls
from rooms.model import Clock, Session
from signaling.accesshub.frames import FrameInvalid
from signaling.accesshub.services import Channel, Job
from signaling.accesshub.webrtc import WebRtcSignaling
from signaling.accesshub.webrtc_codec import ACKNOWLEDGEMENTS, decode_request
from signaling.connection import CLOSE_INVALID


class WebRtcOnHub:
    """``services.Service``."""

    def __init__(self, calls: Calls, *, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    def opened(self, channel: Channel) -> _Conversation:
        return _Conversation(channel, self._calls, self._clock)


class _Conversation:
    """``services.Conversation``, and the room sessions of its connection (``webrtc.RoomSessions``)."""

    def __init__(self, channel: Channel, calls: Calls, clock: Clock) -> None:
        self._hub = channel.hub
        self._signaling = WebRtcSignaling(calls, self, channel.send, clock=clock, client_address=channel.hub.client.address)

    def take(self, payload: bytes) -> Job | None:
        try:
            request = decode_request(payload)
        except FrameInvalid as invalid:
            self._hub.close_soon(CLOSE_INVALID, str(invalid))
            return None
        if request.command in ACKNOWLEDGEMENTS:
            return None
        return partial(self._signaling.handle, request)

    async def closed(self) -> None:
        self._signaling.ended()

    def sessions(self) -> list[Session]:
        return [held.session for held in self._hub.sessions.values()]

    def session_of(self, room_id: str) -> Session | None:
        return next((session for session in self.sessions() if room_id in ("", session.room_id)), None)
