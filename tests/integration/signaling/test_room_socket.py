"""The room socket of an assembled node, on both kinds of store, with real WebSockets."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from signaling.refusals import Kind
from tests.integration.signaling.nodes import APP, Client, Node, token
from tests.waiting import until

CREATE = {"sub_cmd": 2001, "stream_msg": '{"stream_id":"s","extra_info":"first"}'}


def custom(user: str, content: str) -> str:
    return json.dumps({
        "from_userid": user, "from_username": f"name of {user}", "request_id": "1", "custom_content": content, "room_id": "r",
    }, ensure_ascii=False)  # fmt: skip


async def test_users_streams_and_messages(store_url: str) -> None:
    async with Node(store_url) as node, Client(node, "a") as a, Client(node, "b", client_type=3, version="2.14.0") as b:
        login = await a.login()
        assert login["token_remain_time"] > 3000 and login["online_count"] == 1
        await b.login()
        assert (await a.push("push_userlist_update"))["user_actions"][0]["IdName"] == "b"

        address = await b.request("webrtc_url", {"stream_id": "s", "ptype": "push"})
        assert address["urls"][0].startswith(node.ws_url.replace("/ws", "/media?"))
        created = await b.request("stream", CREATE)
        added = await a.push("push_stream_update")
        (told,), (own,) = added["stream_info"], created["stream_info"]
        assert told["urls_rtmp"] and told["urls_flv"] and not own["urls_rtmp"]  # who publishes it has no use for them
        assert own == told | {"urls_rtmp": [], "urls_flv": []} and added["stream_seq"] == 1
        assert (await a.request("webrtc_url", {"stream_id": "s", "ptype": "push"}))["err_code"] == 1000001012
        await b.request("stream", {"sub_cmd": 2003, "stream_msg": '{"stream_id":"s","extra_info":"second"}'})
        assert (await a.push("push_stream_update"))["stream_info"][0]["extra_info"] == "second"
        answer = await a.request("stream_info")
        assert (await a.push("push_stream_update"))["stream_seq"] == answer["stream_seq"] + 1

        sent = await a.request("im_chat", {"msg_content": "hällo"})
        assert (await b.push("push_im_chat"))["chat_data"][0]["msg_id"] == sent["msg_id"]
        await a.request("bigim_chat", {"msgs": [{"msg_content": "弹", "bigmsg_client_id": "1"}]})
        assert "弹" in (await b.push("push_merge_message"))["messages"][0]["msg_body"]
        text = custom("a", "do 做")
        assert (await a.request("custommsg", {"dest_id_name": ["b"], "custom_msg": text}))["err_code"] == 0
        assert (await b.push("push_custommsg"))["custommsg"] == text
        assert (await a.request("custommsg", {"dest_id_name": ["b"], "custom_msg": custom("b", "lie")}))["err_code"] != 0
        assert (await a.request("trans", {"trans_type": "mode", "trans_data": "v"}))["trans_seq"] == 1
        assert (await b.push("push_trans"))["trans_data"] == "v"
        fetched = await b.request("trans_fetch", {"trans_channel": "clt", "fetch_array": [{"trans_type": "mode"}]})
        assert fetched["trans_fetch_results"][0]["trans_data"] == "v"

        assert (await a.request("renew_token", {"token": token("a", 7200)}))["token_remain_time"] > 7000
        assert (await a.request("renew_token", {"token": token("b")}))["err_code"] == 1000002002
        heartbeat = await a.request("hb", {"reserve": 0})
        assert (heartbeat["online_count"], heartbeat["server_user_seq"]) == (2, 2)
        assert heartbeat["trans_seqs"][0]["trans_seq_array"] == [{"trans_type": "mode", "trans_seq": 1}]

        a.frames.clear()
        await b.request("logout", {"reserve": 0, "login_logic": 1})
        assert (await a.push("push_stream_update"))["stream_cmd"] == 12002
        assert (await a.push("push_userlist_update"))["user_actions"][0]["Action"] == 2


@pytest.mark.parametrize(("wrong", "code"), [
    ({"token": "04rubbish"}, 1000002002), ({"token": token("b")}, 1000002002), ({"token": token("a", -10)}, 1010),
    ({"id_name": "a b"}, 1000002002),
])  # fmt: skip
async def test_refused_logins_leave_nothing_behind(store_url: str, wrong: dict[str, str], code: int) -> None:
    async with Node(store_url) as node, Client(node, "a") as a:
        assert (await a.login(**wrong))["err_code"] == code
        assert (await a.request("login", {"id_name": "a", "token": "t"}, appid=APP + 1))["err_code"] == 1000000101
        assert await node.hearth.rooms.users(APP, "r") == []
        assert (await a.login())["err_code"] == 0


async def test_client_comes_back_on_another_node() -> None:
    store = f"memory://shared-{random.getrandbits(32)}"
    async with Node(store) as one, Node(store) as two, Client(one, "w") as watcher, Client(one, "a") as first:
        await watcher.login()
        before = await first.login()
        await first.request("stream_info")
        await watcher.request("stream", CREATE)
        await first.push("push_stream_update")
        await until(lambda: any(f["header"]["cmd"] == "push_userlist_update" for f in watcher.frames))
        watcher.frames.clear()
        await first.leave()
        await watcher.request("stream", {"sub_cmd": 2002, "stream_msg": '{"stream_id":"s"}'})
        async with first.again(two) as second:
            after = await second.login()
            assert after["session_id"] == before["session_id"]
            push = await second.push("push_stream_update")
            assert (push["stream_cmd"], push["stream_info"][0]["stream_id"]) == (12002, "s")
            await watcher.request("im_chat", {"msg_content": "across"})
            assert (await second.push("push_im_chat"))["chat_data"][0]["msg_content"] == "across"
            assert [f for f in watcher.frames if f["header"]["cmd"] == "push_userlist_update"] == []


async def test_second_login_elsewhere_kicks_the_first(store_url: str) -> None:
    async with Node(store_url) as node, Client(node, "a") as old, Client(node, "a") as new:
        await old.login()
        assert (await new.login())["err_code"] == 0
        assert (await old.push("push_kickout"))["reason"] == 1
        assert (await new.request("hb"))["err_code"] == 0
        # The older device comes back: it is told, and does not throw the newer one out.
        async with old.again() as again:
            await again.request("login", {
                "id_name": "a", "nick_name": "name of a", "token": token("a"), "client_type": 2, "version": "2.11.0",
            })  # fmt: skip
            assert (await again.push("push_kickout"))["reason"] == 1
        assert (await new.request("hb"))["err_code"] == 0


async def test_operator_kicks_and_speaks(store_url: str) -> None:
    async with Node(store_url) as node, Client(node, "a") as a:
        await a.login()
        rooms = node.hearth.rooms
        await rooms.messages.broadcast_from_server(APP, "r", "admin", "Admin", "attention")
        assert (await a.push("push_im_chat"))["chat_data"][0]["id_name"] == "admin"
        await rooms.messages.command_from_server(APP, "r", "admin", "Admin", "bare", ["a"])
        assert json.loads((await a.push("push_custommsg"))["custommsg"])["custom_content"] == "bare"
        await rooms.kick(APP, "r", "a", message="bye")
        kick = await a.push("push_kickout")
        assert (kick["reason"], kick["custom_reason"]) == (2, "bye")


async def test_several_rooms(store_url: str) -> None:
    async with Node(store_url) as node, Client(node, "a") as a, Client(node, "b") as b:
        await b.login("r2")
        await a.login("r", login_logic=3)
        main = dict(a.header)
        a.header |= {"session_id": "0", "room_session_id": "0"}
        assert (await a.login("r2", cmd="enter", login_logic=3))["err_code"] == 0
        further = dict(a.header)
        assert further["user_id"] == main["user_id"] and further["session_id"] != main["session_id"]
        await b.request("im_chat", {"msg_content": "in r2"})
        assert (await a.push("push_im_chat"))["chat_data"][0]["msg_content"] == "in r2"
        a.header = main
        await a.leave()
        async with a.again() as again:
            await again.login("r", login_logic=3)
            await b.request("bigim_chat", {"msgs": [{"msg_content": "still there?"}]})
            assert "still there?" in (await again.push("push_merge_message"))["messages"][0]["msg_body"]
            await again.request("logout", {"login_logic": 3}, **main)
            assert await node.hearth.rooms.users(APP, "r") == []
            assert [user.user_id for user in await node.hearth.rooms.users(APP, "r2")] == ["b"]


async def test_drain_answers_heartbeats_and_lets_the_sessions_wait(store_url: str) -> None:
    async with Node(store_url) as node, Client(node, "a") as a:
        await a.login()
        beats = [asyncio.create_task(a.request("hb")) for _ in range(3)]
        await until(lambda: node.hearth.room_sockets.requests["hb", Kind.OK] >= 1)
        node.hearth.rooms.begin_drain()
        await node.hearth.room_sockets.drain()
        assert [beat["err_code"] for beat in await asyncio.gather(*beats)] == [0, 0, 0]
        assert await a.end() == 1012
        assert [user.user_id for user in await node.hearth.rooms.users(APP, "r")] == ["a"]


async def test_client_that_does_not_read_is_let_go_and_costs_nobody_else() -> None:
    async with Node(f"memory://deaf-{random.getrandbits(32)}") as node, Client(node, "t") as other, Client(node, "d") as deaf:
        await other.login()
        await deaf.login()
        assert deaf.socket is not None
        deaf.socket.transport.pause_reading()
        sockets, rooms = node.hearth.room_sockets, node.hearth.rooms
        for _ in range(400):
            # Kernels buffer some megabytes before the server notices anything.
            await asyncio.gather(*(rooms.messages.broadcast_from_server(APP, "r", "admin", "Admin", "x" * 1024) for _ in range(50)))
            if sockets.connections == 1:
                break
        await until(lambda: sockets.connections == 1)
        assert (await other.request("hb"))["online_count"] == 2
        deaf.socket.transport.abort()


@pytest.mark.parametrize(("frame", "code"), [("rubbish", 1007), (b"\x00\x01", 1003), ("[" * 5000, 1007), ("x" * 140_000, 1009)])
async def test_rubbish_closes_the_connection(store_url: str, frame: str | bytes, code: int) -> None:
    async with Node(store_url) as node, Client(node, "a") as a, Client(node, "w") as watcher:
        await a.login()
        await a.send(frame)
        assert await a.end() == code
        await watcher.login()
        assert [user.user_id for user in await node.hearth.rooms.users(APP, "r")] == ["a", "w"]


async def test_random_frames_on_a_live_socket() -> None:
    rng = random.Random(11)
    async with Node(f"memory://fuzz-{rng.random()}") as node, Client(node, "w") as watcher:
        await watcher.login()
        for _ in range(25):
            async with Client(node, "a") as a:
                await a.login()
                for _ in range(10):
                    frame = json.dumps({"header": {"cmd": "im_chat", "appid": APP, "seq": 99, **a.header}, "body": {"msg_content": "x"}})
                    place = rng.randrange(len(frame))
                    noise = chr(rng.choice([0, 34, 44, 58, 91, 92, 123, 125, 233, 0x4E00]))
                    text = frame[:place] + noise + frame[place + rng.randint(0, 2) :]
                    if a.closed is None:
                        await a.send(text if rng.random() < 0.97 else text.encode())
        assert (await watcher.request("hb"))["err_code"] == 0
        # The other users of the house see one member, who waits or is there.
        assert {user.user_id for user in await node.hearth.rooms.users(APP, "r")} == {"a", "w"}
