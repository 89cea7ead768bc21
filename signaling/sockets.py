"""All sockets of one room dialect on this node: who is connected, which rooms they are told of, what was answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, Generic, Protocol, TypeVar

from rooms.model import Clock, Session, User
from signaling.connection import CLOSE_POLICY, Connection
from signaling.ports import Entered, Rooms
from signaling.refusals import Kind
from signaling.roster import Entry, Roster
from signaling.settings import ConnectionSettings

_SWEEP_SECONDS: Final = 5.0
_DRAIN_AT_ONCE: Final = 64
_REMEMBER_LOST: Final = 300_000
"""Milliseconds for which SDKs try to come back (``miniprogram-2.11.0.md`` §5)."""
_MOST_LOST: Final = 10_000
_RoomKey = tuple[int, str, int]

C = TypeVar("C", bound=Connection[Any, Any])


class InRoom(Protocol):
    """Something that belongs to a session: what a login returned, or a session on a connection."""

    @property
    def session(self) -> Session: ...


class Sockets(Generic[C, Entry]):
    """A dialect's ``serve`` makes a connection of each socket and gives it to ``_run``."""

    def __init__(self, *, rooms: Rooms, settings: ConnectionSettings, clock: Clock, listed: Callable[[User], Entry]) -> None:
        """``listed``: how the dialect's user list shows a member."""
        self._rooms = rooms
        self._clock = clock
        self._connection_settings = settings
        self._listed = listed
        self._connections: set[C] = set()
        self._rosters: dict[_RoomKey, Roster[Entry]] = {}
        self._lost: dict[int, tuple[int, list[Session]]] = {}
        """Multi-room logins whose connection is gone: when, and which sessions. By login id."""
        self._sweeper: asyncio.TimerHandle | None = None
        self.logins: Counter[Kind] = Counter()
        """Answered logins, for metrics."""
        self.requests: Counter[tuple[str, Kind]] = Counter()
        """Other answered requests by command, for metrics. Unknown commands count as ``"?"``."""
        self.on_answered: Callable[[str, int], None] | None = None
        """Told the command and the milliseconds of each request that had to wait for something, for metrics."""
        self._frames_of_closed = 0

    @property
    def connections(self) -> int:
        return len(self._connections)

    @property
    def pushes(self) -> int:
        """Frames sent that answered nothing, since the start."""
        frames = self._frames_of_closed + sum(connection.frames_sent for connection in self._connections)
        return frames - self.logins.total() - self.requests.total()

    @property
    def sessions(self) -> int:
        return sum(len(connection.sessions) for connection in self._connections)

    async def _run(self, connection: C) -> None:
        self._connections.add(connection)
        if self._sweeper is None:
            self._sweep()
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
            self._frames_of_closed += connection.frames_sent

    async def drain(self) -> None:
        """The node stops: answer what has been received, leave the sessions to the grace period, close the sockets (1012).

        Call it after ``RoomService.begin_drain`` and before the web server closes its connections.
        """
        # Frames that are in the web server's hands already are read while this yields; heartbeats are answered at once.
        for _ in range(10):
            await asyncio.sleep(0)
        waiting = list(self._connections)
        while waiting:
            some, waiting = waiting[:_DRAIN_AT_ONCE], waiting[_DRAIN_AT_ONCE:]
            await asyncio.gather(*(connection.drain() for connection in some))

    def close_idle(self) -> None:
        """Close connections that have had no session for too long. One look at all of them instead of a timer for each."""
        deadline = self._clock() - self._connection_settings.login_timeout
        for connection in self._connections:
            if not connection.sessions and not connection.logging_in and connection.idle_since <= deadline:
                connection.close_soon(CLOSE_POLICY, "no login")
        forgotten = self._clock() - _REMEMBER_LOST
        for login_id in [login_id for login_id, (at, _) in self._lost.items() if at <= forgotten]:
            del self._lost[login_id]

    # --- what logins, connections and commands use

    def roster(self, entered: Entered) -> Roster[Entry]:
        """The roster of the room that was entered; given back by ``session_gone``."""
        key = _room_key(entered)
        roster = self._rosters.get(key)
        if roster is None:
            roster = self._rosters[key] = Roster(entered.view, self._connection_settings.user_notify_limit, self._listed)
        roster.receivers += 1
        return roster

    def session_gone(self, session: InRoom) -> None:
        key = _room_key(session)
        roster = self._rosters.get(key)
        if roster is not None:
            roster.receivers -= 1
            if roster.receivers == 0:
                del self._rosters[key]

    def lost(self, sessions: list[Session]) -> None:
        if len(sessions) > 1 and len(self._lost) < _MOST_LOST:
            self._lost[sessions[0].login_id] = self._clock(), sessions

    def take_lost(self, login_id: int) -> list[Session]:
        """The sessions that this login lost together on one connection of this node. They are given out once."""
        return self._lost.pop(login_id, (0, []))[1]

    def logged_in(self, kind: Kind) -> None:
        """A login was answered."""
        self.logins[kind] += 1

    def command(self, name: str, kind: Kind) -> None:
        """Any other request was answered."""
        self.requests[name, kind] += 1

    def answered(self, name: str, milliseconds: int) -> None:
        """A request that had to wait was answered so long after it came."""
        if self.on_answered is not None:
            self.on_answered(name, milliseconds)

    def _sweep(self) -> None:
        self._sweeper = None
        if self._connections:
            self.close_idle()
            self._sweeper = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)


def _room_key(holder: InRoom) -> _RoomKey:
    return holder.session.app_id, holder.session.room_id, holder.session.room_lifetime_id
