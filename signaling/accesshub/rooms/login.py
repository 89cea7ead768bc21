"""``LoginRoom`` and ``EnterRoom``: a connection gets a session, new or resumed (``sdk-3x.md`` §5.1, §5.2)."""

from __future__ import annotations

from typing import Final, Protocol, TypedDict

import structlog

from calls.service import EnterRequest
from rooms.errors import SessionEnded
from rooms.events import EndReason
from rooms.model import Client, ClientKind, Clock
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.rooms import pushes
from signaling.accesshub.rooms.codec import Address, encode_answer
from signaling.accesshub.rooms.errors import Code
from signaling.accesshub.rooms.replies import EXTRA_INFO_CHANNEL, list_seq, stream_fields
from signaling.accesshub.rooms.session import HubRoomSession
from signaling.accesshub.services import Channel
from signaling.accesshub.settings import HubSettings
from signaling.accesshub.varints import varint5
from signaling.ports import Calls, Entered
from signaling.refusals import Kind, Refused
from signaling.roster import Roster
from signaling.user_number import user_number
from signaling.wire_state import read_told

log = structlog.get_logger()

_WEB, _MINIPROGRAM = 6, 7
_KINDS: Final[dict[int, ClientKind]] = {_WEB: "web", _MINIPROGRAM: "miniprogram"}
_MULTI_ROOM: Final = 3
"""``login_logic`` of an engine with several rooms."""
_USER_LIST_INTERVAL: Final = 30_000
_MERGE_TIMEOUT: Final = 1_000
_HEARTBEAT_MERGE_TIMEOUT: Final = 2_000
_FULL: Final = 0xFFFFFFFF


class Rosters(Protocol):
    """Where the rosters of the node are (``sockets.Sockets``)."""

    def roster(self, entered: Entered) -> Roster[pb.LrUserBaseInfo]:
        """The roster of the room that was entered; given back by ``session_gone``."""


class _LoginFields(TypedDict, total=False):
    """What the answers to both have in common."""

    user_session_id: int
    room_session_id: int
    user_id: int
    ret_timestamp: int
    liveroom_hb_interval: int
    liveroom_hb_timeout: int
    userlist_merge_timeout: int
    userlist_interval: int
    stream_list_push_merge_timeout: int
    stream_list_hb_merge_timeout: int
    online_count: int
    token_remain_time: int
    trans_list_seq: int
    stream_count: int
    stream_list_seq: int


class Logins:
    """One for all connections of a node."""

    def __init__(self, calls: Calls, rosters: Rosters, *, settings: HubSettings, clock: Clock) -> None:
        self._calls = calls
        self._rosters = rosters
        self._settings = settings
        self._clock = clock
        # Not the same again on a client's next socket: SDKs would take pushes that follow a login for ones of before it, while they keep
        # those with a key that they do not know yet until they have handled the answer.
        self._last_key = clock() // 1000 & _FULL

    async def login(self, channel: Channel, address: Address, body: pb.SwLoginRoomReq) -> None:
        """The first room of a client, or its only one. Raises what ``errors.code_for`` knows."""
        hub = channel.hub
        held = next(iter(hub.sessions.values()), None)
        user_id = body.id_name.decode()
        if held is not None and (held.session.app_id, held.session.user_id) != (body.app_id, user_id):
            raise Refused(Kind.WRONG_STATE, "this connection is another user's")
        hub.client = Client(_KINDS.get(body.term_type, "unknown"), _version(body.sdk_version), hub.client.address)
        multi_room = body.login_logic == _MULTI_ROOM
        request = EnterRequest(
            app_id=body.app_id,
            room_id=body.room_id.decode(),
            user_id=user_id,
            user_name=body.nick_name.decode() or user_id,
            token=body.third_token.decode(),
            client=hub.client,
            role=body.role,
            max_users=body.user_count_limit,
            multi_room=multi_room,
            login_id=held.session.login_id if held is not None and multi_room else 0,
            resume=body.user_session_id,
        )
        await self._enter(channel, address, request, wants_users=body.user_state_flag == 1)

    async def enter(self, channel: Channel, address: Address, body: pb.LrEnterRoomReq) -> None:
        """A further room of a client with several. Raises as ``login``."""
        hub = channel.hub
        held = next(iter(hub.sessions.values()), None)
        if held is None:
            raise Refused(Kind.SESSION_UNKNOWN, "log in first")
        request = EnterRequest(
            app_id=held.session.app_id,
            room_id=body.room_id.decode(),
            user_id=held.session.user_id,
            user_name=held.session.user_name,
            token=body.third_token.decode(),
            client=hub.client,
            role=body.role,
            max_users=body.user_count_limit,
            multi_room=True,
            login_id=held.session.login_id,
            resume=body.user_session_id,
        )
        await self._enter(channel, address, request, wants_users=body.user_state_flag == 1)

    async def _enter(self, channel: Channel, address: Address, request: EnterRequest, *, wants_users: bool) -> None:
        hub = channel.hub
        self._last_key = self._last_key % _FULL + 1
        session = HubRoomSession(channel, context_key=self._last_key, wants_users=wants_users, clock=self._clock)
        before = list(hub.sessions.values())
        hub.logging_in = True
        for other in before:
            other.replaced_here = True
        try:
            entered = await self._calls.login(request, session)
        except SessionEnded as ended:
            self._answer_ended(channel, address, request, ended, session.key)
            return
        finally:
            hub.logging_in = False
            for other in before:
                other.replaced_here = False
        # No await from here to the answer: later events reach the session synchronously.
        session.open(entered.session, entered.view, self._rosters.roster(entered), read_told(entered.told) if entered.resumed else None)
        session.lists_in_answer()
        hub.attach(session)
        channel.send(encode_answer(address, self._answer(address, session, entered), self._clock(), context_key=session.key))
        session.flush()
        log.debug(
            "room_login",
            app_id=request.app_id,
            room_id=request.room_id,
            user_id=request.user_id,
            client=hub.client.kind,
            version=hub.client.version,
            resumed=entered.resumed,
            address=hub.client.address,
        )

    def _answer(self, address: Address, session: HubRoomSession, entered: Entered) -> pb.SwLoginRoomRsp | pb.LrEnterRoomRsp:
        member = entered.session
        streams = [stream_fields(stream) for stream in session.streams_on_air()]
        common = self._common(member.app_id, member.user_id) | _LoginFields(
            user_session_id=member.session_id,
            room_session_id=member.room_lifetime_id,
            online_count=session.online_count,
            token_remain_time=self._calls.token_remaining(member),
            trans_list_seq=list_seq(entered.view),
            stream_count=len(streams),
            stream_list_seq=session.wire.stream_seq,
        )
        versions = [(info.key.encode(), info.seq) for info in entered.view.extra.values()]
        user_id, user_name = member.user_id.encode(), member.user_name.encode()
        if address.command == _LOGIN:
            return pb.SwLoginRoomRsp(
                **common,
                rsp_head=pb.SwRspHead(),
                switch_session_id=member.login_id,
                relogin_token=str(member.session_id).encode(),
                anchor_info=pb.SwAnchorInfo(id_name=user_id, user_id=common["user_id"], nick_name=user_name),
                stream_info_list=[pb.SwStreamInfo(**fields) for fields in streams],
                trans_channel_list=[
                    pb.SwTransChannel(
                        trans_channel=EXTRA_INFO_CHANNEL,
                        trans_seq_list=[pb.SwTransSeq(trans_type=key, trans_seq=seq) for key, seq in versions],
                    )
                ]
                if versions
                else [],
            )
        return pb.LrEnterRoomRsp(
            **common,
            rsp_head=pb.LrRspHead(),
            anchor_info=pb.LrAnchorInfo(id_name=user_id, user_id=common["user_id"], nick_name=user_name),
            stream_info_list=[pb.LrStreamInfo(**fields) for fields in streams],
            trans_channel_list=trans_channels(versions),
        )

    def _common(self, app_id: int, user_id: str) -> _LoginFields:
        return _LoginFields(
            user_id=user_number(app_id, user_id),
            ret_timestamp=self._clock(),
            liveroom_hb_interval=self._settings.heartbeat_interval,
            liveroom_hb_timeout=self._settings.heartbeat_timeout,
            userlist_merge_timeout=_MERGE_TIMEOUT,
            userlist_interval=_USER_LIST_INTERVAL,
            stream_list_push_merge_timeout=_MERGE_TIMEOUT,
            stream_list_hb_merge_timeout=_HEARTBEAT_MERGE_TIMEOUT,
        )

    def _answer_ended(self, channel: Channel, address: Address, request: EnterRequest, ended: SessionEnded, context_key: int) -> None:
        """The client comes back to a session that was ended on purpose: by another login of its user, a kick, a closed room.

        A refusal says only that (50013, 1002050). A kick by the operator and its text are told as they were missed: behind a success.
        """
        reason = pushes.KICK_REASONS[ended.reason]
        if reason is pushes.KickReason.TOKEN_EXPIRED:
            raise Refused(Kind.TOKEN_EXPIRED, "the token expired")
        log.info("room_login_after_kick", app_id=request.app_id, room_id=request.room_id, reason=ended.reason)
        if ended.reason is EndReason.REPLACED:
            code = pb.SwRspHead(code=Code.KICKED, message="logged in elsewhere")
            channel.send(encode_answer(address, pb.SwLoginRoomRsp(rsp_head=code), self._clock()))
            return
        fields = self._common(request.app_id, request.user_id) | _LoginFields(user_session_id=request.resume)
        if address.command == _LOGIN:
            answer: pb.SwLoginRoomRsp | pb.LrEnterRoomRsp = pb.SwLoginRoomRsp(
                **fields, rsp_head=pb.SwRspHead(), anchor_info=pb.SwAnchorInfo()
            )
        else:
            answer = pb.LrEnterRoomRsp(**fields, rsp_head=pb.LrRspHead(), anchor_info=pb.LrAnchorInfo())
        now = self._clock()
        channel.send(encode_answer(address, answer, now, context_key=context_key))
        push = pushes.kicked_from_room(request.user_id, request.resume, reason, ended.message, now)
        stream = channel.stream.to_bytes(4)
        channel.send_frame(b"".join((push.before, stream, push.between, varint5(context_key), push.after)))


_LOGIN: Final = 1001


def trans_channels(versions: list[tuple[bytes, int]]) -> list[pb.LrTransChannel]:
    """The newest version of each room attribute; the client fetches what it does not have."""
    if not versions:
        return []
    entries = [pb.LrTransSeq(trans_type=key, trans_seq=seq) for key, seq in versions]
    return [pb.LrTransChannel(trans_channel=EXTRA_INFO_CHANNEL, trans_seq_list=entries)]


def _version(number: int) -> str:
    """``sdk_version`` 0x60300C00 is web 3.12.0, 0x70300600 mini-program 3.6.0."""
    return f"{number >> 20 & 0xFF}.{number >> 8 & 0xFFF}.{number & 0xFF}" if number else ""
