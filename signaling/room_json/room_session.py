"""A session as its connection holds it: turns the room's events into pushes, and knows what the client has been told."""

from __future__ import annotations

from hashlib import blake2b
from typing import Protocol

from rooms.events import (
    Barrage,
    Broadcast,
    CustomCommand,
    Delivery,
    EndReason,
    ExtraInfoSet,
    StreamAdded,
    StreamRemoved,
    StreamUpdated,
    UserJoined,
    UserLeft,
)
from rooms.model import Session, Stream, User
from signaling.room_json import pushes
from signaling.room_json.codec import header_tail
from signaling.room_json.ports import View
from signaling.room_json.pushes import KICK_REASONS, StreamChange, UserChange, stream_entry
from signaling.room_json.replies import StreamEntry, UserListReply
from signaling.room_json.roster import Roster
from signaling.room_json.wire_state import UNKNOWN, Told, WireState, catch_up

_BODY = "room_json"
"""Key of this dialect's encoding in ``Delivery.memo``."""
_NOBODY = ""
"""Value of it if nobody is told of the event."""


class Line(Protocol):
    """The connection, as a session sees it. Nothing here blocks or raises."""

    def send(self, text: str) -> None:
        """Queue one frame."""

    def ended(self, session: RoomSession) -> None:
        """The session is over; it has said what there was to say."""

    def superseded(self, session: RoomSession) -> None:
        """The session is another connection's now."""


def issued_user_id(app_id: int, user_id: str) -> str:
    """``user_id`` of the login answer: a number that stands for the user, the same at every login.

    SDK 2.11.0 drops frames with another ``user_id`` than it knows, and learns a new one only some time after the login answer: what
    follows that answer directly would be lost if the number changed when a session had expired.
    """
    return str(1 + int.from_bytes(blake2b(f"{app_id}/{user_id}".encode(), digest_size=6).digest()))


class RoomSession:
    """``rooms.events.Receiver`` of one session on one connection. Does nothing before ``open``, nor after its end."""

    __slots__ = (
        "_early",
        "_line",
        "_list_due",
        "_notified",
        "_now",
        "_open",
        "_roster",
        "_stream_rev",
        "_tail",
        "_user_rev",
        "_view",
        "_wants_users",
        "alone",
        "enter_due",
        "issued_user_id",
        "replaced_here",
        "session",
        "session_id",
        "wire",
    )

    def __init__(self, line: Line, *, wants_users: bool, now: int) -> None:
        self._line = line
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
        self.enter_due = False
        """Taken over with the client's first room, without a word from the client about this one: its next heartbeat is to make it
        enter the room again, and ask for the user list."""

    # Set by ``open``.
    session: Session
    session_id: str
    issued_user_id: str
    """``user_id`` of the login answer, which every frame from and to the client carries: the same for all its rooms."""
    wire: WireState
    _view: View
    _roster: Roster
    _tail: str

    def open(self, session: Session, view: View, roster: Roster, told: Told | None, *, tracks: bool) -> None:
        """The login went through. Send the answer, then call ``flush``. ``tracks``: see ``WireState``."""
        self.session = session
        self.session_id = str(session.session_id)
        self.issued_user_id = issued_user_id(session.app_id, session.user_id)
        self.wire = WireState(self._now, told, tracks=tracks)
        self._view = view
        self._roster = roster
        self._tail = header_tail(session.app_id, self.issued_user_id, self.session_id, session.room_id, str(session.room_lifetime_id))
        self._stream_rev = self._user_rev = view.rev
        self._notified = not roster.limit or session.user_id in roster
        self._open = True

    def flush(self) -> None:
        """Events that came before the login answer: their lists are in it already, their messages are not."""
        early, self._early = self._early, []
        for delivery in early:
            if self._open:
                self.deliver(delivery)

    # --- what the client is told

    def answer(self, head: str, body: str) -> None:
        """Send an answer. ``head`` from ``codec.response_head``, ``body`` as JSON text."""
        self._line.send(f"{head}{self._tail}{body}}}")

    @property
    def online_count(self) -> int:
        return len(self._view.users)

    @property
    def view(self) -> View:
        return self._view

    def streams_of_others(self) -> dict[str, Stream]:
        own = self.session.user_id
        return {name: stream for name, stream in self._view.streams.items() if stream.on_air and stream.user_id != own}

    def all_streams(self) -> list[StreamEntry]:
        """With the client's own: web 2.x announces anew what is missing in a list (``web-1x-2x.md`` §2)."""
        return [stream_entry(stream) for stream in self._view.streams.values() if stream.on_air]

    def lists_in_answer(self) -> None:
        """The login answer holds the stream list and the client takes it."""
        self.wire.begin(self.streams_of_others())

    def catch_up(self, told: Told | None) -> None:
        """After the login's answer, for clients that pass over the list in it (mini-program 2.11.0, §5.3 and §15 no. 2).

        If it is not known what the client knows, it is made to ask for its list: SDK 2.11.0 then deletes and adds all (§5.4). It
        does not ask if it did so once and got no answer before its socket died. So the list is pushed as well, which brings all but
        deletions.
        """
        missed = catch_up(told or UNKNOWN, self.streams_of_others())
        self._push(pushes.ALIGN, pushes.align_body(self.wire.stream_seq))
        if told is None:
            self.wire.poke()
            self._push(pushes.STREAM_UPDATE, pushes.poke_body(self.session.room_id))
        for stream_id, known in missed.gone:
            self.wire.removed(stream_id, known)
        self.wire.begin(missed.kept)
        for stream in (*missed.added, *missed.changed):
            self.wire.add(stream)
        self._push_streams(StreamChange.DELETED, [pushes.gone_entry(name, known) for name, known in missed.gone])
        self._push_streams(StreamChange.ADDED, [stream_entry(stream) for stream in missed.added])
        self._push_streams(StreamChange.UPDATED, [stream_entry(stream) for stream in missed.changed])

    def stream_list_asked(self, now: int) -> tuple[int, list[StreamEntry]]:
        """Answer to ``stream_info``. ``repeat_streams`` must follow it at once."""
        self.wire.list_asked(self.streams_of_others())
        return self.wire.beyond_doubt(now), self.all_streams()

    def repeat_streams(self, entries: list[StreamEntry]) -> None:
        """SDK 2.11.0 empties its list at the answer to ``stream_info``: push it (§15 no. 1). Others know all of it already."""
        self._push_streams(StreamChange.ADDED, entries)

    def user_list_asked(self) -> UserListReply:
        """Answer to ``user_list``. From now on joins and leaves are pushed."""
        session = self.session
        self._notified = not self._roster.limit or session.user_id in self._roster
        self._list_due = False
        self._user_rev = self._roster.rev
        users = self._roster.listed() if self._notified else []
        self.wire.user_seq = max(1, self.wire.user_seq)
        last = max(0, len(users) - 1)
        return UserListReply(user_baseinfos=users, ret_user_index=last, server_user_index=last, server_user_seq=self.wire.user_seq)

    def detach(self) -> bytes:
        """The connection is lost: no more pushes. Returns the wire state for ``RoomService.detach``."""
        self._open = False
        return self.wire.told()

    # --- rooms.events.Receiver

    def deliver(self, delivery: Delivery) -> None:
        """Push an event. Own ones are left out: SDKs do not filter their own broadcasts (§15 no. 10)."""
        if not self._open:
            self._early.append(delivery)
            return
        event = delivery.event
        session = self.session
        if isinstance(event, Broadcast):
            if event.user_id != session.user_id:
                body = delivery.memo.get(_BODY)
                if not isinstance(body, str):
                    body = delivery.memo[_BODY] = pushes.broadcast_body(event)
                self._line.send(f"{pushes.IM_CHAT}{self._tail}{body}")
        elif isinstance(event, UserJoined):
            self._joined(delivery, event)
        elif isinstance(event, UserLeft):
            self._left(delivery, event)
        elif isinstance(event, StreamAdded | StreamUpdated | StreamRemoved):
            self._stream_changed(delivery, event)
        elif isinstance(event, Barrage):
            if event.user_id != session.user_id:
                body = delivery.memo.get(_BODY)
                if not isinstance(body, str):
                    body = delivery.memo[_BODY] = pushes.barrage_body(event, session.room_id)
                self._line.send(f"{pushes.MERGE_MESSAGE}{self._tail}{body}")
        elif isinstance(event, CustomCommand):
            if event.user_id != session.user_id and (not event.to or session.user_id in event.to):
                body = delivery.memo.get(_BODY)
                if not isinstance(body, str):
                    body = delivery.memo[_BODY] = pushes.custom_command_body(event, session.room_id)
                self._line.send(f"{pushes.CUSTOM_MESSAGE}{self._tail}{body}")
        elif isinstance(event, ExtraInfoSet) and event.info.user_id != session.user_id:
            body = delivery.memo.get(_BODY)
            if not isinstance(body, str):
                body = delivery.memo[_BODY] = pushes.extra_info_body(event)
            self._line.send(f"{pushes.TRANS}{self._tail}{body}")

    def resync(self) -> None:
        """Events were lost on the way to this node: push the difference between what was told and what is."""
        if not self._open:
            return
        view = self._view
        own = self.session.user_id
        gone, joined = self._roster.jump(view)
        if self._takes_users() and view.rev > self._user_rev:
            self._user_rev = view.rev
            self._push_users(UserChange.LEAVE, gone, own)
            self._push_users(UserChange.JOIN, joined, own)
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
        self._push_streams(StreamChange.DELETED, [stream_entry(stream) for stream in deleted])
        self._push_streams(StreamChange.ADDED, [stream_entry(stream) for stream in added])
        self._push_streams(StreamChange.UPDATED, [stream_entry(stream) for stream in changed])

    def superseded(self) -> bytes:
        """Another connection has the session now."""
        if not self._open:
            return b""
        told = self.detach()
        self._line.superseded(self)
        return told

    # --- inside

    def _takes_users(self) -> bool:
        return self._wants_users and self._notified and not self._list_due

    def _joined(self, delivery: Delivery, event: UserJoined) -> None:
        body = delivery.memo.get(_BODY)
        if not isinstance(body, str):
            announced = self._roster.join(event.user, event.rev)
            body = pushes.users_body(self.session.room_id, UserChange.JOIN, [event.user]) if announced else _NOBODY
            delivery.memo[_BODY] = body
        if body and event.rev > self._user_rev and self._takes_users() and event.user.user_id != self.session.user_id:
            self._line.send(f"{pushes.USER_LIST}{self._tail}{body}{self.wire.next_user()}}}}}")

    def _left(self, delivery: Delivery, event: UserLeft) -> None:
        body = delivery.memo.get(_BODY)
        if not isinstance(body, str):
            announced = self._roster.leave(event.user, event.rev)
            body = pushes.users_body(self.session.room_id, UserChange.LEAVE, [event.user]) if announced else _NOBODY
            delivery.memo[_BODY] = body
        if event.user.session_id == self.session.session_id:
            self._end(event)
        elif body and event.rev > self._user_rev and self._takes_users() and event.user.user_id != self.session.user_id:
            self._line.send(f"{pushes.USER_LIST}{self._tail}{body}{self.wire.next_user()}}}}}")

    def _end(self, event: UserLeft) -> None:
        reason = KICK_REASONS.get(event.reason)
        if reason is not None and not (self.replaced_here and event.reason is EndReason.REPLACED):
            # A login elsewhere ends all rooms of the client; a kick may end one of several.
            one_of_several = not self.alone and event.reason in (EndReason.KICKED, EndReason.ROOM_CLOSED)
            self._push(pushes.KICKOUT, pushes.kickout_body(reason, event.message, self.session_id, only_this_room=one_of_several))
        self._open = False
        self._line.ended(self)

    def _stream_changed(self, delivery: Delivery, event: StreamAdded | StreamUpdated | StreamRemoved) -> None:
        stream = event.stream
        if stream.user_id == self.session.user_id or event.rev <= self._stream_rev:
            return
        wire = self.wire
        known = wire.streams.get(stream.stream_id)
        if isinstance(event, StreamRemoved):
            if known is None:
                return
            wire.remove(stream.stream_id)
            change = StreamChange.DELETED
        else:
            wire.add(stream)
            change = StreamChange.UPDATED if known is not None else StreamChange.ADDED
        body = delivery.memo.get(change)
        if not isinstance(body, str):
            body = delivery.memo[change] = pushes.streams_body(self.session.room_id, change, [stream_entry(stream)])
        self._line.send(f"{pushes.STREAM_UPDATE}{self._tail}{body}{wire.next_stream()}}}}}")

    def _push(self, head: str, body: str) -> None:
        self._line.send(f"{head}{self._tail}{body}")

    def _push_streams(self, change: StreamChange, entries: list[StreamEntry]) -> None:
        if entries:
            body = pushes.streams_body(self.session.room_id, change, entries)
            self._push(pushes.STREAM_UPDATE, f"{body}{self.wire.next_stream(len(entries))}}}}}")

    def _push_users(self, change: UserChange, users: list[User], own: str) -> None:
        others = [user for user in users if user.user_id != own]
        if others:
            body = pushes.users_body(self.session.room_id, change, others)
            self._push(pushes.USER_LIST, f"{body}{self.wire.next_user(len(others))}}}}}")
