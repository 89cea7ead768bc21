"""What is done with each request of service 17 (``sdk-3x.md`` §5.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

import structlog
from google.protobuf.message import Message

from rooms.errors import Draining, RateLimited
from rooms.model import Clock
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.rooms import older_rooms
from signaling.accesshub.rooms.codec import (
    ACKNOWLEDGEMENTS,
    BODIES,
    Address,
    Command,
    PayloadRefused,
    Request,
    decode_payload,
    encode_answer,
)
from signaling.accesshub.rooms.errors import Code, code_for
from signaling.accesshub.rooms.login import Logins, Rosters, trans_channels
from signaling.accesshub.rooms.replies import extra_info_entry, list_seq, stream_fields
from signaling.accesshub.rooms.session import HubRoomSession
from signaling.accesshub.services import Channel, Job
from signaling.accesshub.settings import HubSettings
from signaling.custom_command import check_command
from signaling.ports import Calls, Rooms
from signaling.refusals import Kind, Refusal, Refused, kind_of

log = structlog.get_logger()

Handler = Callable[[HubRoomSession, Any], Awaitable[Message]]


class Hooks(Rosters, Protocol):
    """The node (``sockets.Sockets``): rosters, and what metrics are told."""

    def logged_in(self, kind: Kind) -> None:
        """A login was answered."""

    def command(self, name: str, kind: Kind) -> None:
        """Any other request was answered."""

    def answered(self, name: str, milliseconds: int) -> None:
        """A request that had to wait was answered so long after its turn came."""


class RoomsOnHub:
    """``services.Service`` 17: one for all connections of a node."""

    def __init__(self, calls: Calls, rooms: Rooms, hooks: Hooks, *, settings: HubSettings, clock: Clock) -> None:
        self.calls = calls
        self.rooms = rooms
        self.hooks = hooks
        self.settings = settings
        self.clock = clock
        self.logins = Logins(calls, hooks, settings=settings, clock=clock)

    def opened(self, channel: Channel) -> RoomConversation:
        return RoomConversation(self, channel)


class RoomConversation:
    """``services.Conversation`` of one client."""

    __slots__ = ("_channel", "_handlers", "_node")

    def __init__(self, node: RoomsOnHub, channel: Channel) -> None:
        self._node = node
        self._channel = channel
        self._handlers: dict[int, Handler] = {
            Command.ADD_STREAM: self._add_stream,
            Command.DELETE_STREAM: self._delete_stream,
            Command.UPDATE_STREAM: self._update_stream,
            Command.BROADCAST: self._broadcast,
            Command.BARRAGE: self._barrage,
            Command.CUSTOM_COMMAND: self._custom_command,
            Command.TRANSPARENT: self._transparent,
            Command.CHANNEL_MESSAGE: self._channel_message,
            Command.SET_EXTRA_INFO: self._set_extra_info,
            Command.RENEW_TOKEN: self._renew_token,
        }

    # --- services.Conversation

    def take(self, payload: bytes) -> Job | None:
        if payload[:1] == _OLDER:
            self._refuse_older(payload)
            return None
        try:
            request = decode_payload(payload)
        except PayloadRefused as refused:
            self._refuse(refused.address, refused)
            return None
        if self._answer_now(request):
            return None
        return partial(self._done_in_turn, request)

    def _refuse_older(self, payload: bytes) -> None:
        hub = self._channel.hub
        log.info("older_rooms_refused", reason=older_rooms.REASON, app_id=hub.app_id, address=hub.client.address)
        self._node.hooks.command("?", Kind.NOT_OFFERED)
        answer = older_rooms.refusal(payload, self._node.clock())
        if answer is not None:
            self._channel.send(answer)

    async def closed(self) -> None:
        hub = self._channel.hub
        await hub.let_go([session for session in hub.sessions.values() if session.channel is self._channel])

    # --- inside

    def _answer_now(self, request: Request) -> bool:
        """Answer what needs no waiting; False if it does."""
        address, body = request
        # Answers are not held back: 3.6.0 publishes a stream again before it has heard that the old one is deleted, and then never
        # announces it. What is held goes first, in order.
        self._channel.release()
        if address.command in ACKNOWLEDGEMENTS:
            return True
        if body is None:
            self._refuse(address, Refused(Kind.NOT_OFFERED, "this command is not offered"))
            return True
        if not isinstance(body, pb.LrHbReq | pb.LrGetUserlistReq | pb.LrGetStreamListReq | pb.LrGetTransReq):
            return False
        try:
            session = self._session(address)
        except Refused as refused:
            self._refuse(address, refused)
            return True
        if isinstance(body, pb.LrHbReq):
            self._answer(address, self._heartbeat(session))
        elif isinstance(body, pb.LrGetUserlistReq):
            self._answer(address, _user_list(session))
            self._channel.hold(self._node.settings.settle)
        elif isinstance(body, pb.LrGetStreamListReq):
            self._answer(address, _stream_list(session))
            self._channel.hold(self._node.settings.settle)
        else:
            self._answer(address, _extra_info(session, body))
        return True

    async def _done_in_turn(self, request: Request) -> None:
        address, body = request
        began = self._node.clock()
        try:
            await self._do(address, body)
        except Refusal as refused:
            self._refuse(address, refused)
        except UnicodeDecodeError:
            self._refuse(address, Refused(Kind.BAD_PARAMETER, "a text is not UTF-8"))
        except Exception as fault:
            log.exception("room_command_failed", cmd=address.command, app_id=self._channel.hub.app_id)
            self._refuse(address, fault)
        self._node.hooks.answered(_name(address.command), self._node.clock() - began)

    async def _do(self, address: Address, body: Message | None) -> None:
        if isinstance(body, pb.SwLoginRoomReq):
            await self._node.logins.login(self._channel, address, body)
            self._node.hooks.logged_in(Kind.OK)
            return
        if isinstance(body, pb.LrEnterRoomReq):
            await self._node.logins.enter(self._channel, address, body)
            self._node.hooks.logged_in(Kind.OK)
            return
        if isinstance(body, pb.SwLogoutRoomReq | pb.LrQuitRoomReq):
            await self._leave(address, whole=isinstance(body, pb.SwLogoutRoomReq))
            return
        session = self._session(address)
        self._answer(address, await self._handlers[address.command](session, body))

    def _session(self, address: Address) -> HubRoomSession:
        """The session in whose name a request comes."""
        session = self._channel.hub.sessions.get(address.context_key)
        if session is None:
            raise Refused(Kind.SESSION_UNKNOWN, "log in again")
        return session

    def _answer(self, address: Address, body: Message) -> None:
        self._node.hooks.command(_name(address.command), Kind.OK)
        self._channel.send(encode_answer(address, body, self._node.clock()))

    def _refuse(self, address: Address | None, error: Exception) -> None:
        kind, code = kind_of(error), code_for(error)
        text = str(error) if isinstance(error, Refusal) else "internal error"
        hub = self._channel.hub
        command = address.command if address is not None else 0
        log.info(
            "room_request_refused", cmd=command, code=int(code), error=type(error).__name__, reason=text, app_id=hub.app_id,
            address=hub.client.address,
        )  # fmt: skip
        if address is None:
            # Nobody waits for an answer by the number of something that cannot be read.
            self._node.hooks.command("?", kind)
            return
        login = command in (Command.LOGIN, Command.ENTER)
        if login:
            self._node.hooks.logged_in(kind)
        else:
            self._node.hooks.command(_name(command), kind)
        # The head is field 1 of every answer.
        self._channel.send(encode_answer(address, pb.LrCommonRsp(rsp_head=pb.LrRspHead(code=code, message=text)), self._node.clock()))
        if login and isinstance(error, Draining) and not hub.sessions:
            # On an open socket SDKs try here again and again.
            hub.leave_for_another_node()

    # --- answered by the reader

    def _heartbeat(self, session: HubRoomSession) -> pb.LrHbRsp:
        now = self._node.clock()
        session.wire.heartbeat(now)
        view = session.view
        return pb.LrHbRsp(
            rsp_head=pb.LrRspHead(),
            ret_timestamp=now,
            hb_interval=self._node.settings.heartbeat_interval,
            hb_timeout=self._node.settings.heartbeat_timeout,
            stream_seq=session.wire.stream_seq,
            user_seq=session.wire.user_seq,
            online_count=session.online_count,
            trans_channel_list=trans_channels([(info.key.encode(), info.seq) for info in view.extra.values()]),
            trans_list_seq=list_seq(view),
        )

    # --- done in order

    async def _leave(self, address: Address, *, whole: bool) -> None:
        """``LogoutRoom`` ends every room of the client, ``QuitRoom`` one."""
        hub = self._channel.hub
        try:
            session = self._session(address)
        except Refused:
            # Gone already: that is what was wanted.
            self._answer(address, pb.LrCommonRsp(rsp_head=pb.LrRspHead()))
            return
        await self._node.calls.leave(session.session, whole)
        for gone in list(hub.sessions.values()) if whole else [session]:
            hub.ended(gone)
        self._answer(address, pb.LrCommonRsp(rsp_head=pb.LrRspHead()))

    async def _add_stream(self, session: HubRoomSession, body: pb.LrAddStreamReq) -> Message:
        stream = await self._node.calls.announce(session.session, body.stream_id.decode(), body.extra_info.decode())
        return pb.LrAddStreamRsp(
            rsp_head=pb.LrRspHead(),
            stream_seq=session.wire.next_stream(),
            stream_sid=str(stream.stream_sid),
            stream_ver=stream.version,
            stream_nid=1,
        )

    async def _delete_stream(self, session: HubRoomSession, body: pb.LrDeleteStreamReq) -> Message:
        # By stream and owner, never by stream_sid: that may be empty (§5.3).
        stream = await self._node.calls.withdraw(session.session, body.stream_id.decode())
        version = stream.version if stream is not None else 0
        return pb.LrDeleteStreamRsp(rsp_head=pb.LrRspHead(), stream_seq=session.wire.next_stream(), stream_ver=version)

    async def _update_stream(self, session: HubRoomSession, body: pb.LrUpdateStreamReq) -> Message:
        stream = await self._node.calls.update_announcement(session.session, body.stream_id.decode(), body.extra_info.decode())
        return pb.LrUpdateStreamRsp(rsp_head=pb.LrRspHead(), stream_seq=session.wire.next_stream(), stream_ver=stream.version)

    async def _broadcast(self, session: HubRoomSession, body: pb.LrSendImReq) -> Message:
        sent = await self._node.rooms.messages.send_broadcast(
            session.session, body.msg_content.decode(), category=body.msg_category, type=body.msg_type
        )
        return pb.LrSendImRsp(rsp_head=pb.LrRspHead(), msg_id=sent.message_id)

    async def _barrage(self, session: HubRoomSession, body: pb.LrSendBigImReq) -> Message:
        if not 0 < len(body.msg_list) <= _MOST_BARRAGES:
            raise Refused(Kind.BAD_PARAMETER, f"msg_list: 1 to {_MOST_BARRAGES} messages")
        sent: list[pb.LrSendBigImRspMsgData] = []
        for message in body.msg_list:
            try:
                barrage = await self._node.rooms.messages.send_barrage(
                    session.session, message.msg_content.decode(), category=message.msg_category, type=message.msg_type
                )
            except RateLimited:
                # Best effort: what went out is confirmed, the rest of the bundle is dropped.
                if not sent:
                    raise
                break
            sent.append(pb.LrSendBigImRspMsgData(msg_id=barrage.message_id.encode(), msg_client_id=message.msg_client_id))
        return pb.LrSendBigImRsp(rsp_head=pb.LrRspHead(), msg_list=sent)

    async def _custom_command(self, session: HubRoomSession, body: pb.LrSignalLiveCustomReq) -> Message:
        check_command(body.push_message, session.session, self._node.rooms.limits)
        receivers = [user.id_name.decode() for user in body.to_user_list]
        await self._node.rooms.messages.send_command(session.session, receivers, body.push_message.decode())
        return pb.LrSignalLiveCustomRsp(rsp_head=pb.LrRspHead())

    async def _transparent(self, session: HubRoomSession, body: pb.LrSignalTransparentMsgReq) -> Message:
        if body.msg_type != _TO_CLIENTS_ONLY:
            # How the cloud hands such a message to the operator's backend is nowhere said (``zego-cloud.md`` §3).
            raise Refused(Kind.NOT_OFFERED, "transparent messages go to clients only: sendMode 0")
        receivers = [user.decode() for user in body.to_user_list]
        await self._node.rooms.messages.send_transparent(session.session, receivers, body.msg_data, order=min(body.client_seq, _MOST_ORDER))
        return pb.LrSignalTransparentMsgRsp(rsp_head=pb.LrRspHead())

    async def _channel_message(self, session: HubRoomSession, body: pb.LrSendChannelMsgReq) -> Message:
        if body.channel_type:
            raise Refused(Kind.NOT_OFFERED, "this channel is not offered")
        receivers = [user.decode() for user in body.to_user_list]
        await self._node.rooms.messages.send_channel_message(session.session, receivers, body.msg_content.decode(), type=body.msg_type)
        return pb.LrSendChannelMsgRsp(rsp_head=pb.LrRspHead())

    async def _set_extra_info(self, session: HubRoomSession, body: pb.LrSetTransReq) -> Message:
        info = await self._node.rooms.set_extra_info(session.session, body.trans_type.decode(), body.trans_data.decode())
        return pb.LrSetTransRsp(
            rsp_head=pb.LrRspHead(),
            trans_type=body.trans_type,
            trans_seq=info.seq,
            trans_list_seq=list_seq(session.view),
            trans_channel=body.trans_channel,
        )

    async def _renew_token(self, session: HubRoomSession, body: pb.LrRenewTokenReq) -> Message:
        remaining = await self._node.calls.renew_token(session.session, body.token)
        return pb.LrRenewTokenRsp(rsp_head=pb.LrRspHead(), token_remain_time=remaining)


_OLDER = bytes((older_rooms.MAGIC,))
_MOST_BARRAGES = 20
_MOST_KEYS = 64
_TO_CLIENTS_ONLY = 0
_MOST_ORDER = 2**53 - 1
"""SDKs send the time in ms; above this JSON is not exact everywhere."""


def _user_list(session: HubRoomSession) -> pb.LrGetUserlistRsp:
    """Always one page: ``ret_user_index`` equal to ``server_user_index`` ends the SDK's paging."""
    seq, users = session.users_asked()
    last = max(0, len(users) - 1)
    return pb.LrGetUserlistRsp(
        rsp_head=pb.LrRspHead(), server_user_seq=seq, server_user_index=last, ret_user_index=last, user_base_info_list=users
    )


def _stream_list(session: HubRoomSession) -> pb.LrGetStreamListRsp:
    session.lists_in_answer()
    streams = [pb.LrStreamInfo(**stream_fields(stream)) for stream in session.streams_on_air()]
    return pb.LrGetStreamListRsp(rsp_head=pb.LrRspHead(), stream_list_seq=session.wire.next_stream(), stream_info_list=streams)


def _extra_info(session: HubRoomSession, body: pb.LrGetTransReq) -> pb.LrGetTransRsp:
    entries = []
    for wanted in body.trans_list[:_MOST_KEYS]:
        info = session.view.extra.get(wanted.trans_type.decode(errors="replace"))
        if info is None:
            entries.append(pb.LrGetTransRspTransData(err_code=Code.EXTRA_INFO_UNKNOWN, trans_type=wanted.trans_type))
        else:
            entries.append(extra_info_entry(info))
    return pb.LrGetTransRsp(
        rsp_head=pb.LrRspHead(), trans_channel=body.trans_channel, trans_list_seq=list_seq(session.view), trans_list=entries
    )


def _name(command: int) -> str:
    """Clients invent no names of metrics."""
    return Command(command).name.lower() if command in BODIES else "?"
