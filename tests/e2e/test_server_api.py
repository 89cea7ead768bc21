"""The server API with the official mini-program SDK 2.11.0 at the other end: what its apps see, on both stores."""

from __future__ import annotations

import json
from asyncio import gather

import pytest

from tests.e2e.miniprogram import MiniProgramUser
from tests.e2e.remote import SdkError
from tests.e2e.server_api import act, ask, sequence
from tests.e2e.users import PhoneMaker
from tests.hearth_process import HearthProcess
from tests.waiting import until

KICKED_BY_SERVER = 1002055
NO_ADDRESS = 1102017
SERVER = {"userID": "Server-Administrator", "userName": "Operator 管"}


async def in_room(room: str, *users: MiniProgramUser) -> None:
    await gather(*(user.login(room) for user in users))


async def test_kick_with_a_reason(hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str) -> None:
    alice, bob, carol = await phone(hearth, "alice", "bob", "carol")
    await in_room(room, alice, bob, carol)
    await bob.publish(stream)
    await alice.sees_stream(room, stream)
    await act(hearth, "KickoutUser", RoomId=room, UserId=[bob.user_id, carol.user_id, "nobody"], CustomReason="100% zu laut & 😾")
    for user in (bob, carol):
        _, _, code, extended = await user.disconnected(room)
        assert code == KICKED_BY_SERVER
        data = json.loads(extended) if isinstance(extended, str) else extended
        assert data["custom_kickout_message"] == "100% zu laut & 😾"
    await gather(alice.sees_stream(room, stream, "DELETE"), alice.sees_user(room, bob.user_id, "DELETE"))
    assert alice.states() == ["CONNECTING", "CONNECTED"]
    listed = await act(hearth, "DescribeUserNum", RoomId=[room])
    assert listed["UserCountList"] == [{"RoomId": room, "UserCount": 1, "AdminUserCount": 0}]


async def test_close_room(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob, outside = await phone(hearth, "alice", "bob", "outside")
    await gather(in_room(room, alice, bob), outside.login(f"{room}-next-door"))
    await act(hearth, "CloseRoom", RoomId=room, CustomReason="good night")
    for user in (alice, bob):
        _, _, code, _ = await user.disconnected(room)
        assert code == KICKED_BY_SERVER
    assert outside.states() == ["CONNECTING", "CONNECTED"]
    assert (await ask(hearth, "DescribeUsers", RoomId=room, UserId=[alice.user_id]))["Code"] == 50001


async def test_server_broadcast(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await in_room(room, alice, bob)
    sent = await act(
        hearth, "SendBroadcastMessage", RoomId=room, UserId=SERVER["userID"], UserName=SERVER["userName"], MessageCategory=1,
        MessageContent="gift 🎁 + 100%",
    )  # fmt: skip
    for user in (alice, bob):
        _, (message,) = await user.wait_event("IMRecvBroadcastMessage", lambda room_id, _: room_id == room)
        assert (message["message"], message["fromUser"]) == ("gift 🎁 + 100%", SERVER)
        assert message["messageID"] == sent["MessageId"]


async def test_broadcast_in_the_name_of_a_member_reaches_the_others_only(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await in_room(room, alice, bob)
    message = {"RoomId": room, "UserName": "x", "MessageCategory": 2}
    await act(hearth, "SendBroadcastMessage", UserId=alice.user_id, MessageContent="as alice", **message)
    await act(hearth, "SendBroadcastMessage", UserId="somebody", MessageContent="the end", **message)
    await bob.wait_event("IMRecvBroadcastMessage", lambda _, messages: messages[0]["message"] == "as alice")
    await alice.wait_event("IMRecvBroadcastMessage", lambda _, messages: messages[-1]["message"] == "the end")
    assert not any("as alice" in str(messages) for _, messages in alice.history("IMRecvBroadcastMessage"))


async def test_server_barrage(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    (alice,) = await phone(hearth, "alice")
    await alice.login(room)
    await act(
        hearth, "SendBarrageMessage", RoomId=room, UserId=SERVER["userID"], UserName=SERVER["userName"], MessageCategory=2,
        MessageContent="弹幕",
    )  # fmt: skip
    _, (message,) = await alice.wait_event("IMRecvBarrageMessage", lambda room_id, _: room_id == room)
    assert (message["message"], message["fromUser"]) == ("弹幕", SERVER)


async def test_custom_command_to_one_and_to_all(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await in_room(room, alice, bob)
    text = '{"take": "seat 椅"}'
    sent = await act(hearth, "SendCustomCommand", RoomId=room, FromUserId="server", ToUserId=[bob.user_id, "nobody"], MessageContent=text)
    assert sent["FailUsers"] == [{"Uid": "nobody", "Code": 50003}]
    room_id, sender, content = await bob.wait_event("IMRecvCustomCommand")
    assert (room_id, sender["userID"], content) == (room, "server", text)
    await act(hearth, "SendCustomCommand", RoomId=room, FromUserId="server", MessageContent="to all")
    for user in (alice, bob):
        await user.wait_event("IMRecvCustomCommand", lambda *args: args[2] == "to all")
    assert [args[2] for args in alice.history("IMRecvCustomCommand")] == ["to all"]


async def test_added_and_deleted_stream(hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str) -> None:
    (alice,) = await phone(hearth, "alice")
    await alice.login(room)
    await act(hearth, "AddStream", RoomId=room, UserId="obs", UserName="Studio", StreamId=stream, ExtraInfo="live 直")
    seen = await alice.sees_stream(room, stream)
    assert (seen["user"], seen["extraInfo"]) == ({"userID": "obs", "userName": "Studio"}, "live 直")
    listed = await act(hearth, "DescribeSimpleStreamList", RoomId=room)
    assert [(entry["StreamId"], entry["UserId"]) for entry in listed["StreamList"]] == [(stream, "obs")]
    await act(hearth, "DeleteStream", RoomId=room, UserId="obs", StreamId=stream)
    await alice.sees_stream(room, stream, "DELETE")
    assert (await ask(hearth, "DeleteStream", RoomId=room, UserId="obs", StreamId=stream))["Code"] == 138


async def test_deleted_stream_of_a_member_is_gone_for_the_others_and_not_for_its_publisher(
    hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str
) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await in_room(room, alice, bob)
    await bob.publish(stream)
    await alice.sees_stream(room, stream)
    await act(hearth, "DeleteStream", RoomId=room, UserId=bob.user_id, StreamId=stream)
    await alice.sees_stream(room, stream, "DELETE")
    assert bob.publisher_states(stream) == ["PUBLISH_REQUESTING", "PUBLISHING"]


async def test_banned_user_is_refused_until_the_ban_expires(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await alice.login(room)
    rule = {"RuleType": 4, "RoomId": room, "UserId": bob.user_id}
    await act(hearth, "SetForbidUserRule", DisabledPrivilege=[1, 2], EffectiveTime=10, **rule)
    with pytest.raises(SdkError):
        await bob.login(room)
    _, _, code, _ = await bob.disconnected(room)
    assert code != 0
    assert alice.user_changes(bob.user_id) == []

    async def admitted() -> bool:
        try:
            await bob.login(room)
        except SdkError:
            return False
        return True

    await until(admitted, 60, "the ban has expired")  # type: ignore[arg-type]
    await alice.sees_user(room, bob.user_id)


async def test_user_who_may_not_publish_may_listen_until_the_rule_is_taken_back(
    hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str
) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await act(hearth, "SetForbidUserRule", RuleType=3, UserId=bob.user_id, DisabledPrivilege=[2], EffectiveTime=1000)
    await in_room(room, alice, bob)
    with pytest.raises(SdkError) as error:
        await bob.start_pusher(stream)
    assert error.value.code == NO_ADDRESS
    listed = await act(hearth, "DescribeForbidUserRules", RuleType=3)
    assert [rule["DisabledPrivilegeList"] for rule in listed["RuleList"] if rule["UserId"] == bob.user_id] == [[2]]
    await act(hearth, "DelForbidUserRule", RuleType=3, UserId=bob.user_id)
    await bob.publish(stream)
    await alice.sees_stream(room, stream)


async def test_forbidden_stream_is_off_until_it_is_resumed(hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await in_room(room, alice, bob)
    await bob.publish(stream)
    await alice.sees_stream(room, stream)
    assert (await act(hearth, "DescribeRTCStreamState", StreamId=stream, Sequence=sequence()))["create_time"].isdecimal()
    before = sequence()
    await act(hearth, "ForbidRTCStream", StreamId=stream, Sequence=sequence())
    await alice.sees_stream(room, stream, "DELETE")
    assert (await ask(hearth, "ResumeRTCStream", StreamId=stream, Sequence=str(int(before) - 1)))["Code"] == 42002
    await bob.stop_publishing()
    with pytest.raises(SdkError) as error:
        await bob.start_pusher(stream)
    assert error.value.code == NO_ADDRESS
    await act(hearth, "ResumeRTCStream", StreamId=stream, Sequence=sequence())
    await bob.publish(stream)
    await alice.sees_stream(room, stream)


async def test_identify_token_lets_a_moderator_listen(hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str) -> None:
    alice, censor = await phone(hearth, "alice", "censor")
    await alice.login(room)
    await alice.publish(stream)
    token = (await act(hearth, "GenerateIdentifyToken"))["IdentifyToken"]
    await censor.login(room, token=token)
    await censor.sees_stream(room, stream)
    assert stream in await censor.play_url(stream)
    with pytest.raises(SdkError):
        await censor.start_pusher(f"{stream}-own")
