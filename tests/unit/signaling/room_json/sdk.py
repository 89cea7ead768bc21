"""The SDKs' own book-keeping, written after their sources, defects included (``miniprogram-2.11.0.md`` §5–§7, ``web-1x-2x.md`` §9).

Only what decides whether a client's lists are right. Frames reach it when the test says so; what has not reached it when its
socket dies is lost, in both directions.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.unit.signaling.house import APP
from tests.unit.signaling.room_json.wire import Socket, World

Frame = dict[str, Any]


class Sdk:
    """``kind``: "miniprogram" (2.11.0) or "web" (2.14.0). One room, ``userUpdate: true``."""

    def __init__(self, world: World, user: str, kind: str) -> None:
        self.world = world
        self.user = user
        self.kind = kind
        self.seq = 0
        self.ids: dict[str, str] = {}
        self.socket: Socket | None = None
        self._task: asyncio.Task[None] | None = None
        self._read = 0
        self._pending: dict[int, str] = {}
        self.logged_in = False
        self.knows_room = False
        self.kicked: int | None = None
        self._unanswered_heartbeat: int | None = None
        # streams
        self.stream_seq = 0
        self.streams: dict[str, str] = {}
        """Id → extra info."""
        self.querying = False
        self.fetches = 0
        """Times it asked for the stream list."""
        self.events: list[tuple[str, str]] = []
        # users
        self.user_seq = 0
        self.users: dict[str, str] | None = None
        self.user_events: list[tuple[str, str]] = []
        self.problems: list[str] = []
        """What must never happen: a dropped frame, a number that does not fit."""

    # --- network

    def connect(self) -> None:
        assert self.socket is None
        self.socket = Socket()
        self._read = 0
        self._task = asyncio.create_task(self.world.sockets.serve(self.socket, client_address="192.0.2.1", base_url="ws://here:1"))
        self._login()

    def _login(self) -> None:
        self._unanswered_heartbeat = None
        self._send("login", {
            "id_name": self.user, "nick_name": f"name of {self.user}", "role": 2, "token": "token", "user_state_flag": 1,
            "client_type": 2 if self.kind == "miniprogram" else 3, "version": "2.11.0" if self.kind == "miniprogram" else "2.14.0",
            "login_logic": 1,
        })  # fmt: skip

    async def cut(self) -> None:
        """The network is gone, with everything that is still on its way."""
        if self.socket is not None and self._task is not None:
            self.socket.cut()
            await self._task
        self.socket = None
        self.logged_in = False
        self._pending.clear()

    def receive(self, most: int | None = None) -> int:
        """Up to ``most`` frames arrive (None = all)."""
        if self.socket is None:
            return 0
        arrived = self.socket.sent[self._read :][:most]
        self._read += len(arrived)
        for text in arrived:
            self._on_frame(json.loads(text))
        return len(arrived)

    @property
    def pending(self) -> int:
        return 0 if self.socket is None else len(self.socket.sent) - self._read

    def _send(self, cmd: str, body: Frame) -> None:
        if self.socket is None:
            return
        self.seq += 1
        self._pending[self.seq] = cmd
        header = {
            "Protocol": "req", "cmd": cmd, "appid": APP, "seq": self.seq, "room_id": "r",
            "session_id": self.ids.get("session_id", "0"), "room_session_id": self.ids.get("room_session_id", "0"),
        }  # fmt: skip
        if "user_id" in self.ids:
            header["user_id"] = self.ids["user_id"]
        self.socket.put(json.dumps({"header": header, "body": body}))

    # --- app

    def heartbeat(self) -> None:
        """The timer fires. If the last one was not answered within 8 s, the SDK logs in again on the same socket."""
        if not self.logged_in:
            return
        now = self.world.clock.now
        if self._unanswered_heartbeat is not None and now - self._unanswered_heartbeat >= 8_000:
            self.logged_in = False
            self._login()
            return
        if self._unanswered_heartbeat is None:
            self._unanswered_heartbeat = now
        self._send("hb", {"reserve": 0})

    def stream(self, sub_cmd: int, stream_id: str) -> None:
        if self.logged_in:
            self._send("stream", {"sub_cmd": sub_cmd, "stream_msg": json.dumps({"stream_id": stream_id, "extra_info": ""})})

    # --- frames

    def _on_frame(self, frame: Frame) -> None:
        header, body = frame["header"], frame["body"]
        cmd = header["cmd"]
        expected = self._pending.pop(header["seq"], None) if header["seq"] else None
        if header["Protocol"] == "rsp" and expected is None:
            return  # Given up: all pending requests fail when a login succeeds.
        if expected is not None and expected != cmd:
            self.problems.append(f"{cmd} answers {expected}")
        if header["appid"] != APP:
            self.problems.append("appid")
        if cmd != "login" and header["user_id"] != self.ids.get("user_id"):
            self.problems.append(f"user_id of {cmd}")
        if header["Protocol"] == "rsp" and body.get("err_code") != 0:
            self.problems.append(f"{cmd}: {body.get('err_code')} {body.get('err_message')}")
            return
        if cmd == "login":
            self._on_login(body)
        elif cmd == "stream":
            self.stream_seq = body["stream_seq"]
        elif cmd == "push_stream_update":
            self._on_stream_push(body)
        elif cmd == "stream_info":
            self._on_stream_info(body)
        elif cmd == "user_list":
            self._on_user_list(body)
        elif cmd == "push_userlist_update":
            self._on_user_push(body)
        elif cmd == "hb":
            self._on_heartbeat(body)
        elif cmd == "push_kickout" and self.ids.get("session_id") in (header["session_id"], body["session_id"]):
            self.kicked = body["reason"]

    def _on_login(self, body: Frame) -> None:
        self.ids = {key: body[key] for key in ("user_id", "session_id", "room_session_id")}
        self.logged_in = True
        self._pending.clear()
        if self.kind == "web" or not self.knows_room:
            # The mini-program takes the list only for a room that it does not know; elsewhere its old one stays.
            self.knows_room = True
            self.querying = False
            self._full(body["stream_seq"], body["stream_info"])
        self._send("user_list", {"user_index": 0, "sort_type": 0})

    def _on_stream_push(self, body: Frame) -> None:
        entries = body["stream_info"]
        if not entries:
            return
        if self.stream_seq + len(entries) != body["stream_seq"]:
            self._fetch()
            return
        self.stream_seq = body["stream_seq"]
        others = [entry for entry in entries if entry.get("anchor_id_name") != self.user]
        for entry in others:
            name = entry["stream_id"]
            if body["stream_cmd"] == 12001 and name not in self.streams:
                self.streams[name] = entry["extra_info"]
                self.events.append(("ADD", name))
            elif body["stream_cmd"] == 12002 and name in self.streams:
                del self.streams[name]
                self.events.append(("DELETE", name))
            elif body["stream_cmd"] == 12003 and name in self.streams and self.streams[name] != entry["extra_info"]:
                self.streams[name] = entry["extra_info"]
                self.events.append(("UPDATE", name))

    def _fetch(self) -> None:
        # The mini-program never resets this flag if the answer is lost: it never asks again.
        if not self.querying:
            self.querying = True
            self.fetches += 1
            self._send("stream_info", {"reserve": 0})

    def _on_stream_info(self, body: Frame) -> None:
        self.querying = False
        if body["stream_seq"] != self.stream_seq:
            # The mini-program filters the list by its command counter: nothing is left.
            self._full(body["stream_seq"], [] if self.kind == "miniprogram" else body["stream_info"])

    def _full(self, seq: int, entries: list[Frame]) -> None:
        self.stream_seq = seq
        now = {entry["stream_id"]: entry["extra_info"] for entry in entries if entry["anchor_id_name"] != self.user}
        self.events += [("ADD", name) for name in now if name not in self.streams]
        self.events += [("DELETE", name) for name in self.streams if name not in now]
        self.streams = now

    def _on_user_list(self, body: Frame) -> None:
        if body["ret_user_index"] != body["server_user_index"]:
            self.problems.append("another page")
        self.user_seq = body["server_user_seq"]
        now = {user["id_name"]: user["nick_name"] for user in body["user_baseinfos"] if user["id_name"] != self.user}
        before = self.users or {}
        self.user_events += [("ADD", name) for name in now if name not in before]
        self.user_events += [("DELETE", name) for name in before if name not in now]
        self.users = now

    def _on_user_push(self, body: Frame) -> None:
        if self.user_seq + len(body["user_actions"]) != body["user_list_seq"]:
            # The SDK collects such pushes and then announces people twice.
            self.problems.append(f"user_list_seq {body['user_list_seq']} at {self.user_seq}")
            return
        self.user_seq = body["user_list_seq"]
        assert self.users is not None
        for action in body["user_actions"]:
            name = action["IdName"]
            if action["Action"] == 1:
                if name in self.users:
                    self.problems.append(f"{name} added twice")
                self.users[name] = action["NickName"]
            else:
                if name not in self.users:
                    self.problems.append(f"{name} deleted but not there")
                self.users.pop(name, None)

    def _on_heartbeat(self, body: Frame) -> None:
        self._unanswered_heartbeat = None
        if body["server_user_seq"] != self.user_seq and self.users is not None:
            self.problems.append(f"server_user_seq {body['server_user_seq']} at {self.user_seq}")
        if "StreamRefresh" in body:
            self.problems.append("StreamRefresh")
        if body["stream_seq"] != self.stream_seq and self.kind == "web":
            # Web 1.4.0 fetches at once; the mini-program does nothing.
            self._fetch()
