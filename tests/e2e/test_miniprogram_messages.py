"""Mini-program SDKs 2.11.0 and 3.6.0: messages and room attributes, on both stores."""

from __future__ import annotations

from asyncio import gather

import pytest

from tests.e2e.users import PhoneMaker
from tests.hearth_process import HearthProcess

pytestmark = pytest.mark.parametrize("phone_version", ["2.11.0", "3.6.0"])


async def test_broadcast_reaches_the_others_once_and_not_its_sender(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob, carol = await phone(hearth, "alice", "bob", "carol")
    await gather(*(user.login(room) for user in (alice, bob, carol)))
    sent = await alice.call("sendBroadcastMessage", room, "good evening 晚上好")
    assert sent["errorCode"] == 0
    for listener in (bob, carol):
        _, messages = await listener.wait_event("IMRecvBroadcastMessage", lambda room_id, _: room_id == room)
        assert [message["message"] for message in messages] == ["good evening 晚上好"]
        assert messages[0]["fromUser"] == {"userID": alice.user_id, "userName": alice.user_name}
        assert messages[0]["messageID"] == sent["messageID"]
    # An answer to alice after her own message would have come: what she is sent is in order.
    await bob.call("sendBroadcastMessage", room, "and to you")
    await alice.wait_event("IMRecvBroadcastMessage")
    assert [messages[0]["message"] for _, messages in alice.history("IMRecvBroadcastMessage")] == ["and to you"]
    assert len(carol.history("IMRecvBroadcastMessage")) <= 2


async def test_barrage_reaches_the_others(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await gather(alice.login(room), bob.login(room))
    sent = await alice.call("sendBarrageMessage", room, "弹幕")
    assert sent["errorCode"] == 0
    _, messages = await bob.wait_event("IMRecvBarrageMessage", lambda room_id, _: room_id == room)
    assert messages[0]["message"] == "弹幕"
    assert messages[0]["fromUser"] == {"userID": alice.user_id, "userName": alice.user_name}


async def test_custom_command_reaches_only_those_it_names(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob, carol = await phone(hearth, "alice", "bob", "carol")
    await gather(*(user.login(room) for user in (alice, bob, carol)))
    command = '{"do": "mute 静"}'
    await alice.call("sendCustomCommand", room, command, [bob.user_id])
    room_id, sender, content = await bob.wait_event("IMRecvCustomCommand")
    assert (room_id, sender, content) == (room, {"userID": alice.user_id, "userName": alice.user_name}, command)

    await alice.call("sendCustomCommand", room, "for carol", [carol.user_id])
    await carol.wait_event("IMRecvCustomCommand", lambda *args: args[2] == "for carol")
    assert len(carol.history("IMRecvCustomCommand")) == 1
    assert len(bob.history("IMRecvCustomCommand")) == 1


async def test_room_extra_info_reaches_those_present_and_a_late_joiner(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob, late = await phone(hearth, "alice", "bob", "late")
    await gather(alice.login(room), bob.login(room))
    for value in ("open", "closed 关"):
        await alice.call("setRoomExtraInfo", room, "seats", value)
        _, (info,) = await bob.wait_event("roomExtraInfoUpdate", lambda room_id, _: room_id == room)
        assert (info["key"], info["value"]) == ("seats", value)
        assert info["updateUser"] == {"userID": alice.user_id, "userName": alice.user_name}

    await late.login(room)
    _, (info,) = await late.wait_event("roomExtraInfoUpdate")
    assert (info["key"], info["value"]) == ("seats", "closed 关")
    assert alice.history("roomExtraInfoUpdate") == []


async def test_messages_stay_in_their_room(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob, outsider = await phone(hearth, "alice", "bob", "outsider")
    await gather(alice.login(room), bob.login(room), outsider.login(f"{room}-next-door"))
    await alice.call("sendBroadcastMessage", room, "inside")
    await alice.call("setRoomExtraInfo", room, "key", "inside")
    await gather(bob.wait_event("IMRecvBroadcastMessage"), bob.wait_event("roomExtraInfoUpdate"))
    assert outsider.history("IMRecvBroadcastMessage") == []
    assert outsider.history("roomExtraInfoUpdate") == []
