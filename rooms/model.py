"""What the domain is made of: users, sessions, streams, messages, as plain values.

All times are epoch milliseconds (``int``). All ids that a server makes (session, login, room lifetime, stream sid, message)
are integers below 2**53, the range in which Lua and JavaScript are exact. ``session_id`` and ``media_key`` are secrets:
they authorise media, so they are never logged.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Literal

import msgspec

Clock = Callable[[], int]
"""Returns the current time in epoch milliseconds. Nothing in the house reads a clock of its own."""

ClientKind = Literal["web", "miniprogram", "native", "server", "unknown"]


class Client(msgspec.Struct, frozen=True):
    """The program at the other end of a connection, as it describes itself, and where it comes from."""

    kind: ClientKind = "unknown"
    version: str = ""
    """SDK version as sent, e.g. ``"2.14.0"``."""
    address: str = ""
    """Client IP address, behind trusted proxies the one they forwarded."""


class Grant(msgspec.Struct, frozen=True):
    """What the token of a session allows. Made by ``calls`` from a verified token; ``rooms`` only keeps it with the session."""

    expires_at: int = 0
    """Epoch milliseconds; 0 = never."""
    may_publish: bool = True
    stream_ids: tuple[str, ...] | None = None
    """The only stream ids that may be published; None = any."""
    auth_level: int = 0
    """The token's version, 1 to 4; 0 = there was no token. For the room_login callback (``zego-cloud.md`` §3.2)."""


class User(msgspec.Struct, frozen=True):
    """A member of a room, as the others see it."""

    user_id: str
    user_name: str
    role: int
    joined_at: int
    session_id: int
    """Kept inside the cluster, never sent to other clients."""


class Session(msgspec.Struct, frozen=True):
    """A user in a room. Outlives its socket: see ``RoomService.detach`` and ``LoginRequest.resume``."""

    app_id: int
    room_id: str
    user_id: str
    user_name: str
    role: int
    session_id: int
    login_id: int
    """One per live login of the user in the App; shared by all rooms entered on one connection (multi-room)."""
    room_lifetime_id: int
    """Rises with each new life of the room; stable while the room lives."""
    media_key: str
    """Random secret that authorises the media sockets and URLs of this session."""
    client: Client
    grant: Grant
    node_id: str
    """The node that holds the session (its connection, or its last one)."""
    joined_at: int
    attachment: int
    """Rises each time a connection takes the session over."""


class Stream(msgspec.Struct, frozen=True):
    """A stream that is reserved or on the air in a room. ``stream_id`` is unique in the whole App."""

    stream_id: str
    stream_sid: int
    user_id: str
    user_name: str
    room_id: str
    session_id: int
    node_id: str
    """The node whose media plane holds it."""
    extra_info: str
    on_air: bool
    created_at: int
    version: int
    """1 when it goes on the air, +1 with each change of ``extra_info``."""


class ExtraInfo(msgspec.Struct, frozen=True):
    """One room attribute (``setRoomExtraInfo``)."""

    key: str
    value: str
    seq: int
    """Version of this key, rising by one."""
    user_id: str
    user_name: str
    updated_at: int


class NodeInfo(msgspec.Struct, frozen=True):
    """A ``hearth serve`` process, how it is reached and, as it last reported with its lease, how busy it is."""

    node_id: str
    ws_url: str
    """WebSocket base URL of this very node, e.g. ``wss://rtc1.example.org``; empty = same host as the client used."""
    rtmp_url: str = ""
    media_addresses: tuple[str, ...] = ()
    started_at: int = 0
    version: str = ""
    draining: bool = False
    sessions: int = 0
    streams: int = 0
    """On the air on this node."""


class RoomInfo(msgspec.Struct, frozen=True):
    """A room as an operator lists it."""

    app_id: int
    room_id: str
    lifetime_id: int
    created_at: int
    user_count: int
    stream_count: int


class Policy(msgspec.Struct, frozen=True):
    """The rules of one App that the registry enforces."""

    max_room_users: int = 0
    """0 = unlimited. The first user's ``maxMemberCount`` counts too; the smaller one wins."""
    multi_room: bool = True
    max_rooms_per_user: int = 5


class RuleType(enum.IntEnum):
    """What a rule about users looks at (``zego-cloud.md`` §2.4, SetForbidUserRule)."""

    ADDRESS = 1
    ROOM = 2
    USER = 3
    USER_IN_ROOM = 4


class UserRule(msgspec.Struct, frozen=True):
    """Denies logging in or publishing for a time. Counts at the next login or publish, never interrupts what runs."""

    type: RuleType
    ip: str = ""
    room_id: str = ""
    user_id: str = ""
    deny_login: bool = False
    """Denies publishing, too."""
    deny_publish: bool = False
    expires_at: int = 0


class StreamRule(msgspec.Struct, frozen=True):
    """Sound or picture of a stream in a room, stopped at the server for a time."""

    room_id: str
    stream_id: str
    mute_audio: bool = False
    mute_video: bool = False
    created_at: int = 0
    expires_at: int = 0


class StreamState(msgspec.Struct, frozen=True):
    """Life of a stream on the air, epoch ms."""

    created_at: int
    closed_at: int
    """0 = it is live."""

    @property
    def live(self) -> bool:
        return self.closed_at == 0


class Verdict(msgspec.Struct, frozen=True):
    """What the operator says about a stream now."""

    forbidden: bool = False
    audio_muted_until: int = 0


class Timings(msgspec.Struct, frozen=True):
    """All deadlines, in milliseconds (``[store]`` in ``hearth.toml``)."""

    grace: int = 90_000
    """How long a session waits for its client after its socket is lost."""
    session_timeout: int = 100_000
    """A session whose client sent nothing for so long is ended, socket open or not."""
    empty_room: int = 0
    """How long a room's lifetime outlives its last user."""
    reservation: int = 30_000
    """How long a stream id is held for its owner before it goes on the air."""
    node_lease: int = 15_000


class LoginRequest(msgspec.Struct, frozen=True):
    """A verified wish to be in a room. Ids are checked by ``RoomService.login``, tokens before it (``calls``)."""

    app_id: int
    room_id: str
    user_id: str
    user_name: str
    client: Client
    grant: Grant = Grant()
    role: int = 2
    max_users: int = 0
    """``maxMemberCount`` of ``loginRoom``; 0 = unlimited. Only the first user's value counts."""
    multi_room: bool = False
    login_id: int = 0
    """0 = a login of its own (ends the user's other login); else enter a further room on that login (multi-room)."""
    resume: int = 0
    """Session id that the client believes to hold; 0 = none. Unknown or expired: the login goes on as a new session."""
