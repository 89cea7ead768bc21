"""Mini-program SDKs 2.11.0 and 3.6.0: coming, going and being sent away, on both stores."""

from __future__ import annotations

import json
from asyncio import gather

import pytest

from tests.e2e import commands
from tests.e2e.miniprogram import REFERENCE
from tests.e2e.remote import Json, SdkError
from tests.e2e.users import PhoneMaker
from tests.hearth_process import HearthProcess

both_generations = pytest.mark.parametrize("phone_version", [REFERENCE, "3.6.0"])

TOKEN_REFUSED = 1102016
TOKEN_EXPIRED = 1102018
KICKED_BY_OWN_LOGIN = 1002050
KICKED_BY_SERVER = 1002055


def kick_message(extended_data: Json) -> str:
    data = json.loads(extended_data) if isinstance(extended_data, str) else extended_data
    return str(data["custom_kickout_message"])


@both_generations
async def test_two_users_log_in_see_each_other_and_leave(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await alice.login(room)
    await bob.login(room)
    await gather(alice.sees_user(room, bob.user_id), bob.sees_user(room, alice.user_id))
    assert alice.history("roomUserUpdate")[0][2] == [{"userID": bob.user_id, "userName": bob.user_name}]

    await bob.logout(room)
    await alice.sees_user(room, bob.user_id, "DELETE")
    _, _, code, _ = await bob.disconnected(room)
    assert code == 0
    assert alice.states() == ["CONNECTING", "CONNECTED"]
    assert bob.states() == ["CONNECTING", "CONNECTED", "DISCONNECTED"]

    await bob.login(room)  # the same engine again
    await alice.sees_user(room, bob.user_id)
    assert alice.user_changes(bob.user_id) == ["ADD", "DELETE", "ADD"]


@both_generations
async def test_online_count_is_told_at_login(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await alice.login(room)
    await bob.login(room)
    await bob.wait_event("roomOnlineUserCountUpdate", lambda _, count: count == 2)


@both_generations
async def test_without_user_updates_nobody_is_announced(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    quiet, alice = await phone(hearth, "quiet", "alice")
    await quiet.login(room, user_updates=False)
    await alice.login(room)
    await alice.sees_user(room, quiet.user_id)
    await alice.call("sendBroadcastMessage", room, "everything before this has arrived")
    await quiet.wait_event("IMRecvBroadcastMessage")
    assert quiet.history("roomUserUpdate") == []


@both_generations
async def test_wrong_and_foreign_tokens_are_refused(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob, carol, dave = await phone(hearth, "alice", "bob", "carol", "dave")
    refused = {
        alice: "04nonsense",
        bob: hearth.token(alice.user_id),
        carol: hearth.token(carol.user_id, secret="another secret of 32 characters "),
        dave: "x",
    }
    for user, token in refused.items():
        with pytest.raises(SdkError) as error:
            await user.login(room, token=token)
        assert error.value.code == TOKEN_REFUSED
        _, _, code, _ = await user.disconnected(room)
        assert code == TOKEN_REFUSED
    await alice.login(room)  # and with the right one it works


@both_generations
async def test_expired_token_is_refused_as_expired(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    (alice,) = await phone(hearth, "alice")
    with pytest.raises(SdkError) as error:
        await alice.login(room, token=hearth.token(alice.user_id, ttl=-60))
    assert error.value.code == TOKEN_EXPIRED
    _, _, code, _ = await alice.disconnected(room)
    assert code == TOKEN_EXPIRED


@both_generations
async def test_token_about_to_expire_is_announced_and_its_renewal_holds_at_the_next_reconnect(
    hearth: HearthProcess, phone: PhoneMaker, room: str
) -> None:
    (alice,) = await phone(hearth, "alice")
    await alice.login(room, token=hearth.token(alice.user_id, ttl=32))
    await alice.wait_event("tokenWillExpire", lambda room_id: room_id == room)

    renewed = hearth.token(alice.user_id, ttl=3600)
    asked = len(alice.frames)
    await alice.call("renewToken", renewed, room)
    # Its request and the answer: nothing else is under way.
    await alice.until(lambda: [frame.direction for frame in alice.frames[asked:]][-1:] == ["received"], "the renewal's answer")
    # The old one is over a little later; without the new one this would end in 1102018.
    await alice.cut()
    await alice.connected(room)
    assert len(alice.history("tokenWillExpire")) == 1


async def test_renewal_with_a_foreign_token_is_refused(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    (alice,) = await phone(hearth, "alice")
    await alice.login(room)
    await alice.call("renewToken", hearth.token("somebody else"), room)
    answer = await alice.wait_frame("received", "renew_token")
    assert answer["body"]["err_code"] != 0
    assert alice.states() == ["CONNECTING", "CONNECTED"]


@both_generations
async def test_second_login_of_a_user_sends_the_first_away(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await bob.login(room)
    await alice.login(room)
    await alice.publish(f"stream-of-{alice.user_id}")
    await bob.sees_stream(room, f"stream-of-{alice.user_id}")

    twin = await phone.twin(alice, hearth)
    await twin.login(room)
    _, _, code, _ = await alice.disconnected(room)
    assert code == KICKED_BY_OWN_LOGIN
    await bob.sees_stream(room, f"stream-of-{alice.user_id}", "DELETE")
    await bob.until(lambda: bob.user_changes(alice.user_id) == ["ADD", "DELETE", "ADD"], "alice leaving and coming again")
    await twin.publish(f"stream-of-{alice.user_id}")  # its name is free again
    assert twin.states() == ["CONNECTING", "CONNECTED"]


@both_generations
async def test_operator_kicks_a_user_with_a_reason(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(hearth, "alice", "bob")
    await gather(alice.login(room), bob.login(room))
    await bob.publish(f"stream-of-{bob.user_id}")
    await alice.sees_stream(room, f"stream-of-{bob.user_id}")

    await commands.kick(hearth, room, bob.user_id, "das war zu laut 😾")
    _, _, code, extended = await bob.disconnected(room)
    assert code == KICKED_BY_SERVER
    assert kick_message(extended) == "das war zu laut 😾"
    await gather(alice.sees_stream(room, f"stream-of-{bob.user_id}", "DELETE"), alice.sees_user(room, bob.user_id, "DELETE"))
    assert alice.states() == ["CONNECTING", "CONNECTED"]


@both_generations
async def test_operator_closes_a_room(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob, carol = await phone(hearth, "alice", "bob", "carol")
    await gather(alice.login(room), bob.login(room), carol.login(f"{room}-next-door"))

    await commands.close_room(hearth, room)
    for user in (alice, bob):
        _, _, code, _ = await user.disconnected(room)
        assert code == KICKED_BY_SERVER
    assert carol.states() == ["CONNECTING", "CONNECTED"]
    await alice.login(room)  # a closed room can be opened again


async def test_heartbeats_keep_a_quiet_session_alive(impatient_hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(impatient_hearth, "alice", "bob")
    await gather(alice.login(room), bob.login(room))
    await alice.sees_user(room, bob.user_id)
    # Longer than the server's session timeout, in heartbeats.
    await gather(*(user.until(lambda user=user: len(user.sent("hb")) >= 4, "four heartbeats") for user in (alice, bob)))  # type: ignore[misc]
    assert alice.user_changes(bob.user_id) == ["ADD"]
    assert alice.states() == ["CONNECTING", "CONNECTED"]
    assert bob.states() == ["CONNECTING", "CONNECTED"]
