"""Rooms on the hub: every command and push of service 17."""

from __future__ import annotations

import json

import pytest

from rooms.errors import Draining, RateLimited, RoomFull, StoreUnavailable, UserDenied
from rooms.events import Broadcast, CustomCommand, EndReason
from signaling.accesshub.frames import MessageType
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.rooms import pushes
from signaling.accesshub.rooms.codec import SharedPush
from signaling.sockets import InRoom
from tests.unit.signaling.accesshub.samples import SAMPLES, first, message
from tests.unit.signaling.accesshub.test_explicit_zeros import present
from tests.unit.signaling.accesshub.wire import Peer, World, read_payload
from tests.unit.signaling.house import APP


def fields(found: object) -> set[str]:
    return set(present(found))  # type: ignore[arg-type]


async def pair(world: World) -> tuple[Peer, Peer]:
    """Two members who know each other."""
    alice, bob = world.peer(), world.peer()
    await alice.enter("alice")
    await bob.enter("bob")
    await alice.push(10001)
    return alice, bob


# --- login


async def test_login_answers_what_sdks_accepted() -> None:
    async with World() as world:
        world.house.publish(world.house.join("r", "host"), "s", "info")
        peer = world.peer()
        answer = await peer.login("a")
        captured = message(first("switch", 1002))
        unused = {"gather_list_seq"}
        assert fields(captured) - unused <= fields(answer)
        assert (answer.rsp_head.code, answer.online_count, answer.token_remain_time) == (0, 2, 3600)
        assert answer.anchor_info.id_name == b"a" and answer.user_id
        (stream,) = answer.stream_info_list
        assert (stream.stream_id, stream.id_name, stream.extra_info, stream.stream_type) == (b"s", b"host", b"info", 0)
        assert stream.HasField("stream_type") and answer.room_session_id == world.house.view("r").lifetime_id


async def test_login_knows_its_client_by_its_numbers() -> None:
    async with World() as world:
        phone, page = world.peer(), world.peer()
        await phone.login("a", term_type=7, sdk_version=1882195456)
        await page.login("b", term_type=6, sdk_version=1613761536)
        clients = {session.user_id: session.client for session in world.house.sessions.values()}
        assert (clients["a"].kind, clients["a"].version) == ("miniprogram", "3.6.0")
        assert (clients["b"].kind, clients["b"].version) == ("web", "3.12.0")


async def test_login_again_after_a_lost_socket_is_the_same_session_and_nobody_notices() -> None:
    async with World() as world:
        alice, bob = await pair(world)
        session, key = bob.session_id, bob.context_key
        await bob.lose()
        again = bob.again()
        answer = await again.enter("bob")
        assert answer.user_session_id == session
        assert again.context_key != key  # pushes behind the answer are kept by SDKs until they have handled it
        assert await alice.quiet() == []


async def test_stream_sequence_rises_across_sessions_of_a_client() -> None:
    """SDKs remember the highest one, and take pushes below it for old (3.6.0: ``max fetch stream seq``)."""
    async with World() as world:
        peer = world.peer()
        first_login = await peer.login("a")
        for number in range(3):
            world.house.publish(world.house.join("r", f"h{number}"), f"s{number}")
        await peer.quiet()
        await peer.reply(1003, pb.SwLogoutRoomReq())
        world.clock.now += 5000
        peer.session_id = 0
        second = await peer.login("a")
        assert second.stream_list_seq > first_login.stream_list_seq + 3


async def test_second_login_of_a_user_kicks_the_first() -> None:
    async with World() as world:
        first_one, second = world.peer(), world.peer()
        await first_one.enter("a")
        await second.enter("a")
        kick = await first_one.push(1105)
        assert (kick.reason, kick.is_need_relogin) == (1, 0)
        assert kick.HasField("is_need_relogin")


async def test_return_of_a_replaced_session_is_refused_as_kicked() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a")
        await peer.lose()
        other = world.peer()
        await other.enter("a")
        answer = await peer.again().login("a")
        assert answer.rsp_head.code == 50013


async def test_return_of_a_kicked_session_hears_its_kick() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a")
        await peer.lose()
        world.house.end(world.house.session(peer.session_id), EndReason.KICKED, "too loud")
        again = peer.again()
        answer = await again.login("a")
        assert answer.rsp_head.code == 0 and answer.HasField("anchor_info")
        kick = await again.push(10002)
        assert kick.kickout_reason == 2
        assert world.hubs.sessions == 0


@pytest.mark.parametrize(
    ("token", "fault", "code"),
    [
        (b"bad", None, 202002),
        (b"expired", None, 50117),
        (b"token", UserDenied("no"), 205030),
        (b"token", RoomFull("full"), 201105),
        (b"token", RateLimited("slow"), 200207),
        (b"token", StoreUnavailable("away"), 200208),
    ],
)
async def test_refused_login_says_why(token: bytes, fault: Exception | None, code: int) -> None:
    async with World() as world:
        world.house.fault = fault
        peer = world.peer()
        answer = await peer.login("a", third_token=token)
        assert answer.rsp_head.code == code and answer.rsp_head.message
        assert world.hubs.sessions == 0


async def test_login_at_a_draining_node_sends_the_client_to_another() -> None:
    async with World() as world:
        world.hubs.elsewhere = ["two.example:8443"]
        world.house.fault = Draining("not here")
        peer = world.peer()
        answer = await peer.login("a")
        assert answer.rsp_head.code == 200208
        redirect = pb.AhRedirect2.FromString(await peer.answer(MessageType.REDIRECT_2, 0))
        assert [(group.host, group.main_domain) for group in redirect.wss_groups] == [("two.example:8443", "two.example")]
        assert (await peer.ended())[0] == 1012


@pytest.mark.parametrize("elsewhere", [[], ["two.example"]])
async def test_drain_lets_sessions_wait_and_says_where_to_go(elsewhere: list[str]) -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a")
        world.hubs.elsewhere = elsewhere
        await world.hubs.drain()
        assert (await peer.ended())[0] == 1012
        last = peer.rest()[-1]
        if elsewhere:
            assert last.type == MessageType.REDIRECT_2
        else:
            assert last.type == MessageType.CLOSE_CONNECTION
            assert pb.AhCloseConnection.FromString(last.body).action == 2
        assert peer.session_id in world.house.told


# --- several rooms


async def test_further_rooms_share_the_channel_and_end_apart() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.login("a", login_logic=3)
        main, main_key = peer.session_id, peer.context_key
        body = pb.LrEnterRoomReq(room_id=b"side", role=2, third_token=b"token", user_state_flag=1)
        answer = await peer.reply(301001, body, context_key=0)
        side_key = peer.context_key
        assert answer.rsp_head.code == 0 and answer.HasField("anchor_info")
        assert fields(message(first("switch", 301002))) - {"gather_list_seq"} <= fields(answer)
        assert side_key != main_key and world.hubs.sessions == 2
        assert world.house.session(main).login_id == world.house.session(answer.user_session_id).login_id

        await peer.reply(301003, pb.LrQuitRoomReq(), context_key=side_key)
        assert world.house.left == [(answer.user_session_id, False)] and world.hubs.sessions == 1
        await peer.reply(1003, pb.SwLogoutRoomReq(), context_key=main_key)
        assert world.house.left[-1] == (main, True) and world.hubs.sessions == 0


async def test_who_leaves_gives_its_share_of_the_room_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others on the node go on with the same list of members."""
    async with World() as world:
        peer, given_back = world.peer(), list[int]()
        give_back = world.hubs.session_gone

        def count(session: InRoom) -> None:
            given_back.append(session.session.session_id)
            give_back(session)

        monkeypatch.setattr(world.hubs, "session_gone", count)
        await peer.login("a", login_logic=3)
        main, main_key = peer.session_id, peer.context_key
        answer = await peer.reply(301001, pb.LrEnterRoomReq(room_id=b"side", role=2, third_token=b"token"), context_key=0)
        await peer.reply(301003, pb.LrQuitRoomReq())
        assert given_back == [answer.user_session_id]
        await peer.reply(1003, pb.SwLogoutRoomReq(), context_key=main_key)
        assert given_back == [answer.user_session_id, main]


async def test_a_kick_from_one_of_several_rooms_leaves_the_others() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.login("a", login_logic=3)
        side = await peer.reply(301001, pb.LrEnterRoomReq(room_id=b"side", role=2, third_token=b"token"), context_key=0)
        world.house.end(world.house.session(side.user_session_id), EndReason.KICKED, "out")
        kick = await peer.push(10002)
        assert (kick.kickout_reason, kick.custom_reason, kick.user_session_id) == (2, b"out", side.user_session_id)
        assert world.hubs.sessions == 1


# --- users


async def test_user_list_is_one_page_and_later_changes_follow_its_sequence() -> None:
    async with World() as world:
        world.house.join("r", "other")
        peer = world.peer()
        await peer.login("a")
        users = await peer.reply(304001, pb.LrGetUserlistReq())
        assert [user.id_name for user in users.user_base_info_list] == [b"other", b"a"]
        assert users.ret_user_index == users.server_user_index and users.HasField("server_user_seq")
        newcomer = world.house.join("r", "newcomer")
        joined = await peer.push(10001)
        assert joined.server_user_seq == users.server_user_seq + 1
        assert [(action.action, action.id_name) for action in joined.user_action_list] == [(1, b"newcomer")]
        world.house.end(newcomer, EndReason.LOGOUT)
        left = await peer.push(10001)
        assert left.server_user_seq == users.server_user_seq + 2 and left.user_action_list[0].action == 2
        beat = await peer.reply(301005, pb.LrHbReq())
        assert (beat.user_seq, beat.online_count) == (left.server_user_seq, 2)


async def test_without_user_updates_nobody_is_announced() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.login("a", user_state_flag=0)
        world.house.join("r", "other")
        assert await peer.quiet() == []


# --- streams


async def test_streams_are_pushed_one_by_one_each_with_the_next_sequence() -> None:
    async with World() as world:
        peer = world.peer()
        login = await peer.enter("a")
        host = world.house.join("r", "host")
        world.house.publish(host, "s1")
        world.house.publish(host, "s2")
        world.house.update(host, "s1", "changed")
        world.house.unpublish(host, "s2")
        seen = [(number, push) for number, push in await peer.quiet() if number != 10001]
        assert [(number, push.stream_info_list[0].stream_id) for number, push in seen] == [
            (12001, b"s1"), (12001, b"s2"), (12003, b"s1"), (12002, b"s2"),
        ]  # fmt: skip
        base = login.stream_list_seq
        assert [push.stream_seq for _, push in seen] == [base + 1, base + 2, base + 3, base + 4]
        assert (await peer.reply(301005, pb.LrHbReq())).stream_seq == base + 4


async def test_after_lost_events_each_difference_is_a_push_of_its_own() -> None:
    async with World() as world:
        peer = world.peer()
        login = await peer.enter("a")
        host = world.house.join("r", "host")
        world.house.publish(host, "gone")
        await peer.quiet()
        world.house.cut = True
        world.house.unpublish(host, "gone")
        world.house.publish(host, "one")
        world.house.publish(host, "two")
        world.house.resync("r")
        seen = [(number, push.stream_seq - login.stream_list_seq) for number, push in await peer.quiet()]
        assert seen == [(12002, 2), (12001, 3), (12001, 4)]


async def test_own_stream_is_announced_changed_and_withdrawn() -> None:
    async with World() as world:
        alice, bob = await pair(world)
        base = (await bob.reply(301005, pb.LrHbReq())).stream_seq
        added = await bob.reply(302001, pb.LrAddStreamReq(stream_id=b"s", extra_info=b"x0", third_token=b"token"))
        assert (added.rsp_head.code, added.stream_seq, added.stream_ver) == (0, base + 1, 1)
        assert fields(message(first("switch", 302002))) <= fields(added)
        changed = await bob.reply(302005, pb.LrUpdateStreamReq(stream_id=b"s", extra_info=b"x1"))
        assert (changed.stream_seq, changed.stream_ver) == (base + 2, 2)
        listed = await bob.reply(302007, pb.LrGetStreamListReq())
        assert [stream.extra_info for stream in listed.stream_info_list] == [b"x1"] and listed.stream_list_seq > base + 2
        # An empty stream_sid, as after a list was emptied: the stream is known by its name.
        assert (await bob.reply(302003, pb.LrDeleteStreamReq(stream_sid="", stream_id=b"s"))).rsp_head.code == 0
        assert [number for number, _ in await alice.quiet()] == [12001, 12003, 12002]
        assert await bob.quiet() == []


async def test_taken_stream_is_refused() -> None:
    async with World() as world:
        alice, bob = await pair(world)
        await alice.reply(302001, pb.LrAddStreamReq(stream_id=b"s"))
        assert (await bob.reply(302001, pb.LrAddStreamReq(stream_id=b"s"))).rsp_head.code == 201012


async def test_pushes_wait_behind_a_list_until_the_next_request() -> None:
    async with World(settle=3_600_000) as world:
        peer = world.peer()
        await peer.enter("a")
        world.house.publish(world.house.join("r", "host"), "s")
        peer.send(12, 5, pb.AhHBRequest(txid=9))
        assert (await peer.frame()).type == MessageType.HEARTBEAT_RESPONSE
        seq = peer.request(303001, pb.LrSendImReq(msg_content=b"x"))
        payloads = [await peer.payload() for _ in range(3)]
        assert [payload.push()[0] for payload in payloads[:2]] == [10001, 12001]
        assert payloads[2].header.seq == seq


# --- messages


async def test_broadcast_reaches_the_others_with_the_id_of_its_answer() -> None:
    async with World() as world:
        alice, bob = await pair(world)
        sent = await alice.reply(303001, pb.LrSendImReq(msg_category=1, msg_type=1, msg_content="héllo 你好".encode()))
        push = await bob.push(13001)
        (data,) = push.msg_list
        assert (data.msg_content.decode(), data.id_name, data.msg_id) == ("héllo 你好", b"alice", sent.msg_id)
        captured = next(read_payload(s.data).push()[1] for s in SAMPLES if s.number == 1101 and read_payload(s.data).push()[0] == 13001)
        assert fields(captured) == fields(push) and fields(captured.msg_list[0]) == fields(data)
        assert await alice.quiet() == []


async def test_empty_and_unreadable_messages_are_refused() -> None:
    async with World() as world:
        alice, _ = await pair(world)
        assert (await alice.reply(303001, pb.LrSendImReq(msg_content=b""))).rsp_head.code == 201008
        assert (await alice.reply(303001, pb.LrSendImReq(msg_content=b"\xff"))).rsp_head.code == 200002


async def test_barrage_echoes_its_client_id_and_is_pushed_merged() -> None:
    async with World() as world:
        alice, bob = await pair(world)
        body = pb.LrSendBigImReq(msg_list=[pb.LrSendBigImReqMsgData(msg_category=1, msg_type=1, msg_content=b"flies", msg_client_id=b"7")])
        answer = await alice.reply(303005, body)
        assert answer.HasField("big_im_time_window") and answer.msg_list[0].msg_client_id == b"7"
        push = await bob.push(14001)
        assert (push.msg_list[0].msg_content, push.msg_list[0].msg_id) == (b"flies", answer.msg_list[0].msg_id)
        assert (await alice.reply(303005, pb.LrSendBigImReq())).rsp_head.code == 200002


async def test_custom_command_is_passed_on_byte_for_byte_and_only_in_its_senders_name() -> None:
    async with World() as world:
        alice, bob = await pair(world)
        text = '{"from_userid":"alice", "from_username":"name of alice","request_id":"1","custom_content":"do","room_id":"r"}'
        to_bob = [pb.LrToUser(id_name=b"bob")]
        answer = await alice.reply(303017, pb.LrSignalLiveCustomReq(push_message=text.encode(), to_user_list=to_bob))
        assert answer.rsp_head.code == 0
        assert await bob.push(11005) == text.encode()
        lie = text.replace("alice", "bob")
        assert (await alice.reply(303017, pb.LrSignalLiveCustomReq(push_message=lie.encode()))).rsp_head.code == 200002
        assert (await alice.reply(303017, pb.LrSignalLiveCustomReq(push_message=b"{"))).rsp_head.code == 200003


async def test_transparent_and_channel_messages_reach_those_named_and_nobody_else() -> None:
    async with World() as world:
        alice, bob = await pair(world)
        carol = world.peer()
        await carol.enter("carol")
        said = pb.LrSignalTransparentMsgReq(msg_data=b"\xff\x00!", to_user_list=[b"bob"], client_seq=7)
        assert (await alice.reply(303021, said)).rsp_head.code == 0
        got = await bob.push(11007)
        assert (got.msg_data, got.client_seq, got.sender_idname, got.sender_nickname) == (b"\xff\x00!", 7, b"alice", b"name of alice")
        for text in (b"1", b"2"):  # SDKs 3.11.0 and 3.12.0 would drop the second one if both had the number 0
            await alice.reply(303021, pb.LrSignalTransparentMsgReq(msg_data=text))
            got = await bob.push(11007)
            assert got.msg_data == text and not got.HasField("client_seq")
            assert (await carol.push(11007)).msg_data == text
        to_bob = pb.LrSendChannelMsgReq(msg_type=3, msg_content="grüße".encode(), to_user_list=[b"bob"])
        assert (await alice.reply(303023, to_bob)).rsp_head.code == 0
        got = await bob.push(11008)
        assert (got.msg_content, got.msg_type, got.sender_idname) == ("grüße".encode(), 3, b"alice")
        assert got.HasField("channel_type")
        for peer in (alice, carol):
            assert not {11007, 11008} & {number for number, _ in await peer.quiet()}


async def test_messages_for_the_operators_backend_and_other_channels_are_refused() -> None:
    async with World() as world:
        alice, bob = await pair(world)
        for mode in (1, 2):
            said = pb.LrSignalTransparentMsgReq(msg_type=mode, msg_data=b"x")
            assert (await alice.reply(303021, said)).rsp_head.code == 200009
        assert (await alice.reply(303023, pb.LrSendChannelMsgReq(channel_type=1, msg_content=b"x"))).rsp_head.code == 200009
        assert (await alice.reply(303023, pb.LrSendChannelMsgReq(msg_content=b"\xff"))).rsp_head.code == 200002
        assert not {11007, 11008} & {number for number, _ in await bob.quiet()}


async def test_command_of_the_operator_is_wrapped_as_sdks_expect_it() -> None:
    async with World() as world:
        _, bob = await pair(world)
        event = CustomCommand(rev=world.house.next_rev("r"), user_id="op", user_name="Op", to=(), content="bare", from_server=True)
        world.house.emit("r", event)
        assert json.loads(await bob.push(11005))["custom_content"] == "bare"


async def test_room_extra_info_is_set_pushed_and_fetched() -> None:
    async with World() as world:
        alice, bob = await pair(world)
        answer = await alice.reply(301011, pb.LrSetTransReq(trans_type=b"seats", trans_data=b"open", trans_channel=b"clt"))
        assert (answer.rsp_head.code, answer.trans_seq, answer.trans_list_seq, answer.trans_channel) == (0, 1, 1, b"clt")
        push = await bob.push(15001)
        assert (push.trans_type, push.trans_data, push.trans_seq, push.trans_channel) == (b"seats", b"open", 1, b"clt")
        beat = await bob.reply(301005, pb.LrHbReq())
        (channel,) = beat.trans_channel_list
        assert channel.trans_channel == b"clt" and [(seq.trans_type, seq.trans_seq) for seq in channel.trans_seq_list] == [(b"seats", 1)]
        wanted = [pb.LrGetTransReqTransData(trans_type=b"seats"), pb.LrGetTransReqTransData(trans_type=b"none")]
        fetched = await bob.reply(301014 - 1, pb.LrGetTransReq(trans_channel=b"clt", trans_list=wanted))
        assert [(entry.err_code, entry.trans_data) for entry in fetched.trans_list] == [(0, b"open"), (201109, b"")]
        late = world.peer()
        login = await late.login("late")
        assert login.trans_channel_list[0].trans_seq_list[0].trans_seq == 1


async def test_renewed_token_is_taken_and_a_bad_one_refused() -> None:
    async with World() as world:
        alice, _ = await pair(world)
        assert (await alice.reply(301007, pb.LrRenewTokenReq(token="new"))).token_remain_time == 7200
        assert (await alice.reply(301007, pb.LrRenewTokenReq(token="bad"))).rsp_head.code == 202002


async def test_an_event_is_encoded_once_for_all_who_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[Broadcast] = []
    original = pushes.broadcast

    def counted(event: Broadcast, now: int) -> SharedPush:
        encoded.append(event)
        return original(event, now)

    monkeypatch.setattr(pushes, "broadcast", counted)
    async with World() as world:
        peers = [world.peer() for _ in range(3)]
        for number, peer in enumerate(peers):
            await peer.enter(f"u{number}")
        world.house.emit("r", Broadcast(rev=world.house.next_rev("r"), message_id=5, user_id="x", user_name="X", content="hi", sent_at=1))
        for peer in peers:
            assert (await peer.push(13001)).msg_list[0].msg_content == b"hi"
        assert len(encoded) == 1


# --- what does not fit


async def test_commands_without_a_login_make_the_client_log_in() -> None:
    async with World() as world:
        peer = world.peer()
        for command, body in ((301005, pb.LrHbReq()), (303001, pb.LrSendImReq(msg_content=b"x")), (304001, pb.LrGetUserlistReq())):
            assert (await peer.reply(command, body, context_key=7)).rsp_head.code == 105


async def test_another_user_on_the_same_connection_is_refused() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a")
        assert (await peer.login("b")).rsp_head.code == 1002
        assert world.hubs.sessions == 1


async def test_unknown_commands_are_refused_by_number() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a")
        seq = peer.request(303019, pb.LrHbReq())
        answer = await peer.payload()
        assert (answer.header.cmd, answer.header.seq) == (303020, seq)
        assert pb.LrCommonRsp.FromString(answer.body).rsp_head.code == 200009


async def test_fault_of_the_server_is_answered_and_the_connection_lives() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a")
        world.house.fault = ZeroDivisionError("a bug")
        answer = await peer.reply(303001, pb.LrSendImReq(msg_content=b"x"))
        assert answer.rsp_head.code == 200001 and "bug" not in answer.rsp_head.message
        assert (await peer.reply(301005, pb.LrHbReq())).rsp_head.code == 0
        assert world.house.session(peer.session_id).app_id == APP
