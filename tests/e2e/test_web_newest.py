"""Web SDK 3.12.0 in Chromium, whose signalling goes through one binary socket to the accesshub: what is not as in test_web_call.py."""

from __future__ import annotations

from asyncio import gather

import pytest

from tests.e2e.on_the_air import on_the_air, tune_in
from tests.e2e.remote import SdkError
from tests.e2e.users import PageMaker
from tests.e2e.versions import NEWEST
from tests.hearth_process import HearthProcess

TOKEN_ERROR, TOKEN_EXPIRED = 1102016, 1102018

pytestmark = pytest.mark.parametrize("store_url", ["memory"], indirect=True)


async def test_messages_of_every_kind_and_extra_info_reach_whom_they_should(hearth: HearthProcess, page: PageMaker, room: str) -> None:
    alice, bob, carol = await page(hearth, "alice", "bob", "carol", version=NEWEST)
    await gather(*(user.login(room) for user in (alice, bob, carol)))
    await gather(*(alice.sees_user(room, user.user_id) for user in (bob, carol)))
    await alice.call("sendBroadcastMessage", room, "to all ✓")
    await alice.call("sendBarrageMessage", room, "as it flies by")
    await alice.call("sendCustomCommand", room, "for bob", [bob.user_id])
    for user in (bob, carol):
        _, (message,) = await user.wait_event("IMRecvBroadcastMessage")
        assert (message["message"], message["fromUser"]["userID"]) == ("to all ✓", alice.user_id)
        _, (barrage,) = await user.wait_event("IMRecvBarrageMessage")
        assert barrage["message"] == "as it flies by"
    _, sender, command = await bob.wait_event("IMRecvCustomCommand")
    assert (sender["userID"], command) == (alice.user_id, "for bob")

    await bob.call("setRoomExtraInfo", room, "topic", "3.x")
    for user in (alice, carol):
        _, (info,) = await user.wait_event("roomExtraInfoUpdate")
        assert (info["key"], info["value"]) == ("topic", "3.x")
    # Each once, and nothing that was for others.
    assert len(bob.history("IMRecvBroadcastMessage")) == len(carol.history("IMRecvBarrageMessage")) == 1
    assert not carol.history("IMRecvCustomCommand")


async def test_transparent_and_channel_messages_reach_the_user_named(hearth: HearthProcess, page: PageMaker, room: str) -> None:
    alice, bob, carol = await page(hearth, "alice", "bob", "carol", version=NEWEST)
    await gather(*(user.login(room) for user in (alice, bob, carol)))
    for text in ("one ✓", "two"):
        await alice.send_transparent(room, text, bob.user_id)
        _, message = await bob.wait_event("recvRoomTransparentMessage")
        assert (message["sendUser"]["userID"], message["content"]) == (alice.user_id, text)
    params = {"roomID": room, "msgType": 7, "msgContent": "channel ✓", "toUserIDList": [bob.user_id]}
    await alice.call("callExperimentalAPI", {"method": "sendRoomChannelMessage", "params": params})
    (call,) = await bob.wait_event("recvExperimentalAPI", lambda call: call["method"] == "onRecvRoomChannelMessage")
    content = call["content"]
    assert (content["sendIDName"], content["msgType"], content["msgContent"]) == (alice.user_id, 7, "channel ✓")
    await alice.call("sendCustomCommand", room, "the end", [carol.user_id])
    await carol.wait_event("IMRecvCustomCommand")
    assert not carol.history("recvRoomTransparentMessage") and not carol.history("recvExperimentalAPI")


async def test_tokens_are_refused_for_what_is_wrong_with_them_and_renewed(hearth: HearthProcess, page: PageMaker, room: str) -> None:
    alice, bob, carol = await page(hearth, "alice", "bob", "carol", version=NEWEST)
    with pytest.raises(SdkError) as wrong:
        await alice.login(room, token=hearth.token(alice.user_id, secret="f" * 32))
    assert wrong.value.code == TOKEN_ERROR
    with pytest.raises(SdkError) as expired:
        await bob.login(room, token=hearth.token(bob.user_id, ttl=-60))
    assert expired.value.code == TOKEN_EXPIRED
    await carol.login(room, token=hearth.token(carol.user_id, ttl=32))
    await carol.wait_event("tokenWillExpire")
    assert await carol.call("renewToken", hearth.token(carol.user_id), room) is True


async def test_in_turn_mode_people_hear_each_other(hearth: HearthProcess, page: PageMaker, room: str, stream: str) -> None:
    """Also those who reach the TURN server that Hearth has named and nothing else."""
    alice, bob, carol = await page(hearth, "alice", "bob", "carol", version=NEWEST, local_proxy=True)
    await gather(bob.relay_only(), carol.relay_only())
    await on_the_air(room, bob, stream, 660, alice, carol)
    for user in (bob, carol):
        assert [(path["type"], path["relay"]) for path in await user.paths()] == [("relay", "udp")]


async def test_who_switches_rooms_is_in_the_other_one_and_hears_there(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str
) -> None:
    alice, bob, carol = await page(hearth, "alice", "bob", "carol", version=NEWEST)
    other = f"{room}-other"
    await gather(alice.login(room), carol.login(room), bob.login(other))
    await bob.publish_tone(stream, 660)
    await carol.sees_user(room, alice.user_id)
    assert await alice.call("switchRoom", room, other, {"token": hearth.token(alice.user_id), "isUserStatusNotify": True}) is True
    await alice.connected(other)
    await gather(carol.sees_user(room, alice.user_id, "DELETE"), bob.sees_user(other, alice.user_id))
    await tune_in(other, alice, stream, 660)


async def test_the_package_for_signalling_alone_logs_in_and_sees_users(hearth: HearthProcess, page: PageMaker, room: str) -> None:
    alice, bob = await page(hearth, "alice", "bob", version=("webrtm-2.5.0", NEWEST))
    await alice.login(room)
    await bob.login(room)
    await gather(alice.sees_user(room, bob.user_id), bob.sees_user(room, alice.user_id))
    await bob.logout(room)
    await alice.sees_user(room, bob.user_id, "DELETE")
