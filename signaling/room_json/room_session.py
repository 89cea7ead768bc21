"""A session as its connection holds it: what the room's events look like to this client, and what a resumed one has missed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from calls.addresses import MediaCredential, path_credential
from calls.stream_addresses import ListedAddresses
from rooms.events import Barrage, Broadcast, CustomCommand, Delivery, EndReason, ExtraInfoSet
from rooms.model import Session, Stream, User
from signaling import room_session as base
from signaling.ports import View
from signaling.room_json import pushes
from signaling.room_json.codec import header_tail
from signaling.room_json.pushes import KICK_REASONS, stream_entry
from signaling.room_json.replies import ListedUser, StreamEntry, UserListReply
from signaling.room_session import RoomSession, StreamChange, UserChange
from signaling.roster import Roster
from signaling.user_number import user_number
from signaling.wire_state import UNKNOWN, Told, WireState, catch_up

_BODY = "room_json"
"""Key of this dialect's encoding in ``Delivery.memo``."""
_STAND_IN = MediaCredential(0, secrets.randbits(52) | 1 << 52, secrets.token_urlsafe())
"""In the place of the receiver's own right, in what is written once for all receivers. Nobody can write it into a text of theirs."""


class Line(base.Line["JsonRoomSession"], Protocol):
    """The connection, as a session sees it. Nothing here blocks or raises."""

    base_url: str
    """``scheme://host[:port]`` by which the client came."""

    def send(self, frame: str) -> None:
        """Queue one frame."""


class Addresses(Protocol):
    """The part of ``signaling.ports.Calls`` that lists need."""

    def list_addresses(self, credential: MediaCredential, stream: Stream, base: str) -> ListedAddresses | None: ...


class JsonRoomSession(RoomSession["JsonRoomSession"]):
    """In text frames: the header that is the same in all of them, and the body of the event."""

    __slots__ = ("_addresses", "_line", "_tail", "enter_due", "issued_user_id", "session_id")

    def __init__(self, line: Line, addresses: Addresses, *, wants_users: bool, now: int) -> None:
        super().__init__(line, wants_users=wants_users, now=now)
        self._line = line
        self._addresses = addresses
        self.enter_due = False
        """Taken over with the client's first room, without a word from the client about this one: its next heartbeat is to make it
        enter the room again, and ask for the user list."""

    # Set by ``open``.
    session_id: str
    issued_user_id: str
    """``user_id`` of the login answer, which every frame from and to the client carries: the same for all its rooms."""
    _tail: str

    def open(self, session: Session, view: View, roster: Roster[ListedUser], told: Told | None, *, tracks: bool) -> None:
        """The login went through. Send the answer, then call ``flush``. ``tracks``: see ``WireState``."""
        self.session_id = str(session.session_id)
        self.issued_user_id = str(user_number(session.app_id, session.user_id))
        self._tail = header_tail(session.app_id, self.issued_user_id, self.session_id, session.room_id, str(session.room_lifetime_id))
        self._begin(session, view, roster, WireState(self._now, told, tracks=tracks))

    @property
    def key(self) -> str:
        return self.session_id

    # --- what the client is told

    def answer(self, head: str, body: str) -> None:
        """Send an answer. ``head`` from ``codec.response_head``, ``body`` as JSON text."""
        self._line.send(f"{head}{self._tail}{body}}}")

    def all_streams(self) -> list[StreamEntry]:
        return self._entries(self.streams_on_air())

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
        self._push_streams(StreamChange.ADDED, self._entries(missed.added))
        self._push_streams(StreamChange.UPDATED, self._entries(missed.changed))

    def stream_list_asked(self, now: int) -> tuple[int, list[StreamEntry]]:
        """Answer to ``stream_info``. ``repeat_streams`` must follow it at once."""
        self.wire.list_asked(self.streams_of_others())
        return self.wire.beyond_doubt(now), self.all_streams()

    def repeat_streams(self, entries: list[StreamEntry]) -> None:
        """SDK 2.11.0 empties its list at the answer to ``stream_info``: push it (§15 no. 1). Others know all of it already."""
        self._push_streams(StreamChange.ADDED, entries)

    def user_list_asked(self) -> UserListReply:
        """Answer to ``user_list``. From now on joins and leaves are pushed."""
        users = self._users_asked()
        last = max(0, len(users) - 1)
        return UserListReply(user_baseinfos=users, ret_user_index=last, server_user_index=last, server_user_seq=self.wire.user_seq)

    # --- room_session.RoomSession

    def _itself(self) -> JsonRoomSession:
        return self

    def _tell_broadcast(self, delivery: Delivery, event: Broadcast) -> None:
        body = delivery.memo.get(_BODY)
        if not isinstance(body, str):
            body = delivery.memo[_BODY] = pushes.broadcast_body(event)
        self._push(pushes.IM_CHAT, body)

    def _tell_barrage(self, delivery: Delivery, event: Barrage) -> None:
        body = delivery.memo.get(_BODY)
        if not isinstance(body, str):
            body = delivery.memo[_BODY] = pushes.barrage_body(event, self.session.room_id)
        self._push(pushes.MERGE_MESSAGE, body)

    def _tell_command(self, delivery: Delivery, event: CustomCommand) -> None:
        body = delivery.memo.get(_BODY)
        if not isinstance(body, str):
            body = delivery.memo[_BODY] = pushes.custom_command_body(event, self.session.room_id)
        self._push(pushes.CUSTOM_MESSAGE, body)

    def _tell_extra_info(self, delivery: Delivery, event: ExtraInfoSet) -> None:
        body = delivery.memo.get(_BODY)
        if not isinstance(body, str):
            body = delivery.memo[_BODY] = pushes.extra_info_body(event)
        self._push(pushes.TRANS, body)

    def _tell_user(self, delivery: Delivery, change: UserChange, user: User) -> None:
        body = delivery.memo.get(_BODY)
        if not isinstance(body, str):
            body = delivery.memo[_BODY] = pushes.users_body(self.session.room_id, change, [user])
        self._push(pushes.USER_LIST, f"{body}{self.wire.next_user()}}}}}")

    def _tell_users(self, change: UserChange, users: list[User]) -> None:
        body = pushes.users_body(self.session.room_id, change, users)
        self._push(pushes.USER_LIST, f"{body}{self.wire.next_user(len(users))}}}}}")

    def _tell_stream(self, delivery: Delivery, change: StreamChange, stream: Stream) -> None:
        # For all who came by the same address the same, but for the right in the addresses of the stream.
        key = _BODY, change, self._line.base_url
        body = delivery.memo.get(key)
        if not isinstance(body, str):
            stand_in = replace(_STAND_IN, app_id=self.session.app_id)
            body = delivery.memo[key] = pushes.streams_body(self.session.room_id, change, self._entries([stream], change, stand_in))
        body = body.replace(path_credential(_STAND_IN), path_credential(self._right))
        self._push(pushes.STREAM_UPDATE, f"{body}{self.wire.next_stream()}}}}}")

    def _tell_streams(self, change: StreamChange, streams: list[Stream]) -> None:
        self._push_streams(change, self._entries(streams, change))

    def _tell_end(self, reason: EndReason, message: str, *, one_of_several: bool) -> None:
        number = KICK_REASONS.get(reason)
        if number is not None:
            self._push(pushes.KICKOUT, pushes.kickout_body(number, message, self.session_id, only_this_room=one_of_several))

    def _entries(
        self, streams: Iterable[Stream], change: StreamChange = StreamChange.ADDED, credential: MediaCredential | None = None
    ) -> list[StreamEntry]:
        """With addresses that are this client's own, or hold another ``credential``; without any of a stream that is gone."""
        if change is StreamChange.DELETED:
            return [stream_entry(stream) for stream in streams]
        right = credential or self._right
        base = self._line.base_url
        return [stream_entry(stream, self._addresses.list_addresses(right, stream, base)) for stream in streams]

    @property
    def _right(self) -> MediaCredential:
        return MediaCredential(self.session.app_id, self.session.session_id, self.session.media_key)

    def _push(self, head: str, body: str) -> None:
        self._line.send(f"{head}{self._tail}{body}")

    def _push_streams(self, change: StreamChange, entries: list[StreamEntry]) -> None:
        if entries:
            body = pushes.streams_body(self.session.room_id, change, entries)
            self._push(pushes.STREAM_UPDATE, f"{body}{self.wire.next_stream(len(entries))}}}}}")
