"""Who is in a room: login, logout, uniqueness of users, grace and resume, several rooms, limits. On both stores."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

import rooms.following
from rooms.errors import (
    AlreadyInRoom,
    Draining,
    InvalidRoomId,
    InvalidUserId,
    InvalidUserName,
    MultiRoomDisabled,
    RateLimited,
    RoomFull,
    SessionEnded,
    SessionUnknown,
    TooManyRooms,
)
from rooms.events import EndReason, StreamAdded, StreamEnd, StreamRemoved, UserJoined, UserLeft
from rooms.limits import RoomLimits
from rooms.model import Client, Grant, Policy, Timings
from rooms.store import app_prefix
from tests.integration.rooms.house import APP, NOW, ROOM, HeldAnswers, House, Phone, request, state, stored
from tests.waiting import until


async def test_a_login_shows_who_is_there_and_the_others_learn_of_it(house: House) -> None:
    node = await house.node()
    first, anna = await house.enter(node, "anna")
    second, bert = await house.enter(node, "bert")

    assert list(second.view.users) == ["anna", "bert"]
    assert first.session.room_lifetime_id == second.session.room_lifetime_id
    assert not second.resumed and second.told is None
    (event,) = anna.events
    assert isinstance(event, UserJoined) and event.user.user_name == "BERT" and event.user.session_id == second.session.session_id
    assert bert.events == [], "the state a client enters with is in its login's answer, not in events"
    assert state(node.view(APP, ROOM)) == await stored(node)


async def test_ids_are_exact_numbers_and_every_login_has_its_own(house: House) -> None:
    node = await house.node()
    results = [(await house.enter(node, f"u{i}"))[0].session for i in range(20)]
    assert len({s.session_id for s in results}) == len({s.login_id for s in results}) == len({s.media_key for s in results}) == 20
    assert all(0 < s.session_id < 2**53 for s in results)
    for session in results:
        assert await (await house.node("other")).session(APP, session.session_id) == session
        break


async def test_a_logout_takes_the_streams_first_and_then_the_user(house: House) -> None:
    node = await house.node()
    first, anna = await house.enter(node, "anna")
    _, bert = await house.enter(node, "bert")
    await node.publish(first.session, "s1")
    await node.publish(first.session, "s2")
    await node.reserve(first.session, "s3")
    bert.forget()

    await node.logout(first.session)

    assert bert.seen()[-1] == "UserLeft" and sorted(bert.seen()[:-1]) == ["ReservationEnded", "StreamRemoved", "StreamRemoved"]
    assert {e.reason for e in bert.events if isinstance(e, StreamRemoved)} == {StreamEnd.OWNER_LEFT}
    assert anna.events[-1] == bert.events[-1] and anna.end() == EndReason.LOGOUT
    assert await node.stream(APP, "s1") is None and await node.stream(APP, "s3") is None
    assert await node.session(APP, first.session.session_id) is None

    await node.logout(first.session)
    assert len(bert.events) == 4, "a second logout is nobody's business"


async def test_nothing_of_a_room_is_left_when_the_last_user_has_gone(house: House) -> None:
    node = await house.node()
    watcher = Phone()
    await node.watch(APP, ROOM, watcher)
    result, phone = await house.enter(node, "anna")
    await node.publish(result.session, "s1")
    await node.set_extra_info(result.session, "k", "v")
    await node.logout(result.session)

    assert phone.seen()[-1] == "UserLeft"
    assert watcher.seen()[-3:] == ["StreamRemoved", "UserLeft", "RoomClosed"]
    assert (await node.rooms(APP)).rooms == () and await stored(node) == (0, (), (), ())
    view = node.view(APP, ROOM)
    assert view is not None and view.lifetime_id == 0
    node.unwatch(APP, ROOM, watcher)
    assert node.view(APP, ROOM) is None


async def test_the_next_life_of_a_room_has_a_higher_lifetime_id_and_a_new_history(house: House) -> None:
    node = await house.node()
    watcher = Phone()
    await node.watch(APP, ROOM, watcher)
    lives = []
    for _ in range(3):
        result, _ = await house.enter(node, "anna")
        lives.append(result.session.room_lifetime_id)
        assert result.view.rev == 1
        await node.logout(result.session)
    assert lives == sorted(set(lives))
    assert watcher.seen() == ["UserJoined", "UserLeft", "RoomClosed"] * 3


async def test_an_empty_room_lives_on_for_the_delay(house: House) -> None:
    house.timings = Timings(empty_room=60_000)
    node = await house.node()
    first, _ = await house.enter(node, "anna")
    await node.set_extra_info(first.session, "k", "v")
    await node.logout(first.session)
    house.clock.forward(59_999)
    await node.upkeep.reap()
    again, _ = await house.enter(node, "bert")
    assert again.session.room_lifetime_id == first.session.room_lifetime_id
    assert again.view.extra["k"].value == "v"

    house.clock.forward(120_000)
    await node.upkeep.reap()
    assert (await node.rooms(APP)).rooms[0].user_count == 1, "the old deadline is void"
    await node.logout(again.session)
    house.clock.forward(60_000)
    await node.upkeep.reap()
    assert (await node.rooms(APP)).rooms == ()


@pytest.mark.parametrize("room_id", [ROOM, "elsewhere"])
async def test_a_second_login_of_a_user_ends_the_first_wherever_it_is(house: House, room_id: str) -> None:
    node = await house.node()
    old, old_phone = await house.enter(node, "anna")
    _, bert = await house.enter(node, "bert")
    await node.publish(old.session, "s1")
    bert.forget()

    new, new_phone = await house.enter(node, "anna", room_id)

    assert old_phone.seen()[-2:] == ["StreamRemoved", "UserLeft"] and old_phone.end() == EndReason.REPLACED
    assert bert.seen() == ["StreamRemoved", "UserLeft"] + (["UserJoined"] if room_id == ROOM else [])
    assert new_phone.events == [] and new.session.session_id != old.session.session_id
    assert not new.view.streams, "the old stream is gone before the new login is answered"
    assert await node.stream(APP, "s1") is None
    await node.publish(new.session, "s1")


async def test_a_lone_user_who_logs_in_again_keeps_the_room_alive(house: House) -> None:
    node = await house.node()
    old, _ = await house.enter(node, "anna")
    new, _ = await house.enter(node, "anna")
    assert new.session.room_lifetime_id == old.session.room_lifetime_id
    assert list(new.view.users) == ["anna"]


async def test_apps_do_not_know_each_other(house: House) -> None:
    node = await house.node()
    one, one_phone = await house.enter(node, "anna")
    two, _ = await house.enter(node, "anna", app_id=APP + 1)
    await node.publish(one.session, "s1")
    await node.publish(two.session, "s1")
    assert one_phone.end() is None and list(two.view.users) == ["anna"]
    assert await node.session(APP + 1, one.session.session_id) is None


# --- grace and resume


async def test_a_lost_socket_is_nobodys_business_until_the_grace_is_over(house: House) -> None:
    node = await house.node()
    result, anna = await house.enter(node, "anna")
    _, bert = await house.enter(node, "bert")
    await node.publish(result.session, "s1")
    bert.forget()
    await node.detach(result.session, b"what she knows")
    house.clock.forward(89_999)
    await node.upkeep.reap()
    assert bert.events == [] and [user.user_id for user in await node.users(APP, ROOM)] == ["anna", "bert"]
    house.clock.forward(1)
    await node.upkeep.reap()
    assert bert.seen() == ["StreamRemoved", "UserLeft"]
    assert isinstance(bert.events[-1], UserLeft) and bert.events[-1].reason == EndReason.LOST
    assert "UserLeft" not in anna.seen(), "a detached receiver gets nothing"


@pytest.mark.parametrize("told", [b"", b"what \x00\xff she knows"])
async def test_a_resumed_session_gets_back_what_its_client_was_told(house: House, told: bytes) -> None:
    node = await house.node()
    result, anna = await house.enter(node, "anna")
    other, bert = await house.enter(node, "bert")
    await node.publish(result.session, "s1")
    bert.forget()
    anna.forget()
    await node.detach(result.session, told)
    await node.publish(other.session, "s2")
    house.clock.forward(60_000)
    grant = Grant(expires_at=NOW + 1, may_publish=False)
    client = Client("miniprogram", "2.11.0", "192.0.2.99")
    again, anna2 = await house.enter(node, "anna", resume=result.session.session_id, grant=grant, client=client)

    assert again.resumed and again.told == told
    assert again.session == msgspec.structs.replace(result.session, attachment=2, grant=grant, client=client)
    assert set(again.view.streams) == {"s1", "s2"}
    assert bert.seen() == ["StreamAdded"], "the others do not notice"
    assert anna.events == []
    await node.publish(other.session, "s3")
    assert anna2.seen() == ["StreamAdded"]
    house.clock.forward(90_000)
    await node.upkeep.reap()
    assert anna2.end() is None, "the old deadline is void"


async def test_a_resumed_session_that_was_never_lost_is_taken_from_the_older_socket(house: House) -> None:
    node = await house.node()
    result, anna = await house.enter(node, "anna")
    _, bert = await house.enter(node, "bert")
    anna.told = b"up to here"
    bert.forget()
    again, anna2 = await house.enter(node, "anna", resume=result.session.session_id)

    assert anna.taken_over and again.resumed and again.told == b"up to here"
    await node.detach(result.session, b"too late")
    await node.messages.send_broadcast(again.session, "hello")
    assert anna2.seen() == ["Broadcast"] and bert.seen() == ["Broadcast"]
    assert "Broadcast" not in anna.seen()
    house.clock.forward(200_000)
    await node.upkeep.reap()
    assert anna2.end() is None, "the late word of the older socket does nothing"


async def test_a_session_id_is_good_for_its_own_app_user_and_room_only(house: House) -> None:
    node = await house.node()
    result, anna = await house.enter(node, "anna")
    wanted = result.session.session_id
    for user_id, room_id, app_id in (("mallory", ROOM, APP), ("anna", "elsewhere", APP + 1), ("bert", "elsewhere", APP)):
        other, _ = await house.enter(node, user_id, room_id, app_id=app_id, resume=wanted)
        assert not other.resumed and other.session.session_id != wanted
    assert anna.end() is None and not anna.taken_over
    other, _ = await house.enter(node, "anna", "elsewhere", resume=wanted)
    assert not other.resumed and anna.end() == EndReason.REPLACED


async def test_a_login_with_an_unknown_or_expired_session_goes_on_as_a_new_one(house: House) -> None:
    node = await house.node()
    assert not (await house.enter(node, "anna", resume=12345))[0].resumed
    result, _ = await house.enter(node, "bert")
    await node.detach(result.session, b"x")
    house.clock.forward(90_000)
    await node.upkeep.reap()
    again, _ = await house.enter(node, "bert", resume=result.session.session_id)
    assert not again.resumed and again.told is None and again.session.session_id != result.session.session_id


async def test_a_device_that_was_replaced_while_offline_is_told_so_at_its_return(house: House) -> None:
    node = await house.node()
    old, _ = await house.enter(node, "anna")
    await node.detach(old.session, b"x")
    new, new_phone = await house.enter(node, "anna")
    with pytest.raises(SessionEnded) as refusal:
        await node.login(request("anna", resume=old.session.session_id), Phone())
    assert refusal.value.reason == EndReason.REPLACED and isinstance(refusal.value, SessionUnknown)
    assert new_phone.end() is None and await node.session(APP, new.session.session_id) == new.session


async def test_a_user_who_was_kicked_while_offline_is_told_so_at_the_return(house: House) -> None:
    node = await house.node()
    old, _ = await house.enter(node, "anna")
    await house.enter(node, "bert")
    await node.detach(old.session, b"x")
    await node.kick(APP, ROOM, "anna", message='be "nice"')
    with pytest.raises(SessionEnded) as refusal:
        await node.login(request("anna", resume=old.session.session_id), Phone())
    assert (refusal.value.reason, refusal.value.message) == (EndReason.KICKED, 'be "nice"')
    assert not (await house.enter(node, "anna"))[0].resumed


async def test_a_silent_client_is_ended_though_its_socket_is_open(house: House) -> None:
    node = await house.node()
    loud, loud_phone = await house.enter(node, "loud")
    _, quiet_phone = await house.enter(node, "quiet")
    house.clock.forward(60_000)
    node.heard_from(loud.session)
    house.clock.forward(40_001)
    await node.upkeep.end_silent()
    assert quiet_phone.end() == EndReason.TIMEOUT and loud_phone.end() is None
    assert loud_phone.seen()[-1] == "UserLeft"


async def test_a_renewed_token_stays_with_the_session(house: House) -> None:
    node = await house.node()
    result, _ = await house.enter(node, "anna")
    grant = Grant(expires_at=NOW + 5, may_publish=True, stream_ids=("a", "b"))
    renewed = await node.update_grant(result.session, grant)
    assert renewed.grant == grant
    other = await house.node("n2")
    assert await other.session(APP, result.session.session_id) == renewed
    await node.logout(renewed)
    with pytest.raises(SessionUnknown):
        await node.update_grant(renewed, grant)


# --- several rooms on one login


async def test_one_login_may_enter_several_rooms_and_leave_them_one_by_one(house: House) -> None:
    node = await house.node()
    main, main_phone = await house.enter(node, "anna", multi_room=True)
    login_id = main.session.login_id
    second, second_phone = await house.enter(node, "anna", "second", multi_room=True, login_id=login_id)
    assert second.session.login_id == login_id and second.session.session_id != main.session.session_id
    assert main_phone.end() is None
    await node.logout(main.session)
    assert main_phone.end() == EndReason.LOGOUT and second_phone.end() is None
    third, third_phone = await house.enter(node, "anna", "third", multi_room=True, login_id=login_id)
    await node.logout(third.session, whole_login=True)
    assert second_phone.end() == third_phone.end() == EndReason.LOGOUT
    with pytest.raises(SessionUnknown):
        await house.enter(node, "anna", "fourth", multi_room=True, login_id=login_id)


async def test_a_login_elsewhere_ends_all_rooms_of_the_older_one(house: House) -> None:
    node = await house.node()
    main, phone1 = await house.enter(node, "anna", multi_room=True)
    _, phone2 = await house.enter(node, "anna", "second", multi_room=True, login_id=main.session.login_id)
    await house.enter(node, "anna", "third")
    assert phone1.end() == phone2.end() == EndReason.REPLACED


async def test_resuming_one_room_leaves_the_others_of_the_login_alone(house: House) -> None:
    node = await house.node()
    main, _ = await house.enter(node, "anna", multi_room=True)
    second, _ = await house.enter(node, "anna", "second", multi_room=True, login_id=main.session.login_id)
    await node.detach(main.session, b"1")
    await node.detach(second.session, b"2")
    again, _ = await house.enter(node, "anna", multi_room=True, resume=main.session.session_id)
    further, _ = await house.enter(
        node, "anna", "second", multi_room=True, login_id=again.session.login_id, resume=second.session.session_id
    )
    assert (again.told, further.told) == (b"1", b"2") and further.session.session_id == second.session.session_id


async def test_rules_of_several_rooms(house: House) -> None:
    node = await house.node()
    main, _ = await house.enter(node, "anna", multi_room=True)
    login_id = main.session.login_id
    with pytest.raises(AlreadyInRoom):
        await house.enter(node, "anna", multi_room=True, login_id=login_id)
    with pytest.raises(MultiRoomDisabled):
        await house.enter(node, "anna", "second", multi_room=False, login_id=login_id)
    for number in range(4):
        await house.enter(node, "anna", f"r{number}", multi_room=True, login_id=login_id)
    with pytest.raises(TooManyRooms):
        await house.enter(node, "anna", "sixth", multi_room=True, login_id=login_id)
    house.policy = Policy(multi_room=False)
    with pytest.raises(MultiRoomDisabled):
        await house.enter(node, "bert", multi_room=True)


# --- limits


async def test_the_first_users_limit_and_the_apps_limit_fill_a_room(house: House) -> None:
    node = await house.node()
    await house.enter(node, "u1", max_users=2)
    second, _ = await house.enter(node, "u2", max_users=100)
    with pytest.raises(RoomFull):
        await house.enter(node, "u3")
    await house.enter(node, "u2")
    with pytest.raises(RoomFull):
        await house.enter(node, "u3", max_users=50)
    assert await node.session(APP, second.session.session_id) is None, "u2 came back into its own place"
    house.policy = Policy(max_room_users=1)
    with pytest.raises(RoomFull):
        await house.enter(node, "u4", "other" if (await house.enter(node, "u5", "other")) else "")


async def test_a_refused_login_changes_nothing(house: House) -> None:
    node = await house.node()
    await house.enter(node, "owner", "full", max_users=1)
    result, phone = await house.enter(node, "anna")
    with pytest.raises(RoomFull):
        await house.enter(node, "anna", "full")
    assert phone.end() is None and await node.session(APP, result.session.session_id) is not None


async def test_a_resumed_session_needs_no_new_place(house: House) -> None:
    node = await house.node()
    result, _ = await house.enter(node, "u1", max_users=1)
    await node.detach(result.session, b"")
    assert (await house.enter(node, "u1", resume=result.session.session_id))[0].resumed


@pytest.mark.parametrize(
    "fields, refusal",
    [
        ({"room_id": ""}, InvalidRoomId),
        ({"room_id": "r" * 129}, InvalidRoomId),
        ({"room_id": "räume"}, InvalidRoomId),
        ({"room_id": "a\nb"}, InvalidRoomId),
        ({"user_id": ""}, InvalidUserId),
        ({"user_id": "u" * 65}, InvalidUserId),
        ({"user_id": "a<b"}, InvalidUserId),
        ({"user_name": ""}, InvalidUserName),
        ({"user_name": "ä" * 129}, InvalidUserName),
    ],
)
async def test_ids_that_break_a_rule_are_refused(house: House, fields: dict[str, str], refusal: type[Exception]) -> None:
    node = await house.node()
    with pytest.raises(refusal):
        await node.login(msgspec.structs.replace(request("anna"), **fields), Phone())


async def test_names_and_ids_pass_unharmed(house: House) -> None:
    node = await house.node()
    room_id = "~!@#$^&*()_+=-;',.<>/"
    _, bert = await house.enter(node, "bert", room_id)
    name = 'Zoë "名" \\ 😀 {}[]% ok'
    result, _ = await house.enter(node, "a'b;c=d", room_id, user_name=name)
    assert isinstance(bert.events[0], UserJoined) and bert.events[0].user.user_name == name
    await node.publish(result.session, "s-1_", '{"a":[],"b":"名\\n\u2028"}')
    assert isinstance(bert.events[1], StreamAdded)
    assert bert.events[1].stream.extra_info == '{"a":[],"b":"名\\n\u2028"}' and bert.events[1].stream.user_name == name
    assert state(node.view(APP, room_id)) == await stored(node, room_id)


async def test_too_many_logins_to_a_room_per_second_are_refused(house: House) -> None:
    house.limits = RoomLimits(login_rate=3)
    node = await house.node()
    for number in range(3):
        await house.enter(node, f"u{number}")
    with pytest.raises(RateLimited):
        await house.enter(node, "u3")
    house.clock.forward(400)
    await house.enter(node, "u3")


async def test_a_draining_node_takes_nobody_but_serves_who_is_there(house: House) -> None:
    node = await house.node()
    result, _ = await house.enter(node, "anna")
    node.begin_drain()
    with pytest.raises(Draining):
        await house.enter(node, "bert")
    await node.messages.send_broadcast(result.session, "bye")
    await until(lambda: _draining(node))


async def _draining(node: object) -> bool:
    nodes = await node.nodes()  # type: ignore[attr-defined]
    return bool(nodes[0].draining and nodes[0].sessions == 1)


# --- things that happen at the same time


async def test_many_logins_at_once_leave_one_consistent_room(house: House) -> None:
    node = await house.node()
    entered = await asyncio.gather(*(house.enter(node, f"u{i}") for i in range(100)))
    assert len(node.view(APP, ROOM).users) == 100  # type: ignore[union-attr]
    assert state(node.view(APP, ROOM)) == await stored(node)
    for result, phone in entered:
        joined = {e.user.user_id for e in phone.events if isinstance(e, UserJoined)}
        assert result.session.user_id not in joined or len(joined) == len(phone.events)
        revs = [e.rev for e in phone.events]
        assert revs == list(range(revs[0], revs[0] + len(revs))) if revs else True


async def test_logins_of_one_user_at_once_leave_exactly_one(house: House) -> None:
    node = await house.node()
    entered = await asyncio.gather(*(house.enter(node, "anna") for _ in range(20)))
    await until(lambda: sum(1 for _, phone in entered if phone.end() is None) == 1)
    (survivor,) = [result for result, phone in entered if phone.end() is None]
    assert [user.session_id for user in await node.users(APP, ROOM)] == [survivor.session.session_id]
    assert {phone.end() for _, phone in entered} == {None, EndReason.REPLACED}
    assert node.counts().sessions == 1


async def test_a_login_given_up_halfway_leaves_no_user_behind(house: House) -> None:
    node = await house.node()
    _, bert = await house.enter(node, "bert")
    with HeldAnswers(house.store_of(node), "login") as answers:
        task = asyncio.create_task(node.login(request("anna"), Phone()))
        await answers.ran.wait()
        assert len(await node.users(APP, ROOM)) == 2
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    await until(lambda: bert.seen() == ["UserJoined", "UserLeft"])
    assert await _only(node, "bert") and node.counts().sessions == 1


async def _only(node: object, user_id: str) -> bool:
    users = await node.users(APP, ROOM)  # type: ignore[attr-defined]
    return [user.user_id for user in users] == [user_id]


async def test_a_resume_given_up_halfway_leaves_the_session_waiting_for_its_client(house: House) -> None:
    node = await house.node()
    _, bert = await house.enter(node, "bert")
    result, _ = await house.enter(node, "anna")
    await node.detach(result.session, b"x")
    with HeldAnswers(house.store_of(node), "login") as answers:
        task = asyncio.create_task(node.login(request("anna", resume=result.session.session_id), Phone()))
        await answers.ran.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    again, _ = await house.enter(node, "anna", resume=result.session.session_id)
    assert again.resumed, "the client that tries again is let in"
    await node.detach(again.session, b"y")

    with HeldAnswers(house.store_of(node), "login") as answers:
        task = asyncio.create_task(node.login(request("anna", resume=result.session.session_id), Phone()))
        await answers.ran.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await until(lambda: _waits(house, result.session.session_id))
    house.clock.forward(90_000)
    await node.upkeep.reap()
    assert bert.seen() == ["UserJoined", "UserLeft"], "the client that does not is gone after the grace"


async def _waits(house: House, session_id: int) -> bool:
    node = await house.node("observer", start=False)
    raw = await house.store_of(node).hash_of(f"{app_prefix(APP)}session:{session_id}")
    return b"detached" in raw


async def test_a_receiver_that_fails_disturbs_nobody(house: House) -> None:
    class Broken(Phone):
        def deliver(self, delivery: object) -> None:
            raise RuntimeError("broken on purpose")

    node = await house.node()
    result, _ = await house.enter(node, "anna")
    await node.login(request("broken"), Broken())
    _, bert = await house.enter(node, "bert")
    await node.messages.send_broadcast(result.session, "hello")
    assert bert.seen() == ["Broadcast"]


async def test_many_logouts_at_once_do_not_wait_for_each_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms.following, "OVERDUE_SECONDS", 60)
    node = await house.node()
    entered = [(await house.enter(node, f"u{i}", f"room{i // 10}"))[0] for i in range(100)]
    async with asyncio.timeout(40):
        await asyncio.gather(*(node.logout(result.session) for result in entered))
    assert (await node.rooms(APP)).rooms == () and node.counts().rooms == 0
