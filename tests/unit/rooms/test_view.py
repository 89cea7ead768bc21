"""The view and its history: next events, repetitions, holes, own events that overtake the subscription."""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rooms.events import (
    Barrage,
    CustomCommand,
    Delivery,
    EndReason,
    Event,
    RoomClosed,
    SessionMoved,
    StreamAdded,
    StreamEnd,
    StreamRemoved,
    UserJoined,
    UserLeft,
)
from rooms.following import FollowedRoom
from rooms.held import HeldSession
from rooms.limits import RoomLimits
from rooms.model import Client, Grant, Session, Stream, User
from rooms.registry import CatchUp

APP, ROOM, LIFE = 1, "r", 1_800_000_000_000


class Ear:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.resyncs = 0
        self.superseded_calls = 0

    def deliver(self, delivery: Delivery) -> None:
        self.heard.append(f"{type(delivery.event).__name__}:{delivery.event.rev}")

    def resync(self) -> None:
        self.resyncs += 1

    def superseded(self) -> bytes:
        self.superseded_calls += 1
        return b"told"


def user(name: str, session_id: int = 1) -> User:
    return User(name, name, 2, 0, session_id)


def stream(name: str) -> Stream:
    return Stream(name, 7, "u", "u", ROOM, 1, "n", "", True, 0, 1)


def payload(event: Event, life: int = LIFE) -> bytes:
    return f"{life} {event.rev} ".encode() + msgspec.json.encode(event)


async def followed(rev: int = 0, life: int = 0, limits: RoomLimits | None = None) -> FollowedRoom:
    room = FollowedRoom(APP, ROOM, "here", limits or RoomLimits(), 0)
    room.caught_up(CatchUp(lifetime_id=life, rev=rev))
    room.ready.set_result(None)
    return room


def held(room: FollowedRoom, name: str, session_id: int, attachment: int = 1) -> Ear:
    ear = Ear()
    session = Session(APP, ROOM, name, name, 2, session_id, 1, LIFE, "key", Client(), Grant(), "here", 0, attachment)
    room.attach(HeldSession(session, ear, room, 0))
    return ear


async def test_events_are_applied_before_they_are_delivered() -> None:
    room = await followed(4, LIFE)

    class Curious(Ear):
        def deliver(self, delivery: Delivery) -> None:
            assert room.view.rev == delivery.event.rev and "s" in room.view.streams
            super().deliver(delivery)

    ear = Curious()
    room.watchers.append(ear)
    assert not room.take(payload(StreamAdded(rev=5, stream=stream("s"))), own=False)
    assert ear.heard == ["StreamAdded:5"]


async def test_a_repetition_is_dropped_and_a_hole_is_reported() -> None:
    room = await followed(4, LIFE)
    ear = held(room, "u", 1)
    event = payload(UserJoined(rev=5, user=user("v", 2)))
    assert not room.take(event, own=True) and not room.take(event, own=False)
    assert room.take(payload(UserJoined(rev=7, user=user("w", 3))), own=False)
    assert ear.heard == ["UserJoined:5"] and room.view.rev == 5


async def test_an_own_event_that_overtakes_the_subscription_is_no_hole() -> None:
    room = await followed(4, LIFE)
    ear = held(room, "u", 1)
    late = payload(UserJoined(rev=6, user=user("w", 3)))
    assert not room.take(late, own=True)
    assert not room.take(payload(UserJoined(rev=5, user=user("v", 2))), own=False)
    assert not room.take(late, own=False)
    assert ear.heard == ["UserJoined:5", "UserJoined:6"]


async def test_the_first_event_of_a_life_needs_no_snapshot() -> None:
    room = await followed()
    assert not room.take(payload(UserJoined(rev=1, user=user("u"))), own=False)
    assert room.view.lifetime_id == LIFE and list(room.view.users) == ["u"]
    room.take(payload(UserLeft(rev=2, user=user("u"), reason=EndReason.LOGOUT)), own=False)
    room.take(payload(RoomClosed(rev=3, lifetime_id=LIFE)), own=False)
    assert room.view.lifetime_id == 0 and room.passed(LIFE, 3)
    assert not room.take(payload(UserJoined(rev=1, user=user("u"))), own=False), "late news of the dead room"
    assert room.view.lifetime_id == 0
    assert not room.take(payload(UserJoined(rev=1, user=user("u")), LIFE + 1), own=False)
    assert room.view.lifetime_id == LIFE + 1


async def test_events_of_another_life_are_a_hole() -> None:
    room = await followed(4, LIFE)
    assert room.take(payload(UserJoined(rev=1, user=user("u")), LIFE + 1), own=False)
    unborn = await followed()
    assert unborn.take(payload(UserJoined(rev=5, user=user("u"))), own=False)


async def test_a_leave_of_an_older_session_does_not_remove_the_newer_one() -> None:
    room = await followed(0, LIFE)
    room.take(payload(UserJoined(rev=1, user=user("u", 2))), own=False)
    room.take(payload(UserLeft(rev=2, user=user("u", 1), reason=EndReason.LOST)), own=False)
    assert room.view.users["u"].session_id == 2


async def test_a_barrage_takes_no_place() -> None:
    room = await followed(4, LIFE)
    ear = held(room, "u", 1)
    barrage = Barrage(rev=0, message_id="1", user_id="v", user_name="v", content="x", sent_at=0)
    room.take(payload(barrage), own=False)
    room.take(payload(barrage, LIFE - 1), own=False)
    assert ear.heard == ["Barrage:0"] and room.view.rev == 4


async def test_a_command_to_some_is_delivered_to_them_and_to_watchers() -> None:
    room = await followed(0, LIFE)
    ears = {name: held(room, name, number) for number, name in enumerate(("a", "b", "c"), 1)}
    watcher = Ear()
    room.watchers.append(watcher)
    room.take(payload(CustomCommand(rev=1, user_id="x", to=("a", "c", "z"), content="y")), own=False)
    room.take(payload(CustomCommand(rev=2, user_id="x", to=(), content="y")), own=False)
    assert [len(ears[name].heard) for name in "abc"] == [2, 1, 2] and len(watcher.heard) == 2


async def test_the_own_end_is_the_last_thing_a_receiver_hears() -> None:
    room = await followed(0, LIFE)
    ended: list[HeldSession] = []
    room.on_ended = ended.append
    ear = held(room, "u", 1)
    room.take(payload(UserLeft(rev=1, user=user("u", 1), reason=EndReason.KICKED)), own=False)
    room.take(payload(UserJoined(rev=2, user=user("v", 2))), own=False)
    assert ear.heard == ["UserLeft:1"] and len(ended) == 1 and not room.held


async def test_a_session_moved_elsewhere_closes_the_older_socket_only_there() -> None:
    room = await followed(0, LIFE)
    older, other = held(room, "u", 1), held(room, "v", 2)
    room.take(payload(SessionMoved(rev=1, session_id=1, attachment=2, node_id="there")), own=False)
    assert older.superseded_calls == 1 and not other.heard and list(room.held) == [2]
    room.take(payload(SessionMoved(rev=2, session_id=2, attachment=1, node_id="there")), own=False)
    assert other.superseded_calls == 0, "an attachment as new as ours is ours"
    room.take(payload(SessionMoved(rev=3, session_id=2, attachment=2, node_id="here")), own=False)
    assert other.superseded_calls == 0, "here the login takes it over"


async def test_a_snapshot_resynchronises_and_what_waited_is_applied_after_it() -> None:
    room = await followed(4, LIFE)
    ear = held(room, "u", 1)
    room.behind = True
    room.take(payload(StreamAdded(rev=9, stream=stream("old"))), own=False)
    room.take(payload(StreamAdded(rev=11, stream=stream("new"))), own=False)
    jumped, hole = room.caught_up(CatchUp(lifetime_id=LIFE, rev=10, users=(user("u"),), streams=(stream("old"),)))
    assert jumped and not hole and ear.resyncs == 1 and ear.heard == ["StreamAdded:11"]
    assert set(room.view.streams) == {"old", "new"} and room.view.rev == 11


async def test_what_waits_is_bounded() -> None:
    room = await followed(4, LIFE, RoomLimits(waiting_events=10))
    room.behind = True
    for rev in range(5, 30):
        room.take(payload(UserJoined(rev=rev, user=user(f"u{rev}", rev))), own=False)
    assert len(room.waiting) <= 10
    assert room.caught_up(CatchUp(same=True)) == (False, True), "the loss shows as a hole"


async def test_the_dictionaries_of_a_view_stay_the_same_objects() -> None:
    room = await followed(4, LIFE)
    users, streams = room.view.users, room.view.streams
    room.caught_up(CatchUp(lifetime_id=LIFE, rev=9, users=(user("u"),), streams=(stream("s"),)))
    assert room.view.users is users and room.view.streams is streams and "u" in users


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
async def test_whatever_order_and_repetition_a_history_arrives_in_the_view_never_leaves_it(data: st.DataObject) -> None:
    """Own events overtake, everything may come twice, the subscription keeps order but loses: every state is one of the true ones."""
    history: list[Event] = []
    states: list[frozenset[str]] = [frozenset()]
    for rev in range(1, 25):
        known = sorted(states[-1])
        if known and data.draw(st.booleans()):
            name = data.draw(st.sampled_from(known))
            history.append(StreamRemoved(rev=rev, stream=stream(name), reason=StreamEnd.STOPPED))
            states.append(states[-1] - {name})
        else:
            history.append(StreamAdded(rev=rev, stream=stream(f"s{rev}")))
            states.append(states[-1] | {f"s{rev}"})
    room = await followed(0, LIFE)
    sent = 0
    while sent < len(history):
        action = data.draw(st.sampled_from(["next", "next", "next", "lose", "own", "repeat", "catch up"]))
        if action == "own":
            room.take(payload(data.draw(st.sampled_from(history))), own=True)
        elif action == "repeat" and sent:
            room.take(payload(history[sent - 1]), own=False)
        elif action == "lose":
            sent += 1
        elif action == "catch up" and room.view.rev < sent:
            room.caught_up(CatchUp(payloads=tuple(payload(event) for event in history[room.view.rev : sent])))
        elif action == "next":
            hole = room.take(payload(history[sent]), own=False)
            sent += 1
            if hole:
                room.caught_up(CatchUp(payloads=tuple(payload(event) for event in history[room.view.rev : sent])))
                assert room.view.rev == sent
        assert frozenset(room.view.streams) == states[room.view.rev]
