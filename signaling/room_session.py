"""A session as its connection holds it: which events its client is told, under which numbers. How they look is the dialect's."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Any, Generic, Protocol, TypeVar

from rooms.events import (
    Barrage,
    Broadcast,
    ChannelMessage,
    CustomCommand,
    Delivery,
    EndReason,
    ExtraInfoSet,
    StreamAdded,
    StreamRemoved,
    StreamUpdated,
    TransparentMessage,
    UserJoined,
    UserLeft,
)
from rooms.model import Session, Stream, User
from signaling.ports import View
from signaling.roster import Roster
from signaling.wire_state import WireState


class StreamChange(enum.IntEnum):
    """What a push says of streams; SDKs of all dialects have these numbers."""

    ADDED = 12001
    DELETED = 12002
    UPDATED = 12003


class UserChange(enum.IntEnum):
    """What a push says of users."""

    JOIN = 1
    LEAVE = 2


L = TypeVar("L", bound="RoomSession[Any]")
L_contra = TypeVar("L_contra", bound="RoomSession[Any]", contravariant=True)


class Line(Protocol[L_contra]):
    """The connection, as a session sees it. Nothing here blocks or raises."""

    def ended(self, session: L_contra) -> None:
        """The session is over; it has said what there was to say."""

    def superseded(self, session: L_contra) -> None:
        """The session is another connection's now."""


class RoomSession(ABC, Generic[L]):
    """``rooms.events.Receiver`` of one session on one connection. Does nothing before ``open``, nor after its end.

    Encodings that are the same for all receivers are kept in ``Delivery.memo``, under keys of the dialect: receivers of several dialects
    share it.
    """

    __slots__ = (
        "_early",
        "_events",
        "_list_due",
        "_notified",
        "_now",
        "_open",
        "_roster",
        "_stream_rev",
        "_user_rev",
        "_view",
        "_wants_users",
        "alone",
        "replaced_here",
        "session",
        "wire",
    )

    def __init__(self, line: Line[L], *, wants_users: bool, now: int) -> None:
        self._events = line
        self._wants_users = wants_users
        self._now = now
        self._open = False
        self._early: list[Delivery] = []
        self._list_due = True
        self._notified = True
        self._stream_rev = 0
        self._user_rev = 0
        self.alone = True
        """No other session on this connection (else a kick leaves the others alone)."""
        self.replaced_here = False
        """Its own connection is logging in anew: that ends this session, and is not a kick."""

    # Set by ``_begin``.
    session: Session
    wire: WireState
    _view: View
    _roster: Roster[Any]

    def _begin(self, session: Session, view: View, roster: Roster[Any], wire: WireState) -> None:
        """The login went through. Send the answer, then call ``flush``."""
        self.session = session
        self.wire = wire
        self._view = view
        self._roster = roster
        self._stream_rev = self._user_rev = view.rev
        self._notified = not roster.limit or session.user_id in roster
        self._open = True

    def flush(self) -> None:
        """Events that came before the login answer: their lists are in it already, their messages are not."""
        early, self._early = self._early, []
        for delivery in early:
            if self._open:
                self.deliver(delivery)

    # --- how the dialect tells it

    @property
    @abstractmethod
    def key(self) -> Hashable:
        """By what the client names the session on its connection."""

    @abstractmethod
    def _itself(self) -> L:
        """This session, as its connection knows it."""

    @abstractmethod
    def _tell_broadcast(self, delivery: Delivery, event: Broadcast) -> None: ...

    @abstractmethod
    def _tell_barrage(self, delivery: Delivery, event: Barrage) -> None: ...

    @abstractmethod
    def _tell_command(self, delivery: Delivery, event: CustomCommand) -> None: ...

    def _tell_addressed(self, delivery: Delivery, event: TransparentMessage | ChannelMessage) -> None:
        """Only a dialect whose SDKs know such messages has something to say."""

    @abstractmethod
    def _tell_extra_info(self, delivery: Delivery, event: ExtraInfoSet) -> None: ...

    @abstractmethod
    def _tell_user(self, delivery: Delivery, change: UserChange, user: User) -> None:
        """One user came or went; raises the user sequence."""

    @abstractmethod
    def _tell_users(self, change: UserChange, users: list[User]) -> None:
        """The same for several, found by comparing. Never empty."""

    @abstractmethod
    def _tell_stream(self, delivery: Delivery, change: StreamChange, stream: Stream) -> None:
        """One stream changed; raises the stream sequence."""

    @abstractmethod
    def _tell_streams(self, change: StreamChange, streams: list[Stream]) -> None:
        """The same for several, found by comparing. Never empty."""

    @abstractmethod
    def _tell_end(self, reason: EndReason, message: str, *, one_of_several: bool) -> None:
        """The session was ended by somebody else; with ``one_of_several`` the client's other rooms go on."""

    # --- what the client is told

    @property
    def online_count(self) -> int:
        return len(self._view.users)

    @property
    def view(self) -> View:
        return self._view

    def streams_of_others(self) -> dict[str, Stream]:
        own = self.session.user_id
        return {name: stream for name, stream in self._view.streams.items() if stream.on_air and stream.user_id != own}

    def streams_on_air(self) -> list[Stream]:
        """With the client's own: SDKs announce anew what is missing in a list (``web-1x-2x.md`` §2)."""
        return [stream for stream in self._view.streams.values() if stream.on_air]

    def lists_in_answer(self) -> None:
        """The login answer holds the stream list and the client takes it."""
        self.wire.begin(self.streams_of_others())

    def _users_asked(self) -> list[Any]:
        """What the user list shows. From now on joins and leaves are pushed."""
        session = self.session
        self._notified = not self._roster.limit or session.user_id in self._roster
        self._list_due = False
        self._user_rev = self._roster.rev
        self.wire.user_seq = max(1, self.wire.user_seq)
        return self._roster.listed() if self._notified else []

    def detach(self) -> bytes:
        """The connection is lost: no more pushes. Returns the wire state for ``RoomService.detach``."""
        self._open = False
        return self.wire.told()

    # --- rooms.events.Receiver

    def deliver(self, delivery: Delivery) -> None:
        """Push an event. Own ones are left out: SDKs do not filter their own broadcasts (``miniprogram-2.11.0.md`` §15 no. 10)."""
        if not self._open:
            self._early.append(delivery)
            return
        event = delivery.event
        own = self.session.user_id
        if isinstance(event, Broadcast):
            if event.user_id != own:
                self._tell_broadcast(delivery, event)
        elif isinstance(event, UserJoined):
            self._joined(delivery, event)
        elif isinstance(event, UserLeft):
            self._left(delivery, event)
        elif isinstance(event, StreamAdded | StreamUpdated | StreamRemoved):
            self._stream_changed(delivery, event)
        elif isinstance(event, Barrage):
            if event.user_id != own:
                self._tell_barrage(delivery, event)
        elif isinstance(event, CustomCommand):
            if event.user_id != own and (not event.to or own in event.to):
                self._tell_command(delivery, event)
        elif isinstance(event, TransparentMessage | ChannelMessage):
            if event.user_id != own and (not event.to or own in event.to):
                self._tell_addressed(delivery, event)
        elif isinstance(event, ExtraInfoSet) and event.info.user_id != own:
            self._tell_extra_info(delivery, event)

    def resync(self) -> None:
        """Events were lost on the way to this node: push the difference between what was told and what is."""
        if not self._open:
            return
        view = self._view
        gone, joined = self._roster.jump(view)
        if self._takes_users() and view.rev > self._user_rev:
            self._user_rev = view.rev
            self._others(UserChange.LEAVE, gone)
            self._others(UserChange.JOIN, joined)
        self._stream_rev = view.rev
        current = self.streams_of_others()
        known = self.wire.streams
        deleted = [stream for name, stream in known.items() if name not in current or current[name].stream_sid != stream.stream_sid]
        for stream in deleted:
            self.wire.remove(stream.stream_id)
        added = [stream for name, stream in current.items() if name not in known]
        changed = [stream for name, stream in current.items() if name in known and known[name].version != stream.version]
        for stream in (*added, *changed):
            self.wire.add(stream)
        for change, streams in ((StreamChange.DELETED, deleted), (StreamChange.ADDED, added), (StreamChange.UPDATED, changed)):
            if streams:
                self._tell_streams(change, streams)

    def superseded(self) -> bytes:
        """Another connection has the session now."""
        if not self._open:
            return b""
        told = self.detach()
        self._events.superseded(self._itself())
        return told

    # --- inside

    def _takes_users(self) -> bool:
        return self._wants_users and self._notified and not self._list_due

    def _others(self, change: UserChange, users: list[User]) -> None:
        others = [user for user in users if user.user_id != self.session.user_id]
        if others:
            self._tell_users(change, others)

    def _joined(self, delivery: Delivery, event: UserJoined) -> None:
        announced = delivery.memo.get(self._roster)
        if announced is None:
            announced = delivery.memo[self._roster] = self._roster.join(event.user, event.rev)
        if announced and event.rev > self._user_rev and self._takes_users() and event.user.user_id != self.session.user_id:
            self._tell_user(delivery, UserChange.JOIN, event.user)

    def _left(self, delivery: Delivery, event: UserLeft) -> None:
        announced = delivery.memo.get(self._roster)
        if announced is None:
            announced = delivery.memo[self._roster] = self._roster.leave(event.user, event.rev)
        if event.user.session_id == self.session.session_id:
            self._end(event)
        elif announced and event.rev > self._user_rev and self._takes_users() and event.user.user_id != self.session.user_id:
            self._tell_user(delivery, UserChange.LEAVE, event.user)

    def _end(self, event: UserLeft) -> None:
        if not (self.replaced_here and event.reason is EndReason.REPLACED):
            # A login elsewhere ends all rooms of the client; a kick may end one of several.
            one_of_several = not self.alone and event.reason in (EndReason.KICKED, EndReason.ROOM_CLOSED)
            self._tell_end(event.reason, event.message, one_of_several=one_of_several)
        self._open = False
        self._events.ended(self._itself())

    def _stream_changed(self, delivery: Delivery, event: StreamAdded | StreamUpdated | StreamRemoved) -> None:
        stream = event.stream
        if stream.user_id == self.session.user_id or event.rev <= self._stream_rev:
            return
        known = self.wire.streams.get(stream.stream_id)
        if isinstance(event, StreamRemoved):
            if known is None:
                return
            self.wire.remove(stream.stream_id)
            change = StreamChange.DELETED
        else:
            self.wire.add(stream)
            change = StreamChange.UPDATED if known is not None else StreamChange.ADDED
        self._tell_stream(delivery, change, stream)
