"""Each command and each push, as a client without any behaviour of its own sees them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auth.errors import TokenNotPermitted
from rooms.errors import RateLimited, StoreUnavailable
from rooms.events import CustomCommand, EndReason
from tests.unit.signaling.room_json.samples import same_shape, sample
from tests.unit.signaling.room_json.wire import Peer, World

CREATE = {"sub_cmd": 2001, "stream_msg": '{"stream_id":"s","extra_info":null}', "third_token": "long expired"}


def custom(user: str, content: str = "do it 做", **claims: Any) -> str:
    claimed = {
        "from_userid": user, "from_username": f"name of {user}", "request_id": f"{user}-1", "custom_content": content, "room_id": "r",
    }  # fmt: skip
    return json.dumps(claimed | claims, ensure_ascii=False, separators=(",", ":"))


async def two(world: World) -> tuple[Peer, Peer]:
    a, b = world.peer(), world.peer()
    await a.enter("a", "r")
    await b.enter("b", "r")
    await a.quiet()
    await b.quiet()
    return a, b


async def test_login_answer() -> None:
    async with World(heartbeat_interval=5_000, log_url="https://log") as world:
        peer = world.peer()
        seq = peer.request("login", peer.login_body("a"))
        frame = await peer.frame()
        header, body = frame["header"], frame["body"]
        assert header["cmd"] == "login" and header["seq"] == seq and header["room_id"] == "r"
        assert (header["user_id"], header["session_id"]) == (body["user_id"], body["session_id"])
        same_shape(body, sample("login", "ok"))
        assert body["hearbeat_interval"] == 5_000 and body["config_info"]["log_url"] == "https://log"
        assert body["cluster_env"] == 0 and body["token_remain_time"] == 3600 and body["ret_timestamp"] == str(world.clock.now)
        assert "StreamRefresh" not in body


async def test_login_answer_lists_streams_and_attributes() -> None:
    async with World() as world:
        owner = world.house.join("r", "o")
        world.house.publish(owner, "s", "info")
        await world.house.set_extra_info(owner, "mode", "v")
        body = await world.peer().login("a")
        same_shape(body, sample("login", "ok-with-streams"))
        assert [s["stream_id"] for s in body["stream_info"]] == ["s"]
        assert body["online_count"] == 2
        assert body["trans_seqs"] == [{"trans_channel": "clt", "trans_seq_array": [{"trans_type": "mode", "trans_seq": 1}]}]


async def test_user_list_ends_paging_and_includes_oneself() -> None:
    async with World() as world:
        peer = world.peer()
        world.house.join("r", "o")
        await peer.login("a")
        body = await peer.reply("user_list", {"user_index": 0, "sort_type": 0})
        same_shape(body, sample("user_list"))
        assert {user["id_name"] for user in body["user_baseinfos"]} == {"a", "o"}
        assert body["ret_user_index"] == body["server_user_index"]


async def test_joins_and_leaves_are_pushed() -> None:
    async with World() as world:
        a = world.peer()
        await a.enter("a", "r")
        other = world.house.join("r", "o")
        join = await a.push("push_userlist_update")
        same_shape(join, sample("push_userlist_update", "join"))
        assert join["user_actions"][0] == {
            "Action": 1, "IdName": "o", "NickName": "name of o", "Role": 2, "LoginTime": str(world.clock.now),
        }  # fmt: skip
        world.house.end(other, EndReason.LOGOUT)
        leave = await a.push("push_userlist_update")
        assert leave["user_actions"][0]["Action"] == 2
        assert leave["user_list_seq"] == join["user_list_seq"] + 1


async def test_joins_between_login_and_user_list_are_held_back() -> None:
    # Mini-program 2.11.0 would apply them a second time, 5 s later (miniprogram-2.11.0.md §15 no. 8).
    async with World() as world:
        a = world.peer()
        await a.login("a")
        world.house.join("r", "o")
        assert await a.quiet() == []
        body = await a.reply("user_list", {"user_index": 0})
        assert len(body["user_baseinfos"]) == 2
        world.house.join("r", "p")
        assert (await a.push("push_userlist_update"))["user_list_seq"] == body["server_user_seq"] + 1


async def test_without_user_state_flag_nobody_is_announced() -> None:
    async with World() as world:
        a = world.peer()
        await a.login("a", user_state_flag=0)
        await a.reply("user_list", {"user_index": 0})
        world.house.join("r", "o")
        assert await a.quiet() == []


async def test_members_beyond_the_limit_are_only_counted() -> None:
    async with World(user_notify_limit=2) as world:
        a, b = await two(world)
        c = world.peer()
        await c.login("c")
        assert (await c.reply("user_list", {"user_index": 0}))["user_baseinfos"] == []
        late = world.house.join("r", "d")
        assert (await a.reply("hb"))["online_count"] == 4
        world.house.end(late, EndReason.LOGOUT)
        assert await a.quiet() == [] and await b.quiet() == [] and await c.quiet() == []
        await b.reply("logout")
        assert (await a.push("push_userlist_update"))["user_actions"][0]["IdName"] == "b"
        assert await c.quiet() == []


async def test_heartbeat() -> None:
    async with World() as world:
        a, b = await two(world)
        body = await a.reply("hb", {"reserve": 0})
        same_shape(body, sample("hb"))
        assert body["hearbeat_interval"] == 30_000 and body["online_count"] == 2
        # 0 would be a step back to the SDK: the number is that of the last list or push (§15 no. 7).
        assert body["server_user_seq"] == 2
        assert world.house.heard


async def test_stream_life() -> None:
    async with World() as world:
        a, b = await two(world)
        address = await b.reply("stream_publish", {"stream_id": "s", "url_type": "rtmp_v2"})
        same_shape(address, sample("stream_publish"))
        created = await b.reply("stream", CREATE)
        same_shape(created, sample("stream", "rsp"))
        added = await a.push("push_stream_update")
        same_shape(added, sample("push_stream_update", "12001"))
        assert added["stream_cmd"] == 12001 and added["stream_seq"] == 1 and added["stream_info"] == created["stream_info"]
        changed = await b.reply("stream", {"sub_cmd": 2003, "stream_msg": '{"stream_id":"s","extra_info":"second","stream_sid":"1"}'})
        update = await a.push("push_stream_update")
        assert (update["stream_cmd"], update["stream_seq"], update["stream_info"][0]["extra_info"]) == (12003, 2, "second")
        # After a wipe SDK 2.11.0 does not know the stream_sid any more (§15 no. 4).
        ended = await b.reply("stream", {"sub_cmd": 2002, "stream_msg": '{"stream_id":"s","extra_info":"","stream_sid":""}'})
        gone = await a.push("push_stream_update")
        assert (gone["stream_cmd"], gone["stream_seq"]) == (12002, 3)
        assert [created["stream_seq"], changed["stream_seq"], ended["stream_seq"]] == [1, 2, 3]
        assert await b.quiet() == []


async def test_ending_a_stream_that_is_not_there_is_no_mistake() -> None:
    # Web 1.4.0 ends own streams that a login answer lists; the answer must have its array (§15 no. 12).
    async with World() as world:
        a, _ = await two(world)
        body = await a.reply("stream", {"sub_cmd": 2002, "stream_msg": '{"stream_id":"never"}'})
        assert body["err_code"] == 0 and body["stream_info"] == [{"stream_id": "never"}]


async def test_stream_of_somebody_else_is_refused() -> None:
    async with World() as world:
        a, b = await two(world)
        await b.reply("stream_publish", {"stream_id": "s"})
        for cmd, body in (
            ("stream_publish", {"stream_id": "s"}), ("stream", CREATE), ("stream", CREATE | {"sub_cmd": 2002}),
            ("webrtc_url", {"stream_id": "s", "ptype": "push"}),
        ):  # fmt: skip
            assert (await a.reply(cmd, body))["err_code"] == 1000001012


async def test_stream_info_is_followed_by_the_list_as_a_push() -> None:
    # SDK 2.11.0 empties its list at the answer (§15 no. 1).
    async with World() as world:
        a, b = await two(world)
        await b.reply("stream", CREATE)
        own = CREATE | {"stream_msg": '{"stream_id":"own"}'}
        await a.reply("stream", own)
        a.rest()
        answer = await a.reply("stream_info", {"reserve": 0})
        again = await a.push("push_stream_update")
        assert {s["stream_id"] for s in answer["stream_info"]} == {"s", "own"}
        assert again["stream_cmd"] == 12001 and again["stream_info"] == answer["stream_info"]
        assert again["stream_seq"] == answer["stream_seq"] + 2
        assert (await a.reply("hb"))["stream_seq"] == again["stream_seq"]
        # With nothing on the air there is nothing to repeat: an empty push would be passed over, its number with it.
        for peer, name in ((b, "s"), (a, "own")):
            await peer.reply("stream", {"sub_cmd": 2002, "stream_msg": json.dumps({"stream_id": name})})
        a.rest()
        assert (await a.reply("stream_info", {}))["stream_info"] == []
        assert await a.quiet() == []


async def test_play_addresses() -> None:
    async with World() as world:
        a, _ = await two(world)
        body = await a.reply("stream_url", {"stream_ids": ["x", "y"], "url_type": "rtmp_v2"})
        same_shape(body, sample("stream_url"))
        assert [info["stream_id"] for info in body["stream_url_infos"]] == ["x", "y"]
        assert world.house.bases == ["ws://here:1"] * 2


@pytest.mark.parametrize("ptype", ["push", "pull"])
async def test_webrtc_address_echoes_what_it_is_routed_by(ptype: str) -> None:
    async with World() as world:
        web = world.peer(3, "2.14.0")
        await web.enter("a", "r")
        body = await web.reply("webrtc_url", {"stream_id": "s", "ptype": ptype, "signals": [], "retry": 0})
        assert body == {
            "err_code": 0, "err_message": "success", "stream_id": "s", "ptype": ptype, "clientip": "192.0.2.7", "is_center_node": False,
            "urls": [f"webrtc://s/{'publish' if ptype == 'push' else 'play'}"],
        }  # fmt: skip


async def test_refused_webrtc_address_says_whether_to_come_back() -> None:
    async with World() as world:
        web = world.peer(3, "2.14.0")
        await web.enter("a", "r")
        world.house.fault = StoreUnavailable("away")
        later = await web.reply("webrtc_url", {"stream_id": "s", "ptype": "push"})
        assert later["err_code"] and (later["need_action"], later["action_delay"]) == (2, 2000)
        world.house.fault = TokenNotPermitted("not this stream")
        never = await web.reply("webrtc_url", {"stream_id": "s", "ptype": "push"})
        assert never["err_code"] == 1101 and never["need_action"] == 1
        assert (never["stream_id"], never["ptype"], never["urls"]) == ("s", "push", [])


async def test_broadcast_is_not_sent_back() -> None:
    # SDKs do not filter their own broadcasts (§15 no. 10).
    async with World() as world:
        a, b = await two(world)
        body = await b.reply("im_chat", {"msg_category": 1, "msg_type": 1, "msg_priority": 1, "msg_content": 'häppy "弹"'})
        same_shape(body, sample("im_chat"))
        push = await a.push("push_im_chat")
        same_shape(push, sample("push_im_chat"))
        message = push["chat_data"][0]
        assert (message["id_name"], message["nick_name"], message["msg_content"]) == ("b", "name of b", 'häppy "弹"')
        assert message["msg_id"] == body["msg_id"] == push["server_msg_id"]
        assert await b.quiet() == []


async def test_barrage() -> None:
    async with World() as world:
        a, b = await two(world)
        msgs = [{"msg_category": 1, "msg_type": 1, "msg_content": text, "bigmsg_client_id": str(n)} for n, text in enumerate("xy")]
        body = await b.reply("bigim_chat", {"msgs": msgs})
        same_shape(body, sample("bigim_chat"))
        push = await a.push("push_merge_message")
        same_shape(push, sample("push_merge_message"))
        inner = json.loads(push["messages"][0]["msg_body"])
        same_shape(inner, json.loads(sample("push_merge_message")["messages"][0]["msg_body"]))
        assert (inner["room_id"], inner["msg_data"][0]["msg_content"]) == ("r", "x")
        assert inner["msg_data"][0]["bigmsg_id"] == body["msgs"][0]["bigmsg_id"]
        await a.push("push_merge_message")
        assert await b.quiet() == []


async def test_barrage_that_is_limited_half_way_confirms_what_went_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async with World() as world:
        a, b = await two(world)
        send = world.house.send_barrage
        left = [1]

        async def limited(*args: Any, **how: Any) -> Any:
            if not left:
                raise RateLimited("slow down")
            left.pop()
            return await send(*args, **how)

        monkeypatch.setattr(world.house, "send_barrage", limited)
        msgs = [{"msg_content": "x", "bigmsg_client_id": "1"}, {"msg_content": "y", "bigmsg_client_id": "2"}]
        body = await b.reply("bigim_chat", {"msgs": msgs})
        assert [m["bigmsg_client_id"] for m in body["msgs"]] == ["1"]
        assert (await b.reply("bigim_chat", {"msgs": msgs}))["err_code"] == 1000000207


async def test_custom_command_reaches_only_its_receivers_byte_for_byte() -> None:
    async with World() as world:
        a, b = await two(world)
        c = world.peer()
        await c.enter("c", "r")
        await a.quiet()
        await b.quiet()
        text = ' {"room_id":"r", "from_username":"name of b","from_userid":"\\u0062","custom_content":"x" ,"more":[1.0]}'
        same_shape(await b.reply("custommsg", {"dest_id_name": ["a", "b"], "custom_msg": text}), sample("custommsg"))
        push = await a.push("push_custommsg")
        same_shape(push, sample("push_custommsg"))
        assert push["custommsg"] == text
        assert await c.quiet() == [] and await b.quiet() == []
        await b.reply("custommsg", {"dest_id_name": [], "custom_msg": custom("b")})
        assert (await c.push("push_custommsg"))["custommsg"] == custom("b")


@pytest.mark.parametrize("text", [
    custom("a"), custom("b", from_username="name of a"), custom("b", room_id="other"), custom("b", from_userid=None),
    '{"from_userid":"b","from_username":"name of b","room_id":"r","from_userid":"a"}', "{}", "not json", '"text"',
])  # fmt: skip
async def test_custom_command_in_the_name_of_another_is_refused(text: str) -> None:
    async with World() as world:
        a, b = await two(world)
        body = await b.reply("custommsg", {"dest_id_name": ["a"], "custom_msg": text})
        assert body["err_code"] != 0
        assert await a.quiet() == []


async def test_length_of_a_custom_command_is_that_of_its_content() -> None:
    async with World() as world:
        _, b = await two(world)
        fits, too_long = custom("b", '"' * 1024), custom("b", "做" * 342)
        assert (await b.reply("custommsg", {"dest_id_name": [], "custom_msg": fits}))["err_code"] == 0
        assert (await b.reply("custommsg", {"dest_id_name": [], "custom_msg": too_long}))["err_code"] == 1000050012


async def test_custom_command_of_the_operator_is_wrapped_as_sdks_expect_it() -> None:
    async with World() as world:
        a, _ = await two(world)
        world.house.emit("r", CustomCommand(
            rev=world.house.next_rev("r"), user_id="admin", user_name="Admin", to=("a",), content="bare", from_server=True,
        ))  # fmt: skip
        inner = json.loads((await a.push("push_custommsg"))["custommsg"])
        assert inner == {"from_userid": "admin", "from_username": "Admin", "request_id": "", "custom_content": "bare", "room_id": "r"}


async def test_room_attribute() -> None:
    async with World() as world:
        a, b = await two(world)
        body = await b.reply("trans", {"trans_type": "mode", "trans_data": "v1", "trans_local_seq": 0, "trans_channel": "clt"})
        same_shape(body, sample("trans"))
        push = await a.push("push_trans")
        same_shape(push, sample("push_trans"))
        # Web 1.4.0 reads trans_user_idname, others trans_idname.
        assert push["trans_idname"] == push["trans_user_idname"] == "b"
        # SDK 2.11.0 names the server's own version as its own: the data is returned all the same (§15 no. 11).
        fetch = {"trans_channel": "clt", "fetch_array": [{"trans_type": "mode", "trans_local_seq": 1}, {"trans_type": "other"}]}
        fetched = await a.reply("trans_fetch", fetch)
        same_shape(fetched, sample("trans_fetch"))
        assert [r["err_code"] for r in fetched["trans_fetch_results"]] == [0, 1000001109]
        assert fetched["trans_fetch_results"][0]["trans_data"] == "v1"
        assert (await a.reply("hb"))["trans_seqs"][0]["trans_seq_array"] == [{"trans_type": "mode", "trans_seq": 1}]


async def test_token_renewal() -> None:
    async with World() as world:
        a, _ = await two(world)
        same_shape(await a.reply("renew_token", {"token": "new"}), sample("renew_token"))
        assert (await a.reply("renew_token", {"token": "bad"}))["err_code"] == 1000002002
        assert (await a.reply("hb"))["err_code"] == 0


async def test_cdn_and_mixing_are_refused_so_that_the_sdk_settles() -> None:
    async with World() as world:
        a, _ = await two(world)
        cdn = await a.reply("biz_channel", {"channel": "media", "cmd": "addpush", "req_body": "{}", "is_retry_req": 0})
        assert cdn["err_code"] == 0 and json.loads(cdn["rsp_body"])["code"] != 0 and cdn["cmd"] == "addpush"
        mix = await a.reply("biz_channel", {"channel": "zeus", "cmd": "start_mix", "req_body": "{}", "is_retry_req": 0})
        # Above 10^9, or the promise of SDK 2.11.0 never settles (§15 no. 16).
        assert mix["err_code"] == 1000000157
        other = await a.reply("biz_channel", {"channel": "x", "cmd": "y"})
        assert other["err_code"] == 1000000009


@pytest.mark.parametrize("cmd", ["relay", "user_list_v2", "signal", "zegochat_js.room_im_chat_fetch", "", "läuft\n"])
async def test_unknown_commands_are_refused_not_ignored(cmd: str) -> None:
    async with World() as world:
        a, _ = await two(world)
        assert (await a.reply(cmd, {"relay_type": 1}))["err_code"] == 1000000009


async def test_logout_ends_the_session_and_frees_the_user() -> None:
    async with World() as world:
        a, b = await two(world)
        await b.reply("stream", CREATE)
        # The SDK closes its socket at once (§10).
        b.request("logout", {"reserve": 0, "login_logic": 1})
        await b.lose()
        assert world.house.left == [(int(b.header["session_id"]), True)]
        assert (await a.push("push_stream_update"))["stream_cmd"] == 12001
        assert (await a.push("push_stream_update"))["stream_cmd"] == 12002
        assert (await a.push("push_userlist_update"))["user_actions"][0]["Action"] == 2
        assert world.house.told == {}


@pytest.mark.parametrize(("reason", "code"), [
    (EndReason.REPLACED, 1), (EndReason.KICKED, 2), (EndReason.ROOM_CLOSED, 2), (EndReason.TOKEN_EXPIRED, 5),
])  # fmt: skip
async def test_kick(reason: EndReason, code: int) -> None:
    async with World() as world:
        a, _ = await two(world)
        mine = world.house.session(int(a.header["session_id"]))
        world.house.end(mine, reason, "because")
        push = await a.push("push_kickout")
        same_shape(push, sample("push_kickout", "reason 1"))
        assert (push["reason"], push["custom_reason"], push["session_id"]) == (code, "because", a.header["session_id"])
        # All rooms of the engine: there is only this one.
        assert push.get("protocol", 1) == 1


async def test_session_that_timed_out_is_not_told_but_made_to_log_in_again() -> None:
    async with World() as world:
        a, _ = await two(world)
        world.house.end(world.house.session(int(a.header["session_id"])), EndReason.TIMEOUT)
        # 1000002001 would disconnect SDK 2.11.0 (§15 no. 6).
        seq = a.request("hb")
        frame = await a.frame()
        assert frame["header"]["seq"] == seq and frame["body"]["err_code"] == 1000000105


async def test_second_login_elsewhere_kicks_the_first_connection() -> None:
    async with World() as world:
        a, _ = await two(world)
        elsewhere = world.peer()
        await elsewhere.enter("a", "r")
        assert (await a.push("push_kickout"))["reason"] == 1
        assert (await elsewhere.reply("hb"))["err_code"] == 0
