"""What the backend is told of each change: every event, its fields and their JSON types, its reasons (``zego-cloud.md`` §3.2)."""

from __future__ import annotations

from typing import Any

import pytest

from rooms.events import EndReason, StreamEnd
from rooms.model import Client, Grant
from rooms.outbox import CallbackEvent
from tests.callback_receiver import CallbackReceiver
from tests.integration.callbacks.house import CallbackHouse, CallbackNode, app
from tests.integration.rooms.house import APP, NOW, ROOM

SIGNED = {"timestamp": str(NOW // 1000)}


def own(callback: dict[str, Any]) -> dict[str, Any]:
    """Without what is different at every attempt, after a look at its types."""
    assert isinstance(callback["nonce"], str) and isinstance(callback["signature"], str) and len(callback["signature"]) == 40
    return {name: value for name, value in callback.items() if name not in ("nonce", "signature")}


async def told(node: CallbackNode, backend: CallbackReceiver) -> list[str]:
    """The events delivered now, in the order of their names."""
    before = len(backend.callbacks)
    await node.delivery.deliver_due()
    return sorted(one["event"] for one in backend.callbacks[before:])


async def test_first_login_creates_the_room(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    result, _ = await house.enter(
        node.rooms, "anna", client=Client("miniprogram", "2.11.0", "192.0.2.7"), grant=Grant(auth_level=4), user_name="Anna Ä+%41"
    )
    assert await told(node, backend) == ["room_create", "room_login"]
    lifetime = result.session.room_lifetime_id
    assert own(backend.one("room_create")) == {
        "event": "room_create", "appid": APP, "timestamp": NOW // 1000, "room_id": ROOM, "room_session_id": lifetime,
        "room_create_time": str(NOW), "id_name": "anna",
    }  # fmt: skip
    login = own(backend.one("room_login"))
    session_id = login.pop("session_id")
    assert login == {
        "event": "room_login", "appid": str(APP), **SIGNED, "room_id": ROOM, "room_name": ROOM, "room_seq": str(lifetime),
        "user_account": "anna", "user_nickname": "Anna Ä+%41", "login_time": str(NOW), "user_role": "2", "auth_level": "4", "relogin": "0",
        "user_update_seq": "1", "callback_data": "", "term_type": "7",
    }  # fmt: skip
    # The session's real id authorises media.
    assert session_id.isdigit() and int(session_id) < 2**53 and session_id != str(result.session.session_id)


async def test_last_logout_closes_the_room(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    house.clock.forward(5000)
    await node.rooms.logout(anna.session)
    assert await told(node, backend) == ["room_close", "room_create", "room_login", "room_logout"]
    lifetime, now = anna.session.room_lifetime_id, NOW + 5000
    assert own(backend.one("room_logout")) == {
        "event": "room_logout", "appid": str(APP), "timestamp": str(now // 1000), "room_id": ROOM, "room_seq": str(lifetime),
        "user_account": "anna", "user_nickname": "ANNA", "session_id": backend.one("room_login")["session_id"], "login_time": str(NOW),
        "logout_time": str(now), "user_role": "2", "user_update_seq": "2", "reason": "0",
    }  # fmt: skip
    assert own(backend.one("room_close")) == {
        "event": "room_close", "appid": APP, "timestamp": now // 1000, "room_id": ROOM, "room_session_id": lifetime,
        "close_reason": 0, "room_close_time": str(now),
    }  # fmt: skip


async def test_a_stream_comes_and_goes(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    await told(node, backend)
    house.clock.forward(1500)
    stream = await node.rooms.publish(anna.session, "s1", "first")
    assert await told(node, backend) == ["stream_create"]
    common = {
        "appid": str(APP), "room_id": ROOM, "room_session_id": str(anna.session.room_lifetime_id), "user_id": "anna", "user_name": "ANNA",
        "channel_id": ROOM, "stream_id": "s1", "stream_alias": "s1", "stream_sid": f"s-{stream.stream_sid}",
        "create_time_ms": str(NOW + 1500),
    }  # fmt: skip
    assert own(backend.one("stream_create")) == common | {
        "event": "stream_create", "timestamp": str(NOW // 1000 + 1), "title": "", "stream_attr": '{"cid":0}', "stream_seq": "1",
        "create_time": str(NOW // 1000 + 1), "extra_info": "first", "recreate": "0", "publish_id": "anna", "publish_name": "ANNA",
        "rtmp_url": [], "hls_url": [], "hdl_url": [], "pic_url": [],
    }  # fmt: skip
    await node.rooms.update_stream(anna.session, "s1", "second")
    assert await told(node, backend) == []
    house.clock.forward(1000)
    await node.rooms.unpublish(anna.session, "s1")
    assert await told(node, backend) == ["stream_close"]
    assert own(backend.one("stream_close")) == common | {
        "event": "stream_close", "timestamp": str(NOW // 1000 + 2), "stream_seq": "2", "type": "0", "third_define_data": "second",
        "destroy_timemillis": str(NOW + 2500),
    }  # fmt: skip


@pytest.mark.parametrize(
    "reason, logout, stream, room",
    [
        (EndReason.LOGOUT, "0", "0", 0),
        (EndReason.TIMEOUT, "1", "1", 1),
        (EndReason.KICKED, "3", "3", 3),
        (EndReason.TOKEN_EXPIRED, "4", "3", 3),
    ],
)
async def test_reasons_of_an_end(
    house: CallbackHouse, backend: CallbackReceiver, reason: EndReason, logout: str, stream: str, room: int
) -> None:
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    await node.rooms.publish(anna.session, "s1")
    if reason is EndReason.KICKED:
        await node.rooms.kick(APP, ROOM, "anna")
    else:
        await node.rooms.logout(anna.session, reason=reason)
    await told(node, backend)
    assert backend.one("room_logout")["reason"] == logout
    assert backend.one("stream_close")["type"] == stream
    assert backend.one("room_close")["close_reason"] == room


async def test_silent_session_times_out(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    await house.enter(node.rooms, "anna")
    house.clock.forward(house.timings.session_timeout + 1)
    await node.rooms.upkeep.end_silent()
    await told(node, backend)
    assert backend.one("room_logout")["reason"] == "1" and backend.one("room_close")["close_reason"] == 1


async def test_lost_connection_ends_after_its_grace(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    await node.rooms.publish(anna.session, "s1")
    await node.rooms.detach(anna.session, b"")
    await told(node, backend)
    assert not backend.of("room_logout") and not backend.of("stream_close")
    house.clock.forward(house.timings.grace + 1)
    await node.rooms.upkeep.reap()
    await told(node, backend)
    assert backend.one("room_logout")["reason"] == "2"
    assert backend.one("stream_close")["type"] == "4"
    assert backend.one("room_close")["close_reason"] == 2


async def test_second_login_replaces_the_first(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    first, _ = await house.enter(node.rooms, "anna")
    await node.rooms.publish(first.session, "s1")
    await house.enter(node.rooms, "anna")
    assert await told(node, backend) == ["room_create", "room_login", "room_login", "room_logout", "stream_close", "stream_create"]
    assert [(one["relogin"], one["user_update_seq"]) for one in backend.of("room_login")] == [("0", "1"), ("1", "3")]
    logout = backend.one("room_logout")
    assert (logout["reason"], logout["user_update_seq"]) == ("3", "2")
    assert logout["session_id"] == backend.of("room_login")[0]["session_id"] != backend.of("room_login")[1]["session_id"]
    assert backend.one("stream_close")["type"] == "2"
    # In another room it is a first login there, and the old room ends.
    await house.enter(node.rooms, "anna", "elsewhere")
    await told(node, backend)
    assert backend.one("room_login", room_id="elsewhere")["relogin"] == "0"
    assert backend.one("room_close")["close_reason"] == 3


async def test_session_that_comes_back_logs_in_again_in_the_room(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    first, _ = await house.enter(node.rooms, "anna")
    await node.rooms.detach(first.session, b"")
    await house.enter(node.rooms, "anna", resume=first.session.session_id)
    assert await told(node, backend) == ["room_create", "room_login", "room_login"]
    one, again = backend.of("room_login")
    assert (one["relogin"], again["relogin"], again["user_update_seq"]) == ("0", "1", "2")
    assert one["session_id"] == again["session_id"]


async def test_operator_closes_the_room(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    await house.enter(node.rooms, "ben")
    await node.rooms.publish(anna.session, "s1")
    await node.rooms.close_room(APP, ROOM)
    await told(node, backend)
    assert [one["reason"] for one in backend.of("room_logout")] == ["3", "3"]
    assert backend.one("stream_close")["type"] == "5"
    assert not backend.of("room_close"), "only if it is asked for"
    await house.enter(node.rooms, "anna")
    await node.rooms.close_room(APP, ROOM, told=True)
    await told(node, backend)
    assert backend.one("room_close")["close_reason"] == 3


async def test_operator_takes_a_stream_away(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    await node.rooms.publish(anna.session, "s1")
    await node.rooms.remove_stream(APP, "s1")
    await told(node, backend)
    assert backend.one("stream_close")["type"] == "100"


async def test_operator_adds_takes_out_and_forbids_streams(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    await node.rooms.publish(anna.session, "s1")
    await node.rooms.publish(anna.session, "s2")
    await node.rooms.moderation.add_stream(APP, ROOM, "robot", "Robot", "s3", "hello")
    await node.rooms.moderation.delist_stream(APP, ROOM, "anna", "s1")
    await node.rooms.moderation.forbid_stream(APP, "s2", 1)
    await node.rooms.logout(anna.session)
    await told(node, backend)
    added = backend.one("stream_create", stream_id="s3")
    assert (added["user_id"], added["user_name"], added["extra_info"], added["stream_seq"]) == ("robot", "Robot", "hello", "3")
    ends = {one["stream_id"]: (one["type"], one["stream_seq"]) for one in backend.of("stream_close")}
    assert ends == {"s1": ("100", "4"), "s2": ("3", "5"), "s3": ("5", "6")}, "the robot's ends with the room"


@pytest.mark.parametrize("pause, recreate", [(80_000, "1"), (91_000, "0")])
async def test_stream_that_comes_back_after_its_media_was_lost(
    house: CallbackHouse, backend: CallbackReceiver, pause: int, recreate: str
) -> None:
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    await node.rooms.publish(anna.session, "s1")
    await node.rooms.unpublish(anna.session, "s1", StreamEnd.MEDIA_LOST)
    house.clock.forward(pause)
    await node.rooms.publish(anna.session, "s1")
    await told(node, backend)
    assert backend.one("stream_close")["type"] == "4"
    assert [(one["recreate"], one["stream_seq"]) for one in backend.of("stream_create")] == [("0", "1"), (recreate, "3")]


async def test_stream_whose_owner_lost_the_connection_and_came_back_as_new(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    first, _ = await house.enter(node.rooms, "anna")
    await node.rooms.publish(first.session, "s1")
    await node.rooms.detach(first.session, b"")
    second, _ = await house.enter(node.rooms, "anna")
    await node.rooms.publish(second.session, "s1")
    await told(node, backend)
    assert [one["recreate"] for one in backend.of("stream_create")] == ["0", "1"]


async def test_stream_of_another_owner_is_new(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    ben, _ = await house.enter(node.rooms, "ben")
    await node.rooms.publish(anna.session, "s1")
    await node.rooms.unpublish(anna.session, "s1", StreamEnd.MEDIA_LOST)
    await node.rooms.publish(ben.session, "s1")
    await told(node, backend)
    assert [one["recreate"] for one in backend.of("stream_create")] == ["0", "0"]


async def test_streams_of_a_dead_node_and_their_return(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node, other = await house.callback_node("n1"), await house.callback_node("n2")
    anna, _ = await house.enter(node.rooms, "anna")
    await node.rooms.publish(anna.session, "s1")
    await house.at_rest(node.rooms)
    house.clock.forward(house.timings.node_lease + 1)
    await other.rooms.upkeep.renew_lease()
    assert [known.node_id for known in await other.rooms.nodes()] == ["n2"]
    await told(other, backend)
    assert backend.one("stream_close")["type"] == "4" and not backend.of("room_logout")
    # Its user comes back on another node and publishes again.
    again, _ = await house.enter(other.rooms, "anna", resume=anna.session.session_id)
    await other.rooms.publish(again.session, "s1")
    await told(other, backend)
    assert [one["recreate"] for one in backend.of("stream_create")] == ["0", "1"]


async def test_room_that_outlives_its_last_user_closes_later_for_the_same_reason(store_url: str, backend: CallbackReceiver) -> None:
    async with CallbackHouse(store_url) as house:
        house.apps = [app(dict.fromkeys(CallbackEvent, backend.url))]
        house.timings = type(house.timings)(empty_room=10_000)
        node = await house.callback_node()
        await house.enter(node.rooms, "anna")
        await node.rooms.kick(APP, ROOM, "anna")
        assert await told(node, backend) == ["room_create", "room_login", "room_logout"]
        house.clock.forward(10_001)
        await node.rooms.upkeep.reap()
        assert await told(node, backend) == ["room_close"]
        assert backend.one("room_close")["close_reason"] == 3


async def test_only_events_with_an_address_are_told_and_each_at_its_own(house: CallbackHouse, backend: CallbackReceiver) -> None:
    async with CallbackReceiver(backend.secret) as other:
        house.apps = [app({"room_login": backend.url, "room_logout": other.url})]
        node = await house.callback_node()
        anna, _ = await house.enter(node.rooms, "anna")
        await node.rooms.logout(anna.session)
        await node.delivery.deliver_due()
        assert [one["event"] for one in backend.callbacks] == ["room_login"]
        assert [one["event"] for one in other.callbacks] == ["room_logout"]
        assert other.forged == 0


async def test_as_a_form(house: CallbackHouse, backend: CallbackReceiver) -> None:
    house.apps = [app(dict.fromkeys(CallbackEvent, backend.url), form=True)]
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna", user_name="Ä & = ü+%")
    await node.rooms.publish(anna.session, "s1")
    await node.delivery.deliver_due()
    assert backend.one("room_login")["user_nickname"] == "Ä & = ü+%"
    assert backend.one("room_create")["appid"] == str(APP)
    assert not [name for name in backend.one("stream_create") if name.startswith("rtmp_url")]


async def test_as_numbers_for_old_receivers(house: CallbackHouse, backend: CallbackReceiver) -> None:
    house.apps = [app(dict.fromkeys(CallbackEvent, backend.url), numbers=True)]
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    await node.rooms.logout(anna.session)
    await node.delivery.deliver_due()
    logout = backend.one("room_logout")
    assert {name for name, value in logout.items() if isinstance(value, int)} == {
        "timestamp", "login_time", "logout_time", "reason", "user_role",
    }  # fmt: skip


async def test_without_callbacks_nothing_is_written(house: CallbackHouse, backend: CallbackReceiver) -> None:
    house.apps = [app({})]
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    await node.rooms.publish(anna.session, "s1")
    house.apps = [app(dict.fromkeys(CallbackEvent, backend.url))]
    await node.delivery.configure()
    assert await told(node, backend) == []
    # From now on it is, and when they are taken out of the configuration not any more.
    await node.rooms.unpublish(anna.session, "s1")
    assert await told(node, backend) == ["stream_close"]
    house.apps = []
    await node.delivery.configure()
    await node.rooms.logout(anna.session)
    house.apps = [app(dict.fromkeys(CallbackEvent, backend.url))]
    await node.delivery.configure()
    assert await told(node, backend) == []
