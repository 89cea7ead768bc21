"""One client's hub socket: binary frames, streams, persistent channels (``sdk-3x.md`` §2–§4). What a payload means its service knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import structlog
from google.protobuf.message import DecodeError, Message

from rooms.model import Clock
from signaling.accesshub import configuration
from signaling.accesshub.channel import OpenChannel
from signaling.accesshub.explicit_zeros import with_zeros
from signaling.accesshub.frames import Frame, FrameInvalid, MessageType, decode_frame, encode_frame
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.rooms.session import HubRoomSession
from signaling.accesshub.services import HttpAnswer, HttpRequest, HttpService, Services
from signaling.accesshub.settings import HubSettings
from signaling.command_queue import CommandQueue
from signaling.connection import CLOSE_INVALID, CLOSE_RESTART, CLOSE_TOO_BIG, CLOSE_UNSUPPORTED, Connection, Registry
from signaling.ports import Rooms
from signaling.refusals import Kind
from signaling.socket import SocketLike

log = structlog.get_logger()

INVALID_FRAME, UNKNOWN_TYPE, INVALID_BODY, UNKNOWN_SERVICE, TOO_FREQUENT = 20000, 20003, 20004, 20010, 20011
"""``reason`` of ``AhPushException`` and ``AhCloseConnection``."""
RETRY, ABORT = 2, 4
"""``action`` of ``AhCloseConnection``: dial this host again, or not at all."""
_REDIRECT_SECONDS = 60

M = TypeVar("M", bound=Message)


class Node(Protocol):
    """What a connection needs of its node (``hubs.Hubs``)."""

    @property
    def elsewhere(self) -> Sequence[str]:
        """Hubs of other nodes (``host[:port]``) that take this one's clients while it drains."""
        ...

    def serves(self, app_id: int) -> bool: ...

    def command(self, name: str, kind: Kind) -> None:
        """A request was answered."""


class HubConnection(Connection[bytes, HubRoomSession]):
    """Answers what concerns the connection; hands payloads to the services behind its channels."""

    __slots__ = ("_channels", "_handlers", "_http", "_hub_settings", "_node", "_services", "app_id")

    def __init__(
        self,
        socket: SocketLike,
        *,
        client_address: str,
        base_url: str,
        node: Node,
        services: Services,
        registry: Registry[HubRoomSession],
        rooms: Rooms,
        settings: HubSettings,
        clock: Clock,
    ) -> None:
        super().__init__(
            socket,
            socket.send_bytes,
            client_address=client_address,
            base_url=base_url,
            registry=registry,
            rooms=rooms,
            settings=settings,
            clock=clock,
        )
        self._node = node
        self._services = services
        self._hub_settings = settings
        self.app_id = 0
        """As the first request that names one says; later ones leave it out (§3.1)."""
        self._channels: dict[int, OpenChannel] = {}
        """By stream id; one per service."""
        self._http = CommandQueue[tuple[int, int, HttpService, HttpRequest]](self._answer_http, settings.waiting_commands)
        self._handlers: dict[int, Callable[[Frame], Awaitable[None]]] = {
            MessageType.HEARTBEAT_REQUEST: self._heartbeat,
            MessageType.GET_CONFIG_REQUEST: self._get_config,
            MessageType.GET_APP_CONFIG_REQUEST: self._get_app_config,
            MessageType.DISPATCH_REQUEST_2: self._get_dispatch,
            MessageType.GET_SERVER_ADDRESS_REQUEST: self._get_server_addresses,
            MessageType.HTTP_REQUEST: self._http_request,
            MessageType.HTTP_REQUEST_2: self._http_interface,
            MessageType.PC_UPWARD_MESSAGE: self._upward,
            MessageType.STREAM_CLOSED: self._stream_closed,
        }

    def now(self) -> int:
        """Epoch ms."""
        return self._clock()

    def overflow(self) -> None:
        """A channel has held back more than it may."""
        self._overflow()

    def leave_for_another_node(self) -> None:
        """This node drains and the client has nothing here."""
        self._farewell()
        self.close_soon(CLOSE_RESTART, "the server restarts")

    async def let_go(self, sessions: list[HubRoomSession]) -> None:
        """The channel of these sessions is closed: they wait for the grace period."""
        await self._detach(sessions)

    # --- frames

    async def _take(self, message: MutableMapping[str, Any]) -> bool:
        if message["type"] != "websocket.receive":
            return False
        data = message.get("bytes")
        if data is None:
            return self._refuse(CLOSE_UNSUPPORTED, "binary frames only")
        if len(data) > self._settings.frame_size:
            return self._refuse(CLOSE_TOO_BIG, "frame too long")
        try:
            frame = decode_frame(data)
        except FrameInvalid as invalid:
            return self._refuse(CLOSE_INVALID, str(invalid))
        if frame.type == MessageType.CONNECTION_CLOSED:
            return False
        if not self._allowed(heartbeat=frame.type == MessageType.HEARTBEAT_REQUEST):
            self._except(frame, TOO_FREQUENT, "too many requests")
            return not self._closing
        self._heard()
        handler = self._handlers.get(frame.type)
        if handler is None:
            self._except(frame, UNKNOWN_TYPE, "message type not known here")
            return True
        try:
            await handler(frame)
        except DecodeError:
            self._except(frame, INVALID_BODY, "body not readable")
        return not self._closing

    def _refuse(self, code: int, reason: str) -> bool:
        """The client does not speak this protocol: say so in it, then close."""
        if not self._closing:
            self._answer(MessageType.CLOSE_CONNECTION, 0, pb.AhCloseConnection(reason=INVALID_FRAME, msg=reason, action=ABORT))
        return self._refuse_connection(code, reason)

    def _except(self, frame: Frame, reason: int, text: str) -> None:
        """The general answer to a request that cannot be done."""
        log.info("hub_request_refused", type=frame.type, reason=text, address=self.client.address, app_id=self.app_id)
        self._node.command("?", Kind.PARSE_ERROR)
        self._answer(MessageType.PUSH_EXCEPTION, frame.stream, pb.AhPushException(reason=reason, msg=text, txid=_txid(frame)))

    def _answer(self, kind: MessageType, stream: int, message: Message) -> None:
        self.send(encode_frame(kind, stream, with_zeros(message)))

    def _done(self, frame: Frame, kind: MessageType, message: Message) -> None:
        self._node.command(MessageType(frame.type).name.lower(), Kind.OK)
        self.send(encode_frame(kind, frame.stream, message))

    # --- the connection itself

    async def _heartbeat(self, frame: Frame) -> None:
        request = pb.AhHBRequest.FromString(frame.body)
        answer = pb.AhHBResponse(txid=request.txid, ts=request.ts, ntp_time=self._clock())
        self._done(frame, MessageType.HEARTBEAT_RESPONSE, answer)

    async def _get_config(self, frame: Frame) -> None:
        request = self._first(pb.AhGetConfigRequest.FromString(frame.body))
        answer = configuration.hub_configuration(request.txid, self.client.address, self._hub_settings, self._clock())
        self._done(frame, MessageType.GET_CONFIG_RESPONSE, answer)

    async def _get_app_config(self, frame: Frame) -> None:
        request = self._first(pb.AhGetAppConfigRequest.FromString(frame.body))
        if self._node.serves(self.app_id):
            answer = configuration.app_configuration(request.txid, self.app_id, self.base_url, self._hub_settings, self._clock())
        else:
            answer = configuration.app_refused(request.txid)
        self._done(frame, MessageType.GET_APP_CONFIG_RESPONSE, answer)

    async def _get_dispatch(self, frame: Frame) -> None:
        self._done(frame, MessageType.DISPATCH_RESPONSE_2, configuration.dispatch(_txid(frame)))

    async def _get_server_addresses(self, frame: Frame) -> None:
        self._done(frame, MessageType.GET_SERVER_ADDRESS_RESPONSE, configuration.server_addresses(_txid(frame)))

    def _first(self, request: M) -> M:
        """Remember what only the first request on a stream says."""
        app_id: int = getattr(request, "appid", 0)
        if app_id and not self.app_id:
            self.app_id = app_id
        return request

    # --- HTTP through the hub

    async def _http_request(self, frame: Frame) -> None:
        request = self._first(pb.AhHTTPRequest.FromString(frame.body))
        service = self._services.http.get(request.service_no)
        headers = {header.name.lower(): header.val for header in request.headers}
        asked = HttpRequest(self, request.method_no, request.location, headers, request.body, "")
        await self._ask(frame, service, request.txid, asked, ack=request.ack)

    async def _http_interface(self, frame: Frame) -> None:
        request = self._first(pb.AhHTTPRequest2.FromString(frame.body))
        service = self._services.interfaces.get(request.interface_id)
        asked = HttpRequest(self, request.method, "", {}, request.body, request.token)
        await self._ask(frame, service, request.txid, asked, ack=request.ack)

    async def _ask(self, frame: Frame, service: HttpService | None, txid: int, request: HttpRequest, *, ack: bool) -> None:
        if ack:
            self._answer(MessageType.HTTP_REQUEST_ACK, frame.stream, pb.AhHTTPRequestAck(txid=txid))
        if service is None:
            self._node.command("http_request", Kind.NOT_OFFERED)
            self._http_answer(frame.stream, txid, HttpAnswer(404))
        else:
            await self._http.put((frame.stream, txid, service, request))

    async def _answer_http(self, waiting: tuple[int, int, HttpService, HttpRequest]) -> None:
        stream, txid, service, request = waiting
        try:
            answer = await service.answer(request)
        except Exception:
            log.exception("hub_http_request_failed", location=request.location, address=self.client.address, app_id=self.app_id)
            answer = HttpAnswer(500)
        self._node.command("http_request", Kind.OK if answer.status == 200 else Kind.FAILED)
        self._http_answer(stream, txid, answer)

    def _http_answer(self, stream: int, txid: int, answer: HttpAnswer) -> None:
        self._answer(MessageType.HTTP_RESPONSE, stream, pb.AhHTTPResponse(txid=txid, status_code=answer.status, body=answer.body))

    # --- persistent channels

    async def _upward(self, frame: Frame) -> None:
        message = self._first(pb.AhPCUpwardMessage.FromString(frame.body))
        channel = self._channels.get(frame.stream)
        if channel is not None and message.service_no not in (0, channel.service_no):
            # The client thinks of it as another channel now; it must know.
            await self._close_channel(channel)
            channel = None
        if channel is None:
            channel = await self._open_channel(frame, message.service_no)
        if channel is None:
            return
        if message.ack:
            self._answer(MessageType.PC_UPWARD_MESSAGE_ACK, frame.stream, pb.AhPCUpwardMessageAck(txid=message.txid))
        job = channel.conversation.take(message.payload)
        if job is not None:
            await channel.queue.put(job)

    async def _open_channel(self, frame: Frame, service_no: int) -> OpenChannel | None:
        service = self._services.channels.get(service_no)
        if service is None:
            self._except(frame, UNKNOWN_SERVICE, "service not offered")
            return None
        for other in [channel for channel in self._channels.values() if channel.service_no == service_no]:
            # Opened anew on another stream: what hangs on the old one waits for its client to come back to it.
            await self._close_channel(other)
        channel = self._channels[frame.stream] = OpenChannel(self, frame.stream, service_no, service, self._hub_settings)
        self._answer(MessageType.PC_ESTABLISHED, frame.stream, pb.AhPCEstablished())
        return channel

    async def _stream_closed(self, frame: Frame) -> None:
        pb.AhStreamClosed.FromString(frame.body)
        channel = self._channels.get(frame.stream)
        if channel is not None:
            await self._close_channel(channel)

    async def _close_channel(self, channel: OpenChannel) -> None:
        await channel.close()
        # Not before: if the socket is given up meanwhile, its end closes the channel.
        del self._channels[channel.stream]

    # --- the end

    async def _settled(self, timeout: float | None = None) -> None:
        await self._http.idle(timeout)
        for channel in list(self._channels.values()):
            await channel.queue.idle(timeout)

    async def _flush(self) -> None:
        for channel in self._channels.values():
            channel.release()
        await super()._flush()

    async def _finish(self) -> None:
        await super()._finish()
        for channel in list(self._channels.values()):
            await self._close_channel(channel)

    def _farewell(self) -> None:
        """Where to go on: to the nodes named, or if none is, to this host again, behind which there is another one by then."""
        hosts = self._node.elsewhere
        if not hosts:
            self._answer(MessageType.CLOSE_CONNECTION, 0, pb.AhCloseConnection(msg="the server restarts", action=RETRY))
            return
        groups = [pb.AhWssAccesshubDispatchGroup(group=host, host=host, main_domain=_main_domain(host)) for host in hosts]
        self._answer(MessageType.REDIRECT_2, 0, pb.AhRedirect2(wss_groups=groups, ttl=_REDIRECT_SECONDS))


def _txid(frame: Frame) -> int:
    """The number of a request whose kind does not matter: it is field 1 of all."""
    try:
        return pb.AhPCUpwardMessageAck.FromString(frame.body).txid
    except DecodeError:
        return 0


def _main_domain(host: str) -> str:
    return urlsplit(f"//{host}").hostname or host
