"""The hub without a network, and frames as clients write them. Knows nothing of an SDK's behaviour."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple

from google.protobuf.message import Message

from signaling.accesshub.frames import Frame, MessageType, decode_frame, encode_frame
from signaling.accesshub.hubs import Hubs
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.services import Service
from signaling.accesshub.settings import HubSettings
from tests.unit.signaling.accesshub.samples import SWITCH
from tests.unit.signaling.client_socket import Socket
from tests.unit.signaling.house import APP, Clock, House
from tests.waiting import until

ROOMS = 17
PUSHES: dict[int, type[Message]] = {
    10001: pb.LrPushUserInfoUpdated,
    10002: pb.LrPushUserKickout,
    12001: pb.LrPushStream,
    12002: pb.LrPushStream,
    12003: pb.LrPushStream,
    11007: pb.LrPushTransparentMsg,
    11008: pb.LrPushChannelMsg,
    13001: pb.LrPushIm,
    15001: pb.LrPushTrans,
}
ANSWERS: dict[int, type[Message]] = {
    **SWITCH,
    301008: pb.LrRenewTokenRsp,
    303022: pb.LrSignalTransparentMsgRsp,
    303024: pb.LrSendChannelMsgRsp,
    301014: pb.LrGetTransRsp,
}


class Payload(NamedTuple):
    """What the server said on a room channel."""

    header: pb.SwHeader
    body: bytes

    def push(self) -> tuple[int, Any]:
        """Sub-command and message of a push."""
        if self.header.cmd == 1105:
            return 1105, pb.SwPushKickout.FromString(self.body)
        if self.header.cmd == 1103:
            (info,) = pb.SwMergePushReq.FromString(self.body).message_list
            return info.sub_cmd, pb.LrPushBigIm.FromString(info.msg_body)
        push = pb.SwPushReq.FromString(self.body)
        kind = PUSHES.get(push.head.sub_cmd)
        return push.head.sub_cmd, kind.FromString(push.msg_body) if kind is not None else push.msg_body


def switch_payload(command: int, seq: int, context_key: int, body: Message) -> bytes:
    """A request of service 17 as clients write it."""
    header = pb.SwHeader(cmd=command, seq=seq, timestamp=1, context_key=context_key).SerializeToString()
    data = body.SerializeToString()
    return struct.pack(">BHI", 0x31, len(header), len(data)) + header + data


def read_payload(payload: bytes) -> Payload:
    """Checks the lengths, too."""
    magic, header_length, body_length = struct.unpack_from(">BHI", payload)
    assert magic == 0x31 and len(payload) == 7 + header_length + body_length
    return Payload(pb.SwHeader.FromString(payload[7 : 7 + header_length]), payload[7 + header_length :])


class Peer:
    """One client's end: sends requests and keeps what came."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.socket = Socket[bytes]()
        self.stream = 9
        """Of its room channel."""
        self.seq = 0
        self.txid = 0
        self.context_key = 0
        self.session_id = 0
        self._read = 0
        self._task = asyncio.create_task(world.hubs.serve(self.socket, client_address="192.0.2.7", base_url="wss://here:1"))

    # --- frames

    def send(self, kind: int, stream: int, message: Message) -> None:
        self.socket.put_bytes(encode_frame(kind, stream, message))  # type: ignore[arg-type]

    async def frame(self) -> Frame:
        """The next frame."""
        await until(lambda: len(self.socket.sent) > self._read, what="a frame")
        self._read += 1
        return decode_frame(self.socket.sent[self._read - 1])

    async def answer(self, kind: MessageType, stream: int) -> bytes:
        """The body of the next frame of this kind; those before it are passed over."""
        while True:
            frame = await self.frame()
            if frame.type == kind:
                assert frame.stream == stream
                return frame.body

    def rest(self) -> list[Frame]:
        """Every frame that is there and was not looked at."""
        frames = [decode_frame(data) for data in self.socket.sent[self._read :]]
        self._read = len(self.socket.sent)
        return frames

    # --- rooms

    def request(self, command: int, body: Message, *, context_key: int | None = None) -> int:
        self.seq += 1
        self.txid += 1
        key = self.context_key if context_key is None else context_key
        payload = switch_payload(command, self.seq, key, body)
        self.send(17, self.stream, pb.AhPCUpwardMessage(txid=self.txid, service_no=ROOMS, ack=command == 1001, payload=payload))
        return self.seq

    async def payload(self) -> Payload:
        """The next payload of the room channel."""
        message = pb.AhPCDownwardMessage.FromString(await self.answer(MessageType.PC_DOWNWARD_MESSAGE, self.stream))
        return read_payload(message.payload)

    async def reply(self, command: int, body: Message, *, context_key: int | None = None) -> Any:
        """Send a request; its answer. Pushes before it are passed over."""
        seq = self.request(command, body, context_key=context_key)
        while True:
            payload = await self.payload()
            if payload.header.seq == seq:
                assert payload.header.cmd == command + 1
                if command in (1001, 301001) and payload.header.context_key:
                    self.context_key = payload.header.context_key
                return ANSWERS[command + 1].FromString(payload.body)

    async def push(self, sub_command: int) -> Any:
        """The message of the next push of this kind."""
        while True:
            payload = await self.payload()
            if payload.header.seq == 0:
                number, message = payload.push()
                if number == sub_command:
                    assert payload.header.context_key == self.context_key
                    return message

    async def quiet(self) -> list[tuple[int, Any]]:
        """Every push that has come and has not been looked at, after all that was sent before is done."""
        seq = self.request(301005, pb.LrHbReq())
        found = []
        while (payload := await self.payload()).header.seq != seq:
            found.append(payload.push())
        return found

    def login_body(self, user: str, room: str = "r", **other: Any) -> pb.SwLoginRoomReq:
        fields: dict[str, Any] = {
            "app_id": APP, "room_id": room.encode(), "role": 2, "id_name": user.encode(), "nick_name": f"name of {user}".encode(),
            "term_type": 7, "sdk_version": 0x70300600, "login_logic": 1, "third_token": b"token", "user_state_flag": 1,
            "user_session_id": self.session_id,
        }  # fmt: skip
        return pb.SwLoginRoomReq(**(fields | other))

    async def login(self, user: str, room: str = "r", **other: Any) -> pb.SwLoginRoomRsp:
        """Log in with what this peer believes to hold, and take over the ids of the answer."""
        answer: pb.SwLoginRoomRsp = await self.reply(1001, self.login_body(user, room, **other), context_key=0)
        if answer.rsp_head.code == 0:
            self.session_id = answer.user_session_id
        return answer

    async def enter(self, user: str, room: str = "r", **other: Any) -> pb.SwLoginRoomRsp:
        """Log in and fetch the user list, as every SDK does at once."""
        answer = await self.login(user, room, **other)
        await self.reply(304001, pb.LrGetUserlistReq())
        return answer

    # --- the end

    async def lose(self) -> None:
        self.socket.cut()
        await self._task

    async def ended(self) -> tuple[int, str]:
        """Wait until the server has closed the socket."""
        await self._task
        assert self.socket.closed is not None
        return self.socket.closed

    def again(self) -> Peer:
        """A new socket of the same client."""
        other = self.world.peer()
        other.session_id = self.session_id
        return other


class World:
    """A node with its house; leaves no task behind."""

    def __init__(self, *, channels: Mapping[int, Service] | None = None, **settings: Any) -> None:
        self.clock = Clock()
        self.house = House(self.clock)
        self.hubs = Hubs(
            calls=self.house,
            rooms=self.house,
            serves=lambda app_id: app_id == APP,
            settings=HubSettings(**{"settle": 0} | settings),
            clock=self.clock,
            channels=channels,
        )
        self.peers: list[Peer] = []

    def peer(self) -> Peer:
        peer = Peer(self)
        self.peers.append(peer)
        return peer

    async def __aenter__(self) -> World:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for peer in self.peers:
            peer.socket.cut()
        await asyncio.gather(*(peer._task for peer in self.peers))
        assert self.hubs.connections == 0
