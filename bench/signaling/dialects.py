"""How the crowd speaks: the JSON dialect on ``/ws`` and the binary one on ``/accesshub``, with as little work as the client can do."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, Protocol

from bench.signaling.client import LightSocket
from bench.signaling.server import APP_ID, token
from signaling.accesshub.frames import MessageType, encode_frame
from signaling.accesshub.proto import accesshub_pb2 as pb


class Dialect(Protocol):
    """One for a crowd. Requests return a future of the answer."""

    name: str
    path: str
    binary: bool

    async def login(self, one: LightSocket, user: str, room: str, *, told: bool) -> None:
        """Into the room; ``told``: with the user list. Raises ``RuntimeError`` with the server's words."""

    def broadcast(self, one: LightSocket, text: str) -> None: ...

    def heartbeat(self, one: LightSocket) -> None: ...

    def arrived(self, one: LightSocket, payload: bytes) -> bool:
        """Takes a frame; True if it is the push of a broadcast."""


class Json:
    name = "json"
    path = "/ws"
    binary = False

    async def login(self, one: LightSocket, user: str, room: str, *, told: bool) -> None:
        one.state = {"appid": APP_ID, "session_id": "0", "room_id": room, "room_session_id": "0", "biz_version": ""}
        credential = token(user)
        body = {
            "id_name": user, "nick_name": f"Name of {user}", "role": 2, "token": credential, "third_token": credential,
            "version": "2.11.0", "room_name": room, "user_state_flag": int(told), "room_create_flag": 1, "client_type": 2,
            "user_count_limit": 0, "relate_service": "", "login_logic": 1, "proto_format": "json",
        }  # fmt: skip
        answer = await self._request(one, "login", body)
        if answer["err_code"]:
            raise RuntimeError(f"login refused: {answer}")
        one.state |= {key: answer[key] for key in ("user_id", "session_id", "room_session_id")}
        if told:
            await self._request(one, "user_list", {"user_index": 0, "sort_type": 0})

    def broadcast(self, one: LightSocket, text: str) -> None:
        self._request(one, "im_chat", {"msg_category": 1, "msg_type": 1, "msg_priority": 1, "msg_content": text})

    def heartbeat(self, one: LightSocket) -> None:
        self._request(one, "hb", {"reserve": 0})

    def arrived(self, one: LightSocket, payload: bytes) -> bool:
        if b'"push_im_chat"' in payload[:80]:
            return True
        if b'"rsp"' in payload[:40]:
            frame = json.loads(payload)
            one.answered(frame["header"]["seq"], frame["body"])
        return False

    def _request(self, one: LightSocket, cmd: str, body: dict[str, Any]) -> asyncio.Future[Any]:
        seq, answer = one.expect()
        header = {"Protocol": "req", "cmd": cmd, "seq": seq, **one.state}
        one.send(json.dumps({"header": header, "body": body}, ensure_ascii=False).encode())
        return answer


class Hub:
    """Reads of a frame only what tells pushes from answers, unless somebody waits for it."""

    name = "hub"
    path = "/accesshub"
    binary = True
    _STREAM = 9

    async def login(self, one: LightSocket, user: str, room: str, *, told: bool) -> None:
        one.state = {"context_key": 0}
        body = pb.SwLoginRoomReq(
            app_id=APP_ID, room_id=room.encode(), role=2, id_name=user.encode(), nick_name=f"Name of {user}".encode(), term_type=7,
            sdk_version=0x70300600, login_logic=1, third_token=token(user).encode(), user_state_flag=int(told),
        )  # fmt: skip
        header, data = await self._request(one, 1001, body)
        answer = pb.SwLoginRoomRsp.FromString(data)
        if answer.rsp_head.code:
            raise RuntimeError(f"login refused: {answer.rsp_head}")
        one.state["context_key"] = header.context_key
        if told:
            await self._request(one, 304001, pb.LrGetUserlistReq())

    def broadcast(self, one: LightSocket, text: str) -> None:
        self._request(one, 303001, pb.LrSendImReq(msg_category=1, msg_type=1, msg_content=text.encode()))

    def heartbeat(self, one: LightSocket) -> None:
        self._request(one, 301005, pb.LrHbReq())

    def arrived(self, one: LightSocket, payload: bytes) -> bool:
        if payload[3] != MessageType.PC_DOWNWARD_MESSAGE:
            return False
        inner = pb.AhPCDownwardMessage.FromString(payload[13:]).payload
        length = int.from_bytes(inner[1:3])
        header = pb.SwHeader.FromString(inner[7 : 7 + length])
        if header.cmd == 1101:
            return pb.SwPushReq.FromString(inner[7 + length :]).head.sub_cmd == 13001
        one.answered(header.seq, (header, inner[7 + length :]))
        return False

    def _request(self, one: LightSocket, command: int, body: Any) -> asyncio.Future[Any]:
        seq, answer = one.expect()
        header = pb.SwHeader(cmd=command, seq=seq, context_key=one.state["context_key"]).SerializeToString()
        data = body.SerializeToString()
        payload = struct.pack(">BHI", 0x31, len(header), len(data)) + header + data
        message = pb.AhPCUpwardMessage(txid=seq, appid=APP_ID, service_no=17, ack=command == 1001, payload=payload)
        one.send(encode_frame(MessageType.PC_UPWARD_MESSAGE, self._STREAM, message))
        return answer


DIALECTS: dict[str, type[Dialect]] = {"json": Json, "hub": Hub}
