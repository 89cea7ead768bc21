"""A house of one App in memory, with the promises of ``Calls`` and ``RoomService`` and nothing else: events are delivered synchronously."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec

from auth.errors import TokenExpired, TokenMalformed
from calls.addresses import MediaCredential, flv_url, rtmp_url
from calls.service import EnterRequest
from calls.stream_addresses import ListedAddresses, Transport
from rooms.errors import MessageEmpty, NotOwner, SessionEnded, SessionUnknown, StreamTaken, StreamUnknown
from rooms.events import (
    AnyEvent,
    Barrage,
    Broadcast,
    ChannelMessage,
    CustomCommand,
    Delivery,
    EndReason,
    ExtraInfoSet,
    Receiver,
    StreamAdded,
    StreamEnd,
    StreamRemoved,
    StreamUpdated,
    TransparentMessage,
    UserJoined,
    UserLeft,
)
from rooms.limits import RoomLimits
from rooms.model import ExtraInfo, Grant, Session, Stream, User
from rooms.service import LoginResult
from rooms.view import RoomView

APP = 1234567890


class Clock:
    """Epoch milliseconds under the test's control."""

    def __init__(self, now: int = 1_800_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class House:
    """``calls``, ``rooms`` and their ``messages`` at once."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.limits = RoomLimits()
        self.fault: Exception | None = None
        """Raised by the next call that changes something."""
        self.views: dict[str, RoomView] = {}
        self.sessions: dict[int, Session] = {}
        self.receivers: dict[int, Receiver] = {}
        self.told: dict[int, bytes | None] = {}
        """Of detached sessions."""
        self.ended: dict[int, EndReason] = {}
        self.heard: list[int] = []
        self.streams: dict[str, Stream] = {}
        """Reserved and on the air."""
        self.left: list[tuple[int, bool]] = []
        self.bases: list[str] = []
        self.undelivered: list[tuple[RoomView, AnyEvent]] = []
        self.lists_addresses = False
        self.cut = False
        """Events change the views but reach nobody, as after a lost subscription."""
        self._ids = itertools.count(1001)
        self._receiver_lists: dict[str, list[int]] = {}

    # --- rooms as tests see them

    def view(self, room_id: str) -> RoomView:
        if room_id not in self.views:
            view = self.views[room_id] = RoomView(APP, room_id)
            view.begin(next(self._ids))
        return self.views[room_id]

    def emit(self, room_id: str, event: AnyEvent) -> None:
        view = self.view(room_id)
        if event.rev:
            view.apply(event)
        if self.cut:
            return
        delivery = Delivery(event)
        for session_id, receiver in list(self.receivers.items()):
            if self.sessions[session_id].room_id == room_id:
                receiver.deliver(delivery)

    def next_rev(self, room_id: str) -> int:
        return self.view(room_id).rev + 1

    def resync(self, room_id: str) -> None:
        self.cut = False
        for session_id, receiver in list(self.receivers.items()):
            if self.sessions[session_id].room_id == room_id:
                receiver.resync()

    def join(self, room_id: str, user_id: str) -> Session:
        """A member whose connection is somewhere else."""
        return self._enter(EnterRequest(APP, room_id, user_id, f"name of {user_id}", "token", msgspec.UNSET), None)  # type: ignore[arg-type]

    def session_of(self, room_id: str, user_id: str) -> Session | None:
        return next((s for s in self.sessions.values() if s.room_id == room_id and s.user_id == user_id), None)

    def end(self, session: Session, reason: EndReason, message: str = "") -> None:
        if session.session_id not in self.sessions:
            return
        for stream in [s for s in self.streams.values() if s.session_id == session.session_id]:
            self._remove(stream, StreamEnd.OWNER_LEFT)
        view = self.view(session.room_id)
        user = view.users[session.user_id]
        self.ended[session.session_id] = reason
        self.emit(session.room_id, UserLeft(rev=self.next_rev(session.room_id), user=user, reason=reason, message=message))
        del self.sessions[session.session_id]
        self.receivers.pop(session.session_id, None)
        self.told.pop(session.session_id, None)

    def forget_told(self) -> None:
        """As after the death of the node that held the sessions."""
        for session_id in self.told:
            self.told[session_id] = None

    # --- Calls

    async def login(self, request: EnterRequest, receiver: Receiver) -> LoginResult:
        self._fail()
        if request.token == "expired":
            raise TokenExpired("over")
        if request.token == "bad":
            raise TokenMalformed("not a token")
        resumed = self.sessions.get(request.resume)
        if resumed is not None and (resumed.room_id, resumed.user_id) == (request.room_id, request.user_id):
            old = self.receivers.pop(resumed.session_id, None)
            told = old.superseded() if old is not None else self.told.pop(resumed.session_id, None)
            self.receivers[resumed.session_id] = receiver
            return LoginResult(resumed, True, told, self.view(request.room_id))
        if self.ended.get(request.resume) in (EndReason.REPLACED, EndReason.KICKED, EndReason.ROOM_CLOSED, EndReason.TOKEN_EXPIRED):
            raise SessionEnded(self.ended[request.resume], "")
        session = self._enter(request, receiver)
        return LoginResult(session, False, None, self.view(request.room_id))

    def _enter(self, request: EnterRequest, receiver: Receiver | None) -> Session:
        for other in [s for s in self.sessions.values() if s.user_id == request.user_id]:
            if not request.login_id or other.room_id == request.room_id:
                self.end(other, EndReason.REPLACED)
        view = self.view(request.room_id)
        session = Session(
            app_id=request.app_id,
            room_id=request.room_id,
            user_id=request.user_id,
            user_name=request.user_name,
            role=request.role,
            session_id=next(self._ids),
            login_id=request.login_id or next(self._ids),
            room_lifetime_id=view.lifetime_id,
            media_key="key",
            client=request.client,
            grant=Grant(),
            node_id="here",
            joined_at=self.clock(),
            attachment=1,
        )
        self.sessions[session.session_id] = session
        user = User(request.user_id, request.user_name, request.role, self.clock(), session.session_id)
        self.emit(request.room_id, UserJoined(rev=self.next_rev(request.room_id), user=user))
        if receiver is not None:
            self.receivers[session.session_id] = receiver
        return session

    async def renew_token(self, session: Session, token: str) -> int:
        self._fail()
        if token == "bad":
            raise TokenMalformed("not a token")
        return 7200

    def token_remaining(self, session: Session) -> int:
        return 3600

    async def publish_urls(self, session: Session, stream_id: str, transport: Transport, base: str) -> list[str]:
        self._fail()
        self.bases.append(base)
        self._reserve(session, stream_id)
        return [f"{transport}://{stream_id}/publish"]

    def list_addresses(self, credential: MediaCredential, stream: Stream, base: str) -> ListedAddresses | None:
        if not self.lists_addresses:
            return None
        return ListedAddresses(rtmp_url("rtmp://here", credential, stream.stream_id), flv_url(base, credential, stream.stream_id))

    async def play_urls(self, session: Session, stream_id: str, transport: Transport, base: str) -> list[str]:
        self._fail()
        self.bases.append(base)
        return [f"{transport}://{stream_id}/play"]

    def _reserve(self, session: Session, stream_id: str) -> Stream:
        stream = self.streams.get(stream_id)
        if stream is not None and stream.session_id != session.session_id:
            raise StreamTaken("taken")
        if stream is None:
            stream = self.streams[stream_id] = Stream(
                stream_id, next(self._ids), session.user_id, session.user_name, session.room_id, session.session_id, "here", "",
                False, self.clock(), 0,
            )  # fmt: skip
        return stream

    async def announce(self, session: Session, stream_id: str, extra_info: str) -> Stream:
        self._fail()
        return self.publish(session, stream_id, extra_info)

    def publish(self, session: Session, stream_id: str, extra_info: str = "") -> Stream:
        known = self._reserve(session, stream_id)
        if known.on_air:
            return known
        stream = msgspec.structs.replace(known, on_air=True, version=1, extra_info=extra_info)
        self.streams[stream_id] = stream
        self.emit(session.room_id, StreamAdded(rev=self.next_rev(session.room_id), stream=stream))
        return stream

    async def update_announcement(self, session: Session, stream_id: str, extra_info: str) -> Stream:
        self._fail()
        return self.update(session, stream_id, extra_info)

    def update(self, session: Session, stream_id: str, extra_info: str) -> Stream:
        known = self.streams.get(stream_id)
        if known is None or not known.on_air:
            raise StreamUnknown("no such stream")
        if known.session_id != session.session_id:
            raise NotOwner("somebody else's")
        stream = msgspec.structs.replace(known, extra_info=extra_info, version=known.version + 1)
        self.streams[stream_id] = stream
        self.emit(session.room_id, StreamUpdated(rev=self.next_rev(session.room_id), stream=stream))
        return stream

    async def withdraw(self, session: Session, stream_id: str) -> Stream | None:
        self._fail()
        return self.unpublish(session, stream_id)

    def unpublish(self, session: Session, stream_id: str) -> Stream | None:
        stream = self.streams.get(stream_id)
        if stream is None:
            return None
        if stream.session_id != session.session_id:
            raise NotOwner("somebody else's")
        self._remove(stream, StreamEnd.STOPPED)
        return stream

    def _remove(self, stream: Stream, reason: StreamEnd) -> None:
        del self.streams[stream.stream_id]
        if stream.on_air:
            self.emit(stream.room_id, StreamRemoved(rev=self.next_rev(stream.room_id), stream=stream, reason=reason))

    async def leave(self, session: Session, whole_login: bool) -> None:
        self._fail()
        self.left.append((session.session_id, whole_login))
        for other in list(self.sessions.values()):
            if other.session_id == session.session_id or (whole_login and other.login_id == session.login_id):
                self.end(other, EndReason.LOGOUT)

    # --- Rooms

    async def detach(self, session: Session, told: bytes) -> None:
        if session.session_id in self.sessions:
            self.receivers.pop(session.session_id, None)
            self.told[session.session_id] = told

    @property
    def messages(self) -> House:
        return self

    def heard_from(self, session: Session) -> None:
        self.heard.append(session.session_id)

    async def send_broadcast(self, session: Session, content: str, **how: Any) -> Broadcast:
        self._fail()
        if not content:
            raise MessageEmpty("content", "not empty")
        event = Broadcast(
            rev=self.next_rev(session.room_id), message_id=next(self._ids), user_id=session.user_id, user_name=session.user_name,
            content=content, sent_at=self.clock(), **how,
        )  # fmt: skip
        self.emit(session.room_id, event)
        return event

    async def send_barrage(self, session: Session, content: str, **how: Any) -> Barrage:
        self._fail()
        event = Barrage(
            rev=0, message_id=str(next(self._ids)), user_id=session.user_id, user_name=session.user_name, content=content,
            sent_at=self.clock(), **how,
        )  # fmt: skip
        self.emit(session.room_id, event)
        return event

    async def send_command(self, session: Session, to: Sequence[str], content: str) -> None:
        self._fail()
        event = CustomCommand(
            rev=self.next_rev(session.room_id), user_id=session.user_id, user_name=session.user_name, to=tuple(to), content=content
        )
        self.emit(session.room_id, event)

    async def send_transparent(self, session: Session, to: Sequence[str], content: bytes, *, order: int = 0) -> None:
        self._fail()
        event = TransparentMessage(
            rev=self.next_rev(session.room_id), user_id=session.user_id, user_name=session.user_name, to=tuple(to), content=content,
            order=order,
        )  # fmt: skip
        self.emit(session.room_id, event)

    async def send_channel_message(self, session: Session, to: Sequence[str], content: str, *, type: int = 0) -> None:
        self._fail()
        event = ChannelMessage(
            rev=self.next_rev(session.room_id), user_id=session.user_id, user_name=session.user_name, to=tuple(to), content=content,
            type=type,
        )  # fmt: skip
        self.emit(session.room_id, event)

    async def set_extra_info(self, session: Session, key: str, value: str) -> ExtraInfo:
        self._fail()
        known = self.view(session.room_id).extra.get(key)
        info = ExtraInfo(key, value, known.seq + 1 if known else 1, session.user_id, session.user_name, self.clock())
        self.emit(session.room_id, ExtraInfoSet(rev=self.next_rev(session.room_id), info=info))
        return info

    def _fail(self) -> None:
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault

    def session(self, session_id: int) -> Session:
        if session_id not in self.sessions:
            raise SessionUnknown("gone")
        return self.sessions[session_id]
