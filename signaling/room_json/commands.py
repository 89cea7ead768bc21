"""What is done with each request (``miniprogram-2.11.0.md`` §3–§12)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
import structlog

from rooms.errors import Draining, RateLimited, SessionUnknown
from rooms.model import Clock
from signaling.connection import CLOSE_RESTART
from signaling.custom_command import check_command
from signaling.ports import Calls, Rooms
from signaling.refusals import Kind, Refusal, Refused, is_retryable, kind_of
from signaling.room_json.codec import decode_stream_message, encode_body, header_tail, response_head
from signaling.room_json.connection import RoomConnection
from signaling.room_json.errors import Code, code_for
from signaling.room_json.login import Logins, versions
from signaling.room_json.pushes import extra_info_entry, stream_entry
from signaling.room_json.replies import (
    BarrageReply,
    BizChannelReply,
    BroadcastReply,
    FetchedExtraInfo,
    FetchExtraInfoReply,
    HeartbeatReply,
    RenewTokenReply,
    Reply,
    SentBarrage,
    SetExtraInfoReply,
    StreamName,
    StreamPublishReply,
    StreamReply,
    StreamUrlReply,
    StreamUrls,
    WebrtcUrlRefusal,
    WebrtcUrlReply,
)
from signaling.room_json.requests import (
    BODIES,
    BarrageBody,
    BizChannelBody,
    BroadcastBody,
    CustomCommandBody,
    FetchExtraInfoBody,
    Header,
    HeartbeatBody,
    LeaveBody,
    LoginBody,
    PushOrPull,
    RenewTokenBody,
    Request,
    SetExtraInfoBody,
    StreamBody,
    StreamCommand,
    StreamInfoBody,
    StreamPublishBody,
    StreamUrlBody,
    UserListBody,
    WebrtcUrlBody,
)
from signaling.room_json.room_session import JsonRoomSession
from signaling.room_json.settings import RoomSocketSettings

log = structlog.get_logger()

RETRY_DELAY_MS = 2_000
"""After which web 2.x asks for a media address again when this node could not say it."""

_GIVE_UP = 1
_ASK_AGAIN = 2
_DONE = encode_body(Reply())


class Hooks(Protocol):
    """What the node's metrics are told."""

    def logged_in(self, kind: Kind) -> None:
        """A login was answered."""

    def command(self, name: str, kind: Kind) -> None:
        """Any other request was answered."""

    def answered(self, name: str, milliseconds: int) -> None:
        """A request that had to wait was answered so long after it came."""


class Commands:
    """``connection.Commands``: one for all connections of a node."""

    def __init__(self, calls: Calls, rooms: Rooms, logins: Logins, *, settings: RoomSocketSettings, clock: Clock, hooks: Hooks) -> None:
        self._calls = calls
        self._rooms = rooms
        self._logins = logins
        self._settings = settings
        self._clock = clock
        self._hooks = hooks
        self._handlers: dict[type[msgspec.Struct], Callable[[RoomConnection, JsonRoomSession, Request, Any], Awaitable[msgspec.Struct]]] = {
            StreamBody: self._stream,
            StreamPublishBody: self._stream_publish,
            StreamUrlBody: self._stream_url,
            WebrtcUrlBody: self._webrtc_url,
            BroadcastBody: self._broadcast,
            BarrageBody: self._barrage,
            CustomCommandBody: self._custom_command,
            SetExtraInfoBody: self._set_extra_info,
            RenewTokenBody: self._renew_token,
            BizChannelBody: self._biz_channel,
        }

    # --- connection.Commands

    def answer_now(self, connection: RoomConnection, request: Request) -> bool:
        header, body = request.header, request.body
        if not isinstance(body, HeartbeatBody | UserListBody | StreamInfoBody | FetchExtraInfoBody):
            return False
        try:
            session = _own_session(connection, header)
            if session.enter_due and isinstance(body, HeartbeatBody):
                raise Refused(Kind.SESSION_UNKNOWN, "enter the room again")
        except Refused as refused:
            # Never 1000002001 here (§15 no. 6). A heartbeat of a session that is not on this connection: a room of a multi-room
            # client that it must enter again (§12), a session that has ended meanwhile, or a lie.
            unknown = isinstance(body, HeartbeatBody)
            self.refuse(connection, header, SessionUnknown("log in again") if unknown else refused)
            return True
        head = response_head(header.cmd, header.seq)
        if isinstance(body, HeartbeatBody):
            session.answer(head, encode_body(self._heartbeat(session)))
        elif isinstance(body, UserListBody):
            session.answer(head, encode_body(session.user_list_asked()))
            connection.settle()
        elif isinstance(body, StreamInfoBody):
            stream_seq, entries = session.stream_list_asked(self._clock())
            session.answer(head, encode_body(StreamReply(stream_seq=stream_seq, stream_info=entries)))
            connection.settle()
            session.repeat_streams(entries)
        else:
            session.answer(head, encode_body(_fetched(session, body)))
        self._hooks.command(_known(header.cmd), Kind.OK)
        return True

    async def answer(self, connection: RoomConnection, request: Request) -> None:
        header, body = request.header, request.body
        try:
            if isinstance(body, LoginBody):
                await self._logins.login(connection, header, body)
                self._hooks.logged_in(Kind.OK)
                return
            session = _own_session(connection, header)
            if isinstance(body, LeaveBody):
                await self._leave(connection, session, header)
                return
            handler = self._handlers.get(type(body))
            if handler is None:
                raise Refused(Kind.NOT_OFFERED, "this command is not offered")
            reply = await handler(connection, session, request, body)
            session.answer(response_head(header.cmd, header.seq), encode_body(reply))
            self._hooks.command(_known(header.cmd), Kind.OK)
        except Refusal as refused:
            self.refuse(connection, header, refused, body)
        except Exception as fault:
            log.exception("room_command_failed", cmd=header.cmd, app_id=header.appid, room_id=header.room_id)
            self.refuse(connection, header, fault, body)

    def refuse(self, connection: RoomConnection, header: Header, error: Exception, body: msgspec.Struct | None = None) -> None:
        code = code_for(error, connection.client)
        text = str(error) if isinstance(error, Refusal) else "internal error"
        log.info(
            "room_request_refused",
            cmd=header.cmd,
            code=int(code),
            error=type(error).__name__,
            reason=text,
            app_id=header.appid,
            room_id=header.room_id,
            address=connection.client.address,
        )
        reply: Reply = Reply(err_code=code, err_message=text)
        if isinstance(body, WebrtcUrlBody):
            again = is_retryable(error)
            reply = WebrtcUrlRefusal(
                err_code=code,
                err_message=text,
                stream_id=body.stream_id,
                ptype=body.ptype,
                need_action=_ASK_AGAIN if again else _GIVE_UP,
                action_delay=RETRY_DELAY_MS if again else 0,
            )
        # The header is the client's own, so that its SDK takes the answer.
        tail = header_tail(header.appid, header.user_id or "", header.session_id or "", header.room_id or "", header.room_session_id or "")
        connection.send(f"{response_head(header.cmd, header.seq)}{tail}{encode_body(reply)}}}")
        if header.cmd in ("login", "enter"):
            self._hooks.logged_in(kind_of(error))
            if isinstance(error, Draining) and not connection.sessions:
                # On an open socket the SDK tries here again and again; on a new one it takes the next of its servers.
                connection.close_soon(CLOSE_RESTART, "the server restarts")
        else:
            self._hooks.command(_known(header.cmd), kind_of(error))

    def answered(self, request: Request, milliseconds: int) -> None:
        self._hooks.answered(_known(request.header.cmd), milliseconds)

    # --- answered by the reader

    def _heartbeat(self, session: JsonRoomSession) -> HeartbeatReply:
        now = self._clock()
        session.wire.heartbeat(now)
        return HeartbeatReply(
            hearbeat_interval=self._settings.heartbeat_interval,
            server_user_seq=session.wire.user_seq,
            online_count=session.online_count,
            stream_seq=session.wire.stream_seq,
            trans_seqs=versions(session.view),
            ret_timestamp=str(now),
        )

    # --- done in order

    async def _leave(self, connection: RoomConnection, session: JsonRoomSession, header: Header) -> None:
        """``logout`` ends every room of the connection: an app that leaves them all sends only one (§12). ``quit`` ends its own."""
        whole = header.cmd == "logout"
        await self._calls.leave(session.session, whole)
        for gone in list(connection.sessions.values()) if whole else [session]:
            connection.ended(gone)
        session.answer(response_head(header.cmd, header.seq), _DONE)
        self._hooks.command(_known(header.cmd), Kind.OK)

    async def _stream(self, connection: RoomConnection, session: JsonRoomSession, request: Request, body: StreamBody) -> StreamReply:
        message = decode_stream_message(body.stream_msg)
        extra_info = message.extra_info or ""
        if body.sub_cmd is StreamCommand.DELETE:
            # By stream and owner, never by stream_sid: SDK 2.11.0 forgets that in a wipe (§15 no. 4).
            await self._calls.withdraw(session.session, message.stream_id)
            return StreamReply(stream_seq=session.wire.next_stream(), stream_info=[StreamName(stream_id=message.stream_id)])
        if body.sub_cmd is StreamCommand.CREATE:
            stream = await self._calls.announce(session.session, message.stream_id, extra_info)
        else:
            stream = await self._calls.update_announcement(session.session, message.stream_id, extra_info)
        return StreamReply(stream_seq=session.wire.next_stream(), stream_info=[stream_entry(stream)])

    async def _stream_publish(
        self, connection: RoomConnection, session: JsonRoomSession, request: Request, body: StreamPublishBody
    ) -> StreamPublishReply:
        urls = await self._calls.publish_urls(session.session, body.stream_id, "rtmp", connection.base_url)
        return StreamPublishReply(stream_url_info=StreamUrls(body.stream_id, urls))

    async def _stream_url(
        self, connection: RoomConnection, session: JsonRoomSession, request: Request, body: StreamUrlBody
    ) -> StreamUrlReply:
        infos = [
            StreamUrls(stream_id, await self._calls.play_urls(session.session, stream_id, "rtmp", connection.base_url))
            for stream_id in body.stream_ids
        ]
        return StreamUrlReply(stream_url_infos=infos)

    async def _webrtc_url(
        self, connection: RoomConnection, session: JsonRoomSession, request: Request, body: WebrtcUrlBody
    ) -> WebrtcUrlReply:
        ask = self._calls.publish_urls if body.ptype is PushOrPull.PUSH else self._calls.play_urls
        urls = await ask(session.session, body.stream_id, "webrtc", connection.base_url)
        return WebrtcUrlReply(stream_id=body.stream_id, ptype=body.ptype, urls=urls, clientip=connection.client.address)

    async def _broadcast(
        self, connection: RoomConnection, session: JsonRoomSession, request: Request, body: BroadcastBody
    ) -> BroadcastReply:
        sent = await self._rooms.messages.send_broadcast(
            session.session, body.msg_content, category=body.msg_category, type=body.msg_type, priority=body.msg_priority
        )
        return BroadcastReply(msg_id=sent.message_id)

    async def _barrage(self, connection: RoomConnection, session: JsonRoomSession, request: Request, body: BarrageBody) -> BarrageReply:
        sent: list[SentBarrage] = []
        for message in body.msgs:
            try:
                barrage = await self._rooms.messages.send_barrage(
                    session.session, message.msg_content, category=message.msg_category, type=message.msg_type
                )
            except RateLimited:
                # Best effort: what went out is confirmed, the rest of the bundle is dropped.
                if not sent:
                    raise
                break
            sent.append(SentBarrage(message.bigmsg_client_id, barrage.message_id))
        return BarrageReply(msgs=sent)

    async def _custom_command(
        self, connection: RoomConnection, session: JsonRoomSession, request: Request, body: CustomCommandBody
    ) -> Reply:
        me = session.session
        check_command(body.custom_msg, me, self._rooms.limits)
        await self._rooms.messages.send_command(me, body.dest_id_name, body.custom_msg)
        return Reply()

    async def _set_extra_info(
        self, connection: RoomConnection, session: JsonRoomSession, request: Request, body: SetExtraInfoBody
    ) -> SetExtraInfoReply:
        info = await self._rooms.set_extra_info(session.session, body.trans_type, body.trans_data)
        return SetExtraInfoReply(trans_type=info.key, trans_seq=info.seq)

    async def _renew_token(
        self, connection: RoomConnection, session: JsonRoomSession, request: Request, body: RenewTokenBody
    ) -> RenewTokenReply:
        return RenewTokenReply(token_remain_time=await self._calls.renew_token(session.session, body.token))

    async def _biz_channel(
        self, connection: RoomConnection, session: JsonRoomSession, request: Request, body: BizChannelBody
    ) -> BizChannelReply:
        """Neither CDN relay nor mixing is offered. Never 2002: SDK 2.11.0 would repeat the request at once, for ever (§15 no. 15)."""
        if body.channel == "media":
            return BizChannelReply(channel=body.channel, cmd=body.cmd, rsp_body='{"code":9,"message":"CDN relay is not offered"}')
        code, text = Code.NOT_OFFERED, "this channel is not offered"
        if body.channel == "zeus":
            code, text = Code.MIXING_NOT_OFFERED, "stream mixing is not offered"
        return BizChannelReply(err_code=code, err_message=text, channel=body.channel, cmd=body.cmd, rsp_body="{}")


def _known(cmd: str) -> str:
    """Clients invent no names of metrics."""
    return cmd if cmd in BODIES else "?"


def _own_session(connection: RoomConnection, header: Header) -> JsonRoomSession:
    """The session in whose name a request comes. All of the header must fit: nobody acts for another session."""
    if not connection.sessions:
        raise Refused(Kind.WRONG_STATE, "log in first")
    session = connection.sessions.get(header.session_id or "")
    if session is None:
        raise Refused(Kind.WRONG_STATE, "session_id: not of this connection")
    if header.appid != session.session.app_id or header.room_id != session.session.room_id or header.user_id != session.issued_user_id:
        raise Refused(Kind.WRONG_STATE, "appid, user_id or room_id: not of this session")
    return session


def _fetched(session: JsonRoomSession, body: FetchExtraInfoBody) -> FetchExtraInfoReply:
    """Always with the data: SDK 2.11.0 names the server's own version as its own (§15 no. 11)."""
    results = []
    for wanted in body.fetch_array:
        info = session.view.extra.get(wanted.trans_type)
        if info is None:
            results.append(FetchedExtraInfo(err_code=Code.EXTRA_INFO_UNKNOWN, trans_type=wanted.trans_type))
        else:
            results.append(extra_info_entry(info))
    return FetchExtraInfoReply(trans_channel=body.trans_channel, trans_fetch_results=results)
