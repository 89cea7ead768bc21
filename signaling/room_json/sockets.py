"""All room sockets of a node."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from rooms.model import Clock, Session
from signaling.room_json.commands import Commands
from signaling.room_json.connection import CLOSE_POLICY, RoomConnection
from signaling.room_json.login import Logins
from signaling.room_json.ports import Calls, Entered, Rooms
from signaling.room_json.requests import BODIES, Request
from signaling.room_json.room_session import RoomSession
from signaling.room_json.roster import Roster
from signaling.room_json.settings import RoomSocketSettings
from signaling.socket import SocketLike

_SWEEP_SECONDS: Final = 5.0
_DRAIN_AT_ONCE: Final = 64
_REMEMBER_LOST: Final = 300_000
"""Milliseconds for which SDKs try to come back (``miniprogram-2.11.0.md`` §5)."""
_MOST_LOST: Final = 10_000
_RoomKey = tuple[int, str, int]


class RoomSockets:
    """The JSON room dialect of one node: give each WebSocket on ``/ws`` to ``serve``."""

    def __init__(self, *, calls: Calls, rooms: Rooms, settings: RoomSocketSettings, clock: Clock) -> None:
        self._rooms = rooms
        self._settings = settings
        self._clock = clock
        self._connections: set[RoomConnection] = set()
        self._rosters: dict[_RoomKey, Roster] = {}
        self._lost: dict[int, tuple[int, list[Session]]] = {}
        """Multi-room logins whose connection is gone: when, and which sessions. By login id."""
        self._sweeper: asyncio.TimerHandle | None = None
        self.logins: Counter[int] = Counter()
        """Answered logins by ``err_code``, for metrics."""
        self.requests: Counter[tuple[str, int]] = Counter()
        """Other answered requests by command and ``err_code``, for metrics. Unknown commands count as ``"?"``."""
        self.on_answered: Callable[[str, int], None] | None = None
        """Told the command and the milliseconds of each request that had to wait for something, for metrics."""
        self._frames_of_closed = 0
        logins = Logins(calls, self, settings=settings, clock=clock)
        self._commands = Commands(calls, rooms, logins, settings=settings, clock=clock, hooks=self)

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

    async def serve(self, socket: SocketLike, *, client_address: str, base_url: str) -> None:
        """Accept and serve one socket until it is closed by either side.

        ``client_address``: the client's IP address. ``base_url``: ``ws://host:port`` as the client used it.
        """
        connection = RoomConnection(
            socket,
            client_address=client_address,
            base_url=base_url,
            commands=self._commands,
            registry=self,
            rooms=self._rooms,
            settings=self._settings,
            clock=self._clock,
        )
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
        deadline = self._clock() - self._settings.login_timeout
        for connection in self._connections:
            if not connection.sessions and not connection.logging_in and connection.idle_since <= deadline:
                connection.close_soon(CLOSE_POLICY, "no login")
        forgotten = self._clock() - _REMEMBER_LOST
        for login_id in [login_id for login_id, (at, _) in self._lost.items() if at <= forgotten]:
            del self._lost[login_id]

    # --- login.Rosters, connection.Registry, commands.Hooks

    def roster(self, session: RoomSession, entered: Entered) -> Roster:
        key = _room_key(entered)
        roster = self._rosters.get(key)
        if roster is None:
            roster = self._rosters[key] = Roster(entered.view, self._settings.user_notify_limit)
        roster.receivers += 1
        return roster

    def session_gone(self, session: RoomSession) -> None:
        key = _room_key(session)
        roster = self._rosters.get(key)
        if roster is not None:
            roster.receivers -= 1
            if roster.receivers == 0:
                del self._rosters[key]

    def lost(self, connection: RoomConnection, sessions: list[RoomSession]) -> None:
        if len(sessions) > 1 and len(self._lost) < _MOST_LOST:
            self._lost[sessions[0].session.login_id] = self._clock(), [session.session for session in sessions]

    def take_lost(self, login_id: int) -> list[Session]:
        return self._lost.pop(login_id, (0, []))[1]

    def logged_in(self, code: int) -> None:
        self.logins[code] += 1

    def command(self, cmd: str, code: int) -> None:
        self.requests[_known(cmd), code] += 1

    def answered(self, request: Request, milliseconds: int) -> None:
        if self.on_answered is not None:
            self.on_answered(_known(request.header.cmd), milliseconds)

    def _sweep(self) -> None:
        self._sweeper = None
        if self._connections:
            self.close_idle()
            self._sweeper = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)


def _known(cmd: str) -> str:
    """Clients invent no names of metrics."""
    return cmd if cmd in BODIES else "?"


def _room_key(holder: Entered | RoomSession) -> _RoomKey:
    return holder.session.app_id, holder.session.room_id, holder.session.room_lifetime_id
