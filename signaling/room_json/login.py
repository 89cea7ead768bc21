"""``login`` and ``enter``: a connection gets a session, new or resumed (``miniprogram-2.11.0.md`` §3–§5, §12)."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec
import structlog

from calls.service import EnterRequest
from rooms.errors import SessionEnded
from rooms.events import EndReason
from rooms.model import Client, ClientKind, Clock, Session
from signaling.ports import Calls, Entered, View
from signaling.refusals import Kind, Refusal, Refused
from signaling.room_json.codec import encode_body, header_tail, response_head
from signaling.room_json.connection import RoomConnection
from signaling.room_json.pushes import KICK_REASONS, KICKOUT, KickReason, kickout_body
from signaling.room_json.replies import ChannelVersions, ConfigInfo, KeyVersion, ListedUser, LoginReply
from signaling.room_json.requests import ClientType, Header, LoginBody
from signaling.room_json.room_session import JsonRoomSession
from signaling.room_json.settings import RoomSocketSettings
from signaling.roster import Roster
from signaling.wire_state import Told, read_told

log = structlog.get_logger()

_KINDS: Final[dict[int, ClientKind]] = {ClientType.MINIPROGRAM: "miniprogram", ClientType.WEB: "web"}
_MULTI_ROOM: Final = 3
"""``login_logic`` of an engine with ``enableMultiRoom(true)``."""
_NO_SESSION: Final = ("", "0")


class Rosters(Protocol):
    """Where the rosters of the node are (``sockets.Sockets``)."""

    def roster(self, entered: Entered) -> Roster[ListedUser]:
        """The roster of the room that was entered; given back by ``session_gone``."""

    def take_lost(self, login_id: int) -> list[Session]:
        """The sessions that this login lost together on one connection of this node. They are given out once."""


class Logins:
    """One for all connections of a node."""

    def __init__(self, calls: Calls, rosters: Rosters, *, settings: RoomSocketSettings, clock: Clock) -> None:
        self._calls = calls
        self._rosters = rosters
        self._settings = settings
        self._clock = clock

    async def login(self, connection: RoomConnection, header: Header, body: LoginBody) -> None:
        """Enter the room and answer. Raises what ``errors.code_for`` knows.

        Accepted on a connection that is logged in already: an SDK whose heartbeats stay unanswered does that (§4).
        """
        connection.client = Client(_KINDS.get(body.client_type, "unknown"), body.version, connection.client.address)
        request = self._request(connection, header, body)
        session = JsonRoomSession(connection, self._calls, wants_users=body.user_state_flag == 1, now=self._clock())
        connection.logging_in = True
        before = list(connection.sessions.values())
        for other in before:
            other.replaced_here = True
        try:
            entered = await self._calls.login(request, session)
        except SessionEnded as ended:
            self._answer_ended(connection, header, body, ended)
            return
        finally:
            connection.logging_in = False
            for other in before:
                other.replaced_here = False
        # No await from here to the answer: later events reach the session synchronously.
        self._answer(connection, header, body, session, entered)
        if entered.resumed and header.cmd == "login":
            await self._take_over_further_rooms(connection, request, entered.session)

    async def _take_over_further_rooms(self, connection: RoomConnection, request: EnterRequest, main: Session) -> None:
        """After a quick reconnect a multi-room SDK logs in to its first room only, and believes to be in the others (§15 no. 17).

        Messages and streams of those go on at once. Their next heartbeat makes the SDK enter them (1000000105), and so fetch the user
        list. If the connection was lost on another node only that happens.
        """
        for other in self._rosters.take_lost(main.login_id):
            if str(other.session_id) in connection.sessions:
                continue
            session = JsonRoomSession(connection, self._calls, wants_users=True, now=self._clock())
            session.enter_due = True
            wish = msgspec.structs.replace(
                request, room_id=other.room_id, role=other.role, login_id=main.login_id, resume=other.session_id, multi_room=True
            )
            connection.logging_in = True
            try:
                entered = await self._calls.login(wish, session)
            except Refusal as refused:
                # Its token may be for one room only. The heartbeat of that room settles it.
                log.info("further_room_not_resumed", room_id=other.room_id, user_id=other.user_id, error=type(refused).__name__)
                continue
            finally:
                connection.logging_in = False
            if not entered.resumed:
                # It ended meanwhile. The client learns that when it enters.
                await self._calls.leave(entered.session, False)
                continue
            told = self._open(connection, session, entered)
            if connection.client.kind == "miniprogram":
                session.catch_up(told)
            session.flush()

    def _request(self, connection: RoomConnection, header: Header, body: LoginBody) -> EnterRequest:
        held = next(iter(connection.sessions.values()), None)
        if held is None and header.cmd == "enter":
            raise Refused(Kind.WRONG_STATE, "log in first")
        if held is not None and (held.session.app_id, held.session.user_id) != (header.appid, body.id_name):
            raise Refused(Kind.WRONG_STATE, "this connection is another user's")
        room_id = header.room_id or ""
        multi_room = body.login_logic == _MULTI_ROOM
        resume = _session_number(header)
        if not resume and multi_room:
            # The answer to the first try was lost: the SDK tries again on the same socket (§3.3).
            resume = next((other.session.session_id for other in connection.sessions.values() if other.session.room_id == room_id), 0)
        return EnterRequest(
            app_id=header.appid,
            room_id=room_id,
            user_id=body.id_name,
            user_name=body.nick_name or body.id_name,
            token=body.token,
            client=connection.client,
            role=body.role,
            max_users=body.user_count_limit,
            multi_room=multi_room,
            login_id=held.session.login_id if held is not None and (multi_room or header.cmd == "enter") else 0,
            resume=resume,
        )

    def _answer(self, connection: RoomConnection, header: Header, body: LoginBody, session: JsonRoomSession, entered: Entered) -> None:
        settings = self._settings
        now = self._clock()
        told = self._open(connection, session, entered)
        keeps_lists = _keeps_lists(connection.client, header)
        if not keeps_lists:
            session.lists_in_answer()
        reply = LoginReply(
            user_id=session.issued_user_id,
            session_id=session.session_id,
            room_session_id=str(entered.session.room_lifetime_id),
            hearbeat_interval=settings.heartbeat_interval,
            ret_timestamp=str(now),
            token_remain_time=self._calls.token_remaining(entered.session),
            config_info=ConfigInfo(settings.log_url),
            online_count=session.online_count,
            trans_seqs=versions(entered.view),
            server_user_seq=session.wire.user_seq,
            stream_seq=session.wire.stream_seq,
            stream_info=session.all_streams(),
        )
        session.answer(response_head(header.cmd, header.seq), encode_body(reply))
        connection.settle_login(session.session_id, asks_at_once=body.user_state_flag == 1)
        if keeps_lists:
            session.catch_up(told)
        session.flush()
        log.debug(
            "room_login",
            app_id=entered.session.app_id,
            room_id=entered.session.room_id,
            user_id=entered.session.user_id,
            client=connection.client.kind,
            version=connection.client.version,
            resumed=entered.resumed,
            address=connection.client.address,
        )

    def _open(self, connection: RoomConnection, session: JsonRoomSession, entered: Entered) -> Told | None:
        """Returns what the client was told before, if that is known."""
        told = read_told(entered.told) if entered.resumed else None
        tracks = connection.client.kind == "miniprogram"
        session.open(entered.session, entered.view, self._rosters.roster(entered), told, tracks=tracks)
        connection.attach(session)
        return told

    def _answer_ended(self, connection: RoomConnection, header: Header, body: LoginBody, ended: SessionEnded) -> None:
        """The client comes back to a session that was ended on purpose: by another login of its user, a kick, a closed room.

        No refusal of a re-login tells an app so: SDKs show the raw code, or try for 300 s (§13.2). So the answer is a success, with
        the ids that the client has, and the kick that it missed follows: ``DISCONNECTED`` 1002050 or 1002055.
        """
        reason = KICK_REASONS[ended.reason]
        if reason is KickReason.TOKEN_EXPIRED:
            raise Refused(Kind.TOKEN_EXPIRED, "the token expired")
        user_id, session_id, room_session_id = header.user_id or "", header.session_id or "", header.room_session_id or ""
        tail = header_tail(header.appid, user_id, session_id, header.room_id or "", room_session_id)
        reply = LoginReply(
            user_id=user_id,
            session_id=session_id,
            room_session_id=room_session_id,
            hearbeat_interval=self._settings.heartbeat_interval,
            ret_timestamp=str(self._clock()),
            token_remain_time=0,
            config_info=ConfigInfo(self._settings.log_url),
            online_count=0,
            trans_seqs=[],
            server_user_seq=0,
            stream_seq=0,
            stream_info=[],
        )
        connection.send(f"{response_head(header.cmd, header.seq)}{tail}{encode_body(reply)}}}")
        connection.settle_login(session_id, asks_at_once=body.user_state_flag == 1)
        only_this_room = header.cmd == "enter" and ended.reason is not EndReason.REPLACED
        connection.send(f"{KICKOUT}{tail}{kickout_body(reason, ended.message, session_id, only_this_room=only_this_room)}")
        log.info("room_login_after_kick", app_id=header.appid, room_id=header.room_id, reason=ended.reason)


def versions(view: View) -> list[ChannelVersions]:
    """``trans_seqs``: the newest version of each room attribute; the client fetches what it does not have (§9.4)."""
    if not view.extra:
        return []
    return [ChannelVersions("clt", [KeyVersion(info.key, info.seq) for info in view.extra.values()])]


def _session_number(header: Header) -> int:
    """The session that the client believes to hold; 0 = none. Something that no server of this house made counts as an expired one."""
    text = header.session_id or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else 0


def _keeps_lists(client: Client, header: Header) -> bool:
    """Whether the client has a stream list that the one in the login answer does not replace.

    Mini-program SDK 2.11.0 takes that list only for a room it does not know (§15 no. 2). It knows the room if it had a session there,
    and also when it goes on with session "0" after a refused re-login (§13.2): then it still names its old user_id. In ``enter`` it
    always names one, that of the first room. Web SDKs take the list always (``web-1x-2x.md`` §9).
    """
    if client.kind != "miniprogram":
        return False
    if (header.session_id or "") not in _NO_SESSION:
        return True
    return header.cmd == "login" and bool(header.user_id)
