"""What the room actions answer and do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from auth.claims import AppKeys, TokenCheck
from auth.errors import TokenNotPermitted
from calls.admission import admit, check_publish
from calls.apps import App
from calls.media_session import MediaRole
from calls.statistics import Subject
from media.figures import MediaFigures, MediaTransport
from rooms.errors import UserDenied
from rooms.events import Barrage, Broadcast, CustomCommand, EndReason, UserLeft
from tests.unit.server.cloud_api.house import APP, NOW, SECRET, ApiHouse, api_house
from tests.waiting import until


@pytest_asyncio.fixture
async def house() -> AsyncIterator[ApiHouse]:
    async with api_house() as house:
        yield house


async def test_kicked_user_is_told_why_and_the_others_see_them_go(house: ApiHouse) -> None:
    await house.enter("alice")
    await house.enter("bob")
    assert (await house.do("KickoutUser", RoomId="r", UserId=["bob", "nobody"], CustomReason="grob 😾"))["Code"] == 0
    for user_id in ("alice", "bob"):
        left = house.ears[user_id].heard[-1]
        assert isinstance(left, UserLeft)
        assert (left.user.user_id, left.reason, left.message) == ("bob", EndReason.KICKED, "grob 😾")


async def test_kicking_the_last_user_ends_the_room(house: ApiHouse) -> None:
    await house.enter("alice")
    assert (await house.do("KickoutUser", RoomId="r", UserId=["alice", "bob"]))["Code"] == 0
    assert (await house.do("KickoutUser", RoomId="r", UserId=["alice"]))["Code"] == 104


async def test_kicking_somebody_who_is_not_there_is_no_error(house: ApiHouse) -> None:
    await house.enter("alice")
    assert (await house.do("KickoutUser", RoomId="r", UserId=["nobody"]))["Code"] == 0


@pytest.mark.parametrize("written", ["203.0.113.7", "::ffff:203.0.113.7"])
async def test_rule_about_an_address_counts_however_that_is_written(house: ApiHouse, written: str) -> None:
    """A dual-stack backend sees IPv4 clients in the longer form."""
    rule = {"RuleType": 1, "IP": written, "DisabledPrivilege": [1], "EffectiveTime": 60}
    assert (await house.do("SetForbidUserRule", **rule))["Code"] == 0
    with pytest.raises(UserDenied):
        await house.enter("bob")
    assert (await house.do("DelForbidUserRule", RuleType=1, IP="203.0.113.7"))["Code"] == 0
    await house.enter("bob")


async def test_closed_room_is_gone(house: ApiHouse) -> None:
    await house.enter("alice")
    assert (await house.do("CloseRoom", RoomId="r", CustomReason="late"))["Code"] == 0
    assert any(isinstance(event, UserLeft) and event.reason is EndReason.ROOM_CLOSED for event in house.ears["alice"].heard)
    assert (await house.do("CloseRoom", RoomId="r"))["Code"] == 5024


async def test_message_ids_have_the_documented_types(house: ApiHouse) -> None:
    await house.enter("alice")
    message: dict[str, Any] = {"RoomId": "r", "UserId": "server", "MessageCategory": 2, "MessageContent": "hi"}
    broadcast = await house.do("SendBroadcastMessage", **message)
    assert isinstance(broadcast["Data"]["MessageId"], int)
    barrage = await house.do("SendBarrageMessage", **message)
    assert isinstance(barrage["Data"]["MessageId"], str) and barrage["Data"]["MessageId"].startswith("2_")
    heard = house.ears["alice"].heard
    await until(lambda: any(isinstance(event, Barrage) for event in heard))
    sent = next(event for event in heard if isinstance(event, Broadcast))
    assert (sent.message_id, sent.category, sent.content, sent.user_id) == (broadcast["Data"]["MessageId"], 2, "hi", "server")


async def test_longest_message_fits(house: ApiHouse) -> None:
    await house.enter("alice")
    answer = await house.do_get("SendBroadcastMessage", RoomId="r", UserId="s", MessageCategory=1, MessageContent="é" * 512)
    assert answer["Code"] == 0


async def test_command_says_who_is_not_there(house: ApiHouse) -> None:
    await house.enter("alice")
    answer = await house.do("SendCustomCommand", RoomId="r", FromUserId="server", ToUserId=["alice", "bob"], MessageContent="sit")
    assert answer["Code"] == 0 and answer["Data"] == {"FailUsers": [{"Uid": "bob", "Code": 50003}]}
    command = house.ears["alice"].heard[-1]
    assert isinstance(command, CustomCommand) and command.from_server and command.content == "sit"
    answer = await house.do("SendCustomCommand", RoomId="r", FromUserId="server", MessageContent="all")
    assert answer["Data"] == {"FailUsers": []}


async def test_users_are_counted_in_several_rooms(house: ApiHouse) -> None:
    await house.enter("alice")
    await house.enter("bob")
    await house.enter("recorder", role=4)
    answer = await house.do_get("DescribeUserNum", RoomId=["r", "nowhere"])
    assert answer["Data"]["UserCountList"] == [
        {"RoomId": "r", "UserCount": 3, "AdminUserCount": 1}, {"RoomId": "nowhere", "UserCount": 0, "AdminUserCount": 0},
    ]  # fmt: skip


@pytest.mark.parametrize("mode", [0, 1])
async def test_users_are_listed_page_by_page(house: ApiHouse, mode: int) -> None:
    """Ids with dashes in them, and several logins in the same millisecond."""
    names = [f"u-{n}-x" for n in range(5)]
    for place, name in enumerate(names):
        house.now = NOW + place // 2
        await house.enter(name)
    seen: list[str] = []
    marker = ""
    for _ in range(10):
        data = (await house.do_get("DescribeUserList", RoomId="r", Mode=mode, Limit=2, Marker=marker))["Data"]
        assert len(data["UserList"]) <= 2
        seen += [user["UserId"] for user in data["UserList"]]
        marker = data["Marker"]
        if not marker:
            break
    assert seen == (names if mode == 0 else names[::-1])


async def test_a_page_goes_on_where_it_was_when_the_user_of_the_marker_has_left(house: ApiHouse) -> None:
    for place, name in enumerate("abc"):
        house.now = NOW + place
        await house.enter(name)
    first = (await house.do("DescribeUserList", RoomId="r", Limit=1))["Data"]
    assert first["Marker"] == f"{NOW * 1000}-a"
    await house.do("KickoutUser", RoomId="r", UserId=["a"])
    rest = (await house.do("DescribeUserList", RoomId="r", Marker=first["Marker"]))["Data"]
    assert [user["UserId"] for user in rest["UserList"]] == ["b", "c"] and rest["Marker"] == ""


async def test_users_of_a_room_that_does_not_exist(house: ApiHouse) -> None:
    assert (await house.do("DescribeUserList", RoomId="r"))["Data"] == {"Marker": "", "UserList": []}


async def test_who_is_there_and_since_when(house: ApiHouse) -> None:
    await house.enter("alice")
    answer = await house.do("DescribeUsers", RoomId="r", UserId=["alice", "bob"])
    assert answer["Data"]["UserStatusList"] == [
        {"UserId": "alice", "Status": 1, "LoginTime": NOW * 1000, "UserRole": 2},
        {"UserId": "bob", "Status": 0, "LoginTime": 0, "UserRole": 0},
    ]


async def test_streams_are_listed(house: ApiHouse) -> None:
    alice = await house.enter("alice")
    assert (await house.do("DescribeSimpleStreamList", RoomId="r"))["Data"] == {"StreamList": []}
    stream = await house.rooms.publish(alice, "alice-1", "info")
    (entry,) = (await house.do("DescribeSimpleStreamList", RoomId="r"))["Data"]["StreamList"]
    assert entry == {
        "StreamId": "alice-1", "UserId": "alice", "UserName": "name of alice", "CreateTime": NOW * 1000,
        "StreamNumberId": stream.stream_sid & 0xFFFFFFFF,
    }  # fmt: skip
    (entry,) = (await house.do("HearthDescribeStreams", RoomId="r"))["Data"]["StreamList"]
    assert (entry["ExtraInfo"], entry["NodeId"]) == ("info", "node-1")


async def test_streams_are_told_with_their_figures_where_these_are_asked_for(house: ApiHouse) -> None:
    alice = await house.enter("alice")
    await house.rooms.publish(alice, "alice-1", "")
    subject = Subject(7, MediaRole.PUBLISHER, APP, "r", "alice", "alice-1", alice.client, NOW * 1000)
    counters = MediaFigures(MediaTransport.RTMP, packets=250, bytes=25_000, connected=True, queue_ms=40.0)
    house.statistics.follow(subject, lambda: counters)
    house.now += 5
    house.statistics.tick(house.now * 1000)
    (entry,) = (await house.do("HearthDescribeStreams", RoomId="r"))["Data"]["StreamList"]
    assert "Figures" not in entry
    (entry,) = (await house.do("HearthDescribeStreams", RoomId="r", WithFigures=True))["Data"]["StreamList"]
    told = entry["Figures"]["Publisher"]
    assert (told["Transport"], told["Bitrate"], told["QueueMs"], told["History"]) == ("rtmp", 40_000, 40, None)
    assert (told["Client"], told["Version"], told["Address"]) == ("miniprogram", "2.11.0", "")
    (entry,) = (await house.do_get("HearthDescribeStreams", RoomId="r", WithHistory=True))["Data"]["StreamList"]
    assert entry["Figures"]["Publisher"]["History"]["At"] == [house.now * 1000]
    assert entry["Figures"]["Players"] == [] and entry["Figures"]["PlayerCount"] == 0


async def test_session_ids_and_keys_stay_inside(house: ApiHouse) -> None:
    alice = await house.enter("alice")
    await house.rooms.publish(alice, "alice-1")
    for action in ("DescribeUserList", "HearthDescribeUsers", "DescribeSimpleStreamList", "HearthDescribeStreams"):
        answer = str(await house.do(action, RoomId="r"))
        assert str(alice.session_id) not in answer and alice.media_key not in answer


async def test_rooms_are_listed_page_by_page(house: ApiHouse) -> None:
    for name in ("a", "b", "c"):
        await house.enter(f"in-{name}", name)
    first = (await house.do("HearthDescribeRooms", Limit=2))["Data"]
    rest = (await house.do("HearthDescribeRooms", Limit=2, Marker=first["Marker"]))["Data"]
    assert [room["RoomId"] for room in (*first["RoomList"], *rest["RoomList"])] == ["a", "b", "c"] and rest["Marker"] == ""


async def test_identify_token_lets_anybody_listen_and_nobody_publish(house: ApiHouse) -> None:
    data = (await house.do("GenerateIdentifyToken"))["Data"]
    assert data["RemainTime"] == 3600
    for mode in TokenCheck:
        app = App(APP, AppKeys(APP, (SECRET,)), token_check=mode)
        for user_id in ("censor-1", "censor-2"):
            grant = admit(app, room_id="any", user_id=user_id, token=data["IdentifyToken"], now=NOW * 1000)
            assert grant.expires_at == (NOW + 3600) * 1000
            with pytest.raises(TokenNotPermitted):
                check_publish(grant, "s", NOW * 1000)
