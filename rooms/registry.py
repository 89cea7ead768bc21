"""The typed face of the Lua scripts: what goes in, what comes out, which refusals there are. No other file knows their format."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, cast

import msgspec

from rooms.errors import (
    AlreadyInRoom,
    ExtraInfoRefused,
    NotOwner,
    RoomFull,
    RoomUnknown,
    SessionUnknown,
    StreamForbidden,
    StreamTaken,
    StreamUnknown,
    TooManyRooms,
    TooManyStreams,
    UserDenied,
    UserUnknown,
)
from rooms.events import EndReason, StreamEnd
from rooms.limits import RoomLimits
from rooms.model import Client, ExtraInfo, Grant, NodeInfo, RoomInfo, Session, Stream, User
from rooms.scripts import script
from rooms.store import NODES, Store, app_prefix


class Published(msgspec.Struct, frozen=True):
    """An event that a script published, as its payload (``"<lifetime> <rev> <json>"``)."""

    room_id: str
    payload: bytes


Done = Callable[[int, tuple[Published, ...]], Awaitable[None]]
"""Lets this node's views take over what a script has published in an App."""


class SessionData(msgspec.Struct, frozen=True):
    """The part of a session that never changes, as it is stored."""

    media_key: str


class SessionRecord(msgspec.Struct, frozen=True):
    """A session as it is stored."""

    session: Session
    holder: str
    """The lease (``<node>#<incarnation>``) under which a connection holds it."""
    detached: bool


class LoginOutcome(msgspec.Struct, frozen=True):
    session: Session
    resumed: bool
    told: bytes | None
    rev: int
    """The room's revision after the login; the view must be as far."""
    published: tuple[Published, ...]


class EndedSession(msgspec.Struct, frozen=True):
    """What the tombstone of a session says."""

    reason: EndReason
    message: str
    user: User


class CatchUp(msgspec.Struct, frozen=True):
    """How a view gets up to date. ``payloads`` is set: apply these. Else ``lifetime_id`` (0 = no such room) and the lists are the state."""

    same: bool = False
    payloads: tuple[bytes, ...] | None = None
    lifetime_id: int = 0
    rev: int = 0
    users: tuple[User, ...] = ()
    streams: tuple[Stream, ...] = ()
    extra: tuple[ExtraInfo, ...] = ()


class LeaseState(msgspec.Struct, frozen=True):
    kept: bool
    """False: the lease had run out (or the store lost it); others may have cleaned up after this node."""
    dying: tuple[str, ...]
    live: tuple[str, ...]
    apps: tuple[int, ...]


_encode = msgspec.json.encode
_session_data = msgspec.json.Decoder(SessionData)
_user = msgspec.json.Decoder(User)
_stream = msgspec.json.Decoder(Stream)
_extra = msgspec.json.Decoder(ExtraInfo)
_grant = msgspec.json.Decoder(Grant)
_client = msgspec.json.Decoder(Client)
_node = msgspec.json.Decoder(NodeInfo)
_users = msgspec.json.Decoder(tuple[User, ...])
_streams = msgspec.json.Decoder(tuple[Stream, ...])
_extras = msgspec.json.Decoder(tuple[ExtraInfo, ...])
_tombstone = msgspec.json.Decoder(tuple[EndReason, str, User])

BATCH = 200
"""How many things one clean-up script does at most, so that no script holds the store for long."""


_TOLD_TO_NOBODY = frozenset({"message", "extra", "update_stream"})
"""Scripts that publish events and never write into the outbox."""


def members(**values: Any) -> bytes:
    """JSON members without the braces around them."""
    return _encode(values)[1:-1]


def _published(raw: Sequence[bytes]) -> tuple[Published, ...]:
    return tuple(Published(raw[i].decode(), raw[i + 1]) for i in range(0, len(raw), 2))


def _joined(parts: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(parts) + b"]"


def _ended(raw: bytes) -> EndedSession:
    reason, message, user = _tombstone.decode(raw)
    return EndedSession(reason, message, user)


class Registry:
    """Runs the scripts for one node. ``holder`` names its lease and changes when the lease is lost."""

    def __init__(self, store: Store, node_id: str, holder: str, limits: RoomLimits, empty_room: int) -> None:
        self._store = store
        self._node_id = node_id
        self.holder = holder
        self._limits = limits
        self._empty_room = empty_room
        self.on_change: Callable[[int], None] = lambda app_id: None
        """Called after a change in an App of which its operator's backend may have to be told (``rooms/outbox.py``)."""

    async def run(self, name: str, app_id: int, now: int, *args: str | bytes | int) -> tuple[str, tuple[Published, ...], Sequence[Any]]:
        reply = await self._store.run(script(name), app_prefix(app_id), now, self._limits.log_events, self._empty_room, *args)
        if reply[1] and name not in _TOLD_TO_NOBODY:
            self.on_change(app_id)
        return cast(bytes, reply[0]).decode(), _published(reply[1]), reply[2:]

    # --- sessions

    async def login(
        self,
        app_id: int,
        room_id: str,
        user: User,
        *,
        login_id: int,
        own_login: bool,
        resume: int,
        media_key: str,
        client: Client,
        grant: Grant,
        most_users: int,
        first_most_users: int,
        most_rooms: int,
        now: int,
    ) -> LoginOutcome | EndedSession:
        """Enters a room. ``EndedSession``: nothing was done, ``resume`` names a session that was ended."""
        status, published, rest = await self.run(
            "login", app_id, now, room_id, user.user_id, user.session_id, login_id, int(own_login), resume, self._node_id, self.holder,
            most_users, first_most_users, most_rooms, _encode(user), _encode(SessionData(media_key)), _encode(grant), _encode(client),
            client.address,
        )  # fmt: skip
        match status:
            case "ended":
                return _ended(rest[0])
            case "denied":
                raise UserDenied("logging in is denied by the operator")
            case "gone":
                raise SessionUnknown("this login has ended")
            case "already":
                raise AlreadyInRoom("this login is in the room already")
            case "rooms":
                raise TooManyRooms(f"one login may be in {most_rooms} rooms")
            case "full":
                raise RoomFull("the room is full")
        session_id, lifetime, rev, login, attachment, data, member, told = rest
        holder = _user.decode(member)
        session = Session(
            app_id=app_id, room_id=room_id, user_id=holder.user_id, user_name=holder.user_name, role=holder.role,
            session_id=int(session_id), login_id=int(login), room_lifetime_id=int(lifetime),
            media_key=_session_data.decode(data).media_key, client=client, grant=grant, node_id=self._node_id,
            joined_at=holder.joined_at, attachment=int(attachment),
        )  # fmt: skip
        return LoginOutcome(session, status == "resumed", told, int(rev), published)

    async def end(
        self, app_id: int, session_id: int, reason: EndReason, message: str, *, whole_login: bool, now: int
    ) -> tuple[Published, ...]:
        _, published, _ = await self.run("end", app_id, now, session_id, reason, _encode(message), int(whole_login))
        return published

    async def detach(self, session: Session, deadline: int, told: bytes | None, *, now: int) -> None:
        await self.run("detach", session.app_id, now, session.session_id, session.attachment, deadline, told or b"", int(told is not None))

    async def session(self, app_id: int, session_id: int) -> SessionRecord | None:
        raw = await self._store.hash_of(f"{app_prefix(app_id)}session:{session_id}")
        if not raw:
            return None
        user = _user.decode(raw[b"member"])
        session = Session(
            app_id=app_id, room_id=raw[b"room"].decode(), user_id=user.user_id, user_name=user.user_name, role=user.role,
            session_id=session_id, login_id=int(raw[b"login"]), room_lifetime_id=int(raw[b"life"]),
            media_key=_session_data.decode(raw[b"data"]).media_key, client=_client.decode(raw[b"client"]),
            grant=_grant.decode(raw[b"grant"]), node_id=raw[b"node"].decode(), joined_at=user.joined_at,
            attachment=int(raw[b"attachment"]),
        )  # fmt: skip
        return SessionRecord(session, raw[b"holder"].decode(), b"detached" in raw)

    async def set_grant(self, session: Session, grant: Grant, *, now: int) -> None:
        status, _, _ = await self.run("grant", session.app_id, now, session.session_id, _encode(grant))
        if status == "gone":
            raise SessionUnknown("the session has ended")

    async def restore(
        self, session: Session, user: User, streams: Sequence[Stream], rev: int, *, now: int
    ) -> tuple[int | EndedSession | None, tuple[Published, ...]]:
        """Says again what this node holds. Returns the room's lifetime id; or how the session ended; or None if another node has it."""
        args: list[str | bytes | int] = []
        for stream in streams:
            args += [stream.stream_id, self._stream_head(session, stream.stream_id), stream.stream_sid, stream.node_id,
                     _encode(stream.extra_info), stream.created_at, stream.version]  # fmt: skip
        status, published, rest = await self.run(
            "restore", session.app_id, now, session.session_id, session.user_id, session.room_id, session.room_lifetime_id,
            session.login_id, self._node_id, self.holder, session.attachment, _encode(user), _encode(SessionData(session.media_key)),
            _encode(session.grant), _encode(session.client), rev, *args,
        )  # fmt: skip
        if status == "moved":
            return None, published
        return (_ended(rest[0]) if status == "ended" else int(rest[0])), published

    # --- streams

    @staticmethod
    def _stream_head(session: Session, stream_id: str) -> bytes:
        return members(stream_id=stream_id, user_id=session.user_id, user_name=session.user_name, room_id=session.room_id)

    @staticmethod
    def stream_reply(status: str, rest: Sequence[Any]) -> Stream:
        match status:
            case "gone":
                raise SessionUnknown("the session has ended")
            case "taken":
                raise StreamTaken("the stream id is held by another session")
            case "forbidden":
                raise StreamForbidden("the stream is forbidden by the operator")
            case "denied":
                raise UserDenied("publishing is denied by the operator")
            case "noroom":
                raise RoomUnknown("no such room")
            case "many":
                raise TooManyStreams("the session holds too many streams")
            case "unknown":
                raise StreamUnknown("no such stream on the air")
            case "foreign":
                raise NotOwner("the stream belongs to another session")
        return _stream.decode(rest[0])

    async def reserve(
        self, session: Session, stream_id: str, node_id: str | None, deadline: int, *, now: int
    ) -> tuple[Stream, tuple[Published, ...]]:
        status, published, rest = await self.run(
            "reserve", session.app_id, now, session.session_id, stream_id, node_id or "", self._node_id, deadline,
            self._stream_head(session, stream_id), self._limits.streams_per_session, session.client.address,
        )  # fmt: skip
        return self.stream_reply(status, rest), published

    async def publish(self, session: Session, stream_id: str, extra_info: str, *, now: int) -> tuple[Stream, tuple[Published, ...]]:
        status, published, rest = await self.run(
            "publish", session.app_id, now, session.session_id, stream_id, self._node_id,
            self._stream_head(session, stream_id), _encode(extra_info), self._limits.streams_per_session, session.client.address,
        )  # fmt: skip
        return self.stream_reply(status, rest), published

    async def update_stream(self, session: Session, stream_id: str, extra_info: str, *, now: int) -> tuple[Stream, tuple[Published, ...]]:
        status, published, rest = await self.run("update_stream", session.app_id, now, session.session_id, stream_id, _encode(extra_info))
        return self.stream_reply(status, rest), published

    async def unpublish(
        self, app_id: int, session_id: int | None, stream_id: str, reason: StreamEnd, *, now: int
    ) -> tuple[Stream | None, tuple[Published, ...]]:
        """``session_id`` None: whoever holds it (the operator's word)."""
        status, published, rest = await self.run("unpublish", app_id, now, session_id or "", stream_id, reason)
        return (None if status == "none" else self.stream_reply(status, rest)), published

    async def stream(self, app_id: int, stream_id: str) -> Stream | None:
        raw = await self._store.field_of(f"{app_prefix(app_id)}stream:{stream_id}", "json")
        return None if raw is None else _stream.decode(raw)

    # --- messages

    async def message(
        self, app_id: int, room_id: str, session_id: int | None, body: bytes, kind: str, *, look_for: Sequence[str] = (), now: int
    ) -> tuple[int, tuple[str, ...], tuple[Published, ...]]:
        """Publishes an event whose JSON members are ``body``. Returns its message id (0 = none) and which of ``look_for`` are not there."""
        status, published, rest = await self.run("message", app_id, now, room_id, session_id or "", body, kind, *look_for)
        if status == "gone":
            if session_id is None:
                raise RoomUnknown("no such room")
            raise SessionUnknown("the session has ended")
        return int(rest[0]), tuple(cast(bytes, name).decode() for name in rest[1]), published

    async def set_extra_info(self, session: Session, key: str, value: str, *, now: int) -> tuple[ExtraInfo, tuple[Published, ...]]:
        head = members(key=key, value=value, user_id=session.user_id, user_name=session.user_name, updated_at=now)
        status, published, rest = await self.run("extra", session.app_id, now, session.session_id, key, head, self._limits.extra_info_keys)
        if status == "gone":
            raise SessionUnknown("the session has ended")
        if status == "full":
            raise ExtraInfoRefused("key", f"a room has at most {self._limits.extra_info_keys}")
        return _extra.decode(rest[0]), published

    # --- operator

    async def kick(self, app_id: int, room_id: str, user_id: str, reason: EndReason, message: str, *, now: int) -> tuple[Published, ...]:
        status, published, _ = await self.run("kick", app_id, now, room_id, user_id, reason, _encode(message))
        if status == "noroom":
            raise RoomUnknown("no such room")
        if status == "nouser":
            raise UserUnknown("no such user in the room")
        return published

    async def close_room(self, app_id: int, room_id: str, message: str, *, told: bool, now: int) -> tuple[bool, tuple[Published, ...]]:
        """Returns False if there is more to do: call again. ``told``: with a room_close callback."""
        status, published, _ = await self.run("close_room", app_id, now, room_id, _encode(message), BATCH, int(told))
        if status == "noroom":
            raise RoomUnknown("no such room")
        return status == "ok", published

    async def rooms(self, app_id: int, limit: int, cursor: str, *, now: int) -> list[RoomInfo]:
        _, _, rest = await self.run("rooms", app_id, now, cursor, limit)
        return [
            RoomInfo(app_id, cast(bytes, room).decode(), int(lifetime), int(created), int(users), int(streams))
            for room, lifetime, created, users, streams in rest[0]
        ]

    async def users(self, app_id: int, room_id: str) -> list[User]:
        found = _users.decode(_joined(await self._store.values_of(f"{app_prefix(app_id)}users:{room_id}")))
        return sorted(found, key=lambda user: (user.joined_at, user.user_id))

    async def streams(self, app_id: int, room_id: str) -> list[Stream]:
        found = _streams.decode(_joined(await self._store.values_of(f"{app_prefix(app_id)}streams:{room_id}")))
        return sorted(found, key=lambda stream: (stream.created_at, stream.stream_sid))

    async def extra_info(self, app_id: int, room_id: str) -> list[ExtraInfo]:
        return list(_extras.decode(_joined(await self._store.values_of(f"{app_prefix(app_id)}extra:{room_id}"))))

    # --- upkeep

    async def catch_up(self, app_id: int, room_id: str, lifetime_id: int, rev: int, *, now: int) -> CatchUp:
        status, _, rest = await self.run("catch_up", app_id, now, room_id, lifetime_id, rev)
        match status:
            case "none":
                return CatchUp(same=lifetime_id == 0)
            case "same":
                return CatchUp(same=True)
            case "log":
                return CatchUp(payloads=tuple(rest[0]))
        lifetime, current, users, streams, extra = rest
        return CatchUp(
            lifetime_id=int(lifetime), rev=int(current), users=_users.decode(_joined(users)),
            streams=_streams.decode(_joined(streams)), extra=_extras.decode(_joined(extra)),
        )  # fmt: skip

    async def reap(self, app_id: int, *, now: int) -> tuple[int, tuple[Published, ...]]:
        """Carries out what is due; the count says whether to call again (``BATCH`` = probably)."""
        _, published, rest = await self.run("reap", app_id, now, BATCH)
        return int(rest[0]), published

    async def node_lost(self, app_id: int, holder: str, deadline: int, *, streams: bool, now: int) -> tuple[int, tuple[Published, ...]]:
        node_id = holder.rpartition("#")[0]
        _, published, rest = await self.run("node_lost", app_id, now, node_id, holder, deadline, BATCH, int(streams))
        return int(rest[0]), published

    async def renew_lease(self, info: NodeInfo, deadline: int, apps: Iterable[int], *, now: int) -> LeaseState:
        kept, dying, live, known = await self._store.run(
            script("lease"), NODES, now, self._node_id, self.holder, deadline, _encode(info), *apps
        )
        return LeaseState(
            kept == b"1", tuple(name.decode() for name in dying), tuple(name.decode() for name in live), tuple(int(app) for app in known)
        )

    async def bury(self, holder: str) -> None:
        await self._store.run(script("bury"), NODES, holder.rpartition("#")[0], holder)

    async def nodes(self) -> list[NodeInfo]:
        found = [_node.decode(raw) for raw in await self._store.values_of(f"{NODES}info")]
        return sorted(found, key=lambda node: node.node_id)
