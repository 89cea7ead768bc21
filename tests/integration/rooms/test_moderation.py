"""What the operator forbids: users by rule, streams at once, sound for a time. On both stores."""

from __future__ import annotations

import pytest

from rooms.errors import RoomUnknown, RuleUnknown, SequenceStale, StreamForbidden, StreamTaken, StreamUnknown, TooManyRules, UserDenied
from rooms.events import StreamAdded, StreamEnd, StreamMuted, StreamRemoved
from rooms.limits import RoomLimits
from rooms.model import RuleType, StreamRule, UserRule, Verdict
from tests.integration.rooms.house import APP, NOW, ROOM, House
from tests.waiting import until

ADDRESS = "192.0.2.7"
"""Of everybody in the house."""

RULES = [
    UserRule(RuleType.ADDRESS, ip=ADDRESS),
    UserRule(RuleType.ROOM, room_id=ROOM),
    UserRule(RuleType.USER, user_id="anna"),
    UserRule(RuleType.USER_IN_ROOM, room_id=ROOM, user_id="anna"),
]


def _rule(rule: UserRule, *, login: bool = False, publish: bool = False, seconds: int = 60) -> UserRule:
    return UserRule(rule.type, rule.ip, rule.room_id, rule.user_id, login, publish, NOW + seconds * 1000)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.type.name)
async def test_a_login_rule_holds_until_it_expires_and_spares_who_is_inside(house: House, rule: UserRule) -> None:
    node, other = await house.node("n1"), await house.node("n2")
    inside, _ = await house.enter(node, "anna")
    await node.moderation.set_user_rule(APP, _rule(rule, login=True))
    with pytest.raises(UserDenied):
        await house.enter(other, "anna")
    with pytest.raises(UserDenied):
        await node.publish(inside.session, "s1")
    await node.detach(inside.session, b"")
    back, _ = await house.enter(other, "anna", resume=inside.session.session_id)
    assert back.resumed, "the session only came back"
    house.clock.forward(60_001)
    again, _ = await house.enter(other, "anna")
    assert not again.resumed
    await other.publish(again.session, "s1")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.type.name)
async def test_a_publish_rule_refuses_new_streams_and_leaves_running_ones(house: House, rule: UserRule) -> None:
    node = await house.node()
    result, _ = await house.enter(node, "anna")
    await node.publish(result.session, "running")
    await node.moderation.set_user_rule(APP, _rule(rule, publish=True))
    await node.publish(result.session, "running", "goes on")
    await node.reserve(result.session, "running")
    for attempt in (node.reserve, node.publish):
        with pytest.raises(UserDenied):
            await attempt(result.session, "new")
    await node.moderation.delete_user_rule(APP, rule)
    await node.publish(result.session, "new")


async def test_a_rule_is_about_its_own_address_room_and_user_only(house: House) -> None:
    node = await house.node()
    for rule in (
        UserRule(RuleType.ADDRESS, ip="192.0.2.70"),
        UserRule(RuleType.ROOM, room_id="elsewhere"),
        UserRule(RuleType.USER, user_id="ann"),
        UserRule(RuleType.USER_IN_ROOM, room_id="elsewhere", user_id="anna"),
        UserRule(RuleType.USER_IN_ROOM, room_id=ROOM, user_id="bert"),
    ):
        await node.moderation.set_user_rule(APP, _rule(rule, login=True, publish=True))
    result, _ = await house.enter(node, "anna")
    await node.publish(result.session, "s1")


async def test_rules_are_listed_replaced_counted_and_taken_back(house: House) -> None:
    house.limits = RoomLimits(user_rules=2, address_rules=1, login_rate=0)
    node = await house.node()
    first = _rule(UserRule(RuleType.USER, user_id="anna"), login=True, seconds=10)
    second = _rule(UserRule(RuleType.USER, user_id="bert"), publish=True, seconds=20)
    await node.moderation.set_user_rule(APP, first)
    await node.moderation.set_user_rule(APP, second)
    with pytest.raises(TooManyRules):
        await node.moderation.set_user_rule(APP, _rule(UserRule(RuleType.USER, user_id="carl"), login=True))
    replaced = _rule(UserRule(RuleType.USER, user_id="bert"), login=True, publish=True, seconds=30)
    await node.moderation.set_user_rule(APP, replaced)
    assert await node.moderation.user_rules(APP, RuleType.USER) == [first, replaced]
    assert await node.moderation.user_rules(APP, RuleType.ROOM) == []
    house.clock.forward(10_001)
    assert await node.moderation.user_rules(APP, RuleType.USER) == [replaced]
    await node.moderation.set_user_rule(APP, _rule(UserRule(RuleType.USER, user_id="carl"), login=True))
    await node.moderation.delete_user_rule(APP, replaced)
    with pytest.raises(RuleUnknown):
        await node.moderation.delete_user_rule(APP, replaced)
    both = _rule(UserRule(RuleType.USER_IN_ROOM, room_id=ROOM, user_id="dora"), login=True)
    await node.moderation.set_user_rule(APP, both)
    assert await node.moderation.user_rules(APP, RuleType.USER_IN_ROOM) == [both]


async def test_a_forbidden_stream_goes_off_the_air_and_stays_off_until_it_is_resumed(house: House) -> None:
    node, other = await house.node("n1"), await house.node("n2")
    result, anna = await house.enter(node, "anna")
    stream = await node.publish(result.session, "s1")
    await other.moderation.forbid_stream(APP, "s1", 5)
    with pytest.raises(StreamForbidden):
        await node.publish(result.session, "s1")
    with pytest.raises(StreamForbidden):
        await node.reserve(result.session, "s1")
    await until(lambda: anna.seen()[-1] == "StreamRemoved")
    removed = anna.events[-1]
    assert isinstance(removed, StreamRemoved) and removed.reason is StreamEnd.FORBIDDEN and removed.stream == stream
    assert await node.moderation.verdict(APP, ROOM, "s1") == Verdict(forbidden=True)
    await node.publish(result.session, "s2")
    house.clock.forward(24 * 3_600_000)
    with pytest.raises(StreamForbidden):
        await node.publish(result.session, "s1")
    await other.moderation.resume_stream(APP, "s1", 6)
    await node.publish(result.session, "s1")


async def test_an_unknown_stream_may_be_forbidden_before_it_exists(house: House) -> None:
    node = await house.node()
    await node.moderation.forbid_stream(APP, "later", 1)
    result, _ = await house.enter(node, "anna")
    with pytest.raises(StreamForbidden):
        await node.reserve(result.session, "later")
    assert await node.moderation.verdict(APP, ROOM, "other") == Verdict()


async def test_requests_about_a_stream_are_ordered_by_their_sequence_for_ten_seconds(house: House) -> None:
    node = await house.node()
    high = 9_223_372_036_854_775_807
    await node.moderation.forbid_stream(APP, "s1", high - 1)
    for late in (9, high - 2, high - 1):
        with pytest.raises(SequenceStale):
            await node.moderation.resume_stream(APP, "s1", late)
    await node.moderation.resume_stream(APP, "s1", high)
    house.clock.forward(10_000)
    await node.moderation.forbid_stream(APP, "s1", 1)
    assert (await node.moderation.verdict(APP, ROOM, "s1")).forbidden


async def test_a_mute_is_told_to_the_nodes_and_runs_out(house: House) -> None:
    node, other = await house.node("n1"), await house.node("n2")
    _, anna = await house.enter(other, "anna")
    end = NOW + 30_000
    await node.moderation.set_stream_rule(APP, StreamRule(ROOM, "s1", mute_audio=True, expires_at=end))
    rules = await other.moderation.stream_rules(APP, ROOM, ["s1", "s2"])
    assert rules == [StreamRule(ROOM, "s1", True, False, NOW, end), StreamRule(ROOM, "s2")]
    await until(lambda: anna.seen()[-1:] == ["StreamMuted"])
    event = anna.events[-1]
    assert isinstance(event, StreamMuted) and (event.stream_id, event.audio_until, event.video_until) == ("s1", end, 0)
    assert (await other.moderation.verdict(APP, ROOM, "s1")).audio_muted_until == end
    assert (await other.moderation.verdict(APP, "elsewhere", "s1")).audio_muted_until == 0
    await node.moderation.delete_stream_rule(APP, ROOM, "s1")
    await until(lambda: anna.seen()[-2:] == ["StreamMuted"] * 2)
    event = anna.events[-1]
    assert isinstance(event, StreamMuted) and event.audio_until == 0
    await node.moderation.set_stream_rule(APP, StreamRule(ROOM, "s1", mute_audio=True, expires_at=end))
    house.clock.forward(30_000)
    assert await node.moderation.verdict(APP, ROOM, "s1") == Verdict()


async def test_an_added_stream_is_listed_and_ends_with_its_user_or_the_room(house: House) -> None:
    node = await house.node()
    with pytest.raises(RoomUnknown):
        await node.moderation.add_stream(APP, ROOM, "bot", "", "music", "")
    _, anna = await house.enter(node, "anna")
    bert, _ = await house.enter(node, "bert")
    of_nobody = await node.moderation.add_stream(APP, ROOM, "bot", "Bot", "music", "{}")
    assert anna.events[-1] == StreamAdded(rev=3, stream=of_nobody) and of_nobody.user_name == "Bot" and of_nobody.extra_info == "{}"
    assert await node.moderation.add_stream(APP, ROOM, "bot", "Bot", "music", "{}") == of_nobody
    of_bert = await node.moderation.add_stream(APP, ROOM, "bert", "", "berts", "")
    assert of_bert.session_id == bert.session.session_id
    with pytest.raises(StreamTaken):
        await node.publish(bert.session, "music")
    with pytest.raises(StreamTaken):
        await node.moderation.add_stream(APP, ROOM, "anna", "", "berts", "")
    await node.logout(bert.session)
    assert [stream.stream_id for stream in await node.streams(APP, ROOM)] == ["music"]
    await node.close_room(APP, ROOM)
    assert await node.stream(APP, "music") is None and await node.streams(APP, ROOM) == []


async def test_a_delisted_stream_leaves_the_list_and_keeps_its_owner(house: House) -> None:
    node = await house.node()
    result, anna = await house.enter(node, "anna")
    two, _ = await house.enter(node, "bert")
    await node.publish(result.session, "s1", "x")
    with pytest.raises(StreamUnknown):
        await node.moderation.delist_stream(APP, ROOM, "bert", "s1")
    gone = await node.moderation.delist_stream(APP, ROOM, "anna", "s1")
    event = anna.events[-1]
    assert isinstance(event, StreamRemoved) and event.reason is StreamEnd.DELISTED and event.stream == gone
    assert await node.streams(APP, ROOM) == []
    with pytest.raises(StreamTaken):
        await node.publish(two.session, "s1")
    with pytest.raises(StreamUnknown):
        await node.moderation.delist_stream(APP, ROOM, "anna", "s1")
    await node.publish(result.session, "s1", "x")
    assert [stream.stream_id for stream in await node.streams(APP, ROOM)] == ["s1"]
    await node.logout(result.session)
    await node.publish(two.session, "s1")


async def test_the_state_of_a_stream_is_remembered_for_a_while(house: House) -> None:
    node = await house.node()
    assert await node.moderation.stream_state(APP, "s1") is None
    result, _ = await house.enter(node, "anna")
    await node.reserve(result.session, "s1")
    assert await node.moderation.stream_state(APP, "s1") is None
    house.clock.forward(1000)
    await node.publish(result.session, "s1")
    live = await node.moderation.stream_state(APP, "s1")
    assert live is not None and live.live and live.created_at == NOW + 1000
    house.clock.forward(1000)
    await node.unpublish(result.session, "s1")
    closed = await node.moderation.stream_state(APP, "s1")
    assert closed is not None and not closed.live and (closed.created_at, closed.closed_at) == (NOW + 1000, NOW + 2000)
