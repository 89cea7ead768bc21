"""A view is always a state that the room had, whatever the subscription loses. On both stores."""

from __future__ import annotations

import asyncio
import random

import pytest

from rooms.errors import RoomError
from rooms.events import EndReason, UserJoined
from rooms.limits import RoomLimits
from rooms.service import RoomService
from tests.integration.rooms.house import APP, ROOM, HeldAnswers, House, Phone, brisk, deaf, request, state, stored
from tests.waiting import until


async def agrees(node: RoomService, room_id: str = ROOM) -> bool:
    return state(node.view(APP, room_id)) == await stored(node, room_id)


async def test_a_hole_is_filled_from_the_log_without_anybody_noticing(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    _, bert = await house.enter(two, "bert")
    with deaf(two):
        for number in range(5):
            await one.publish(first.session, f"s{number}")
        await one.messages.send_broadcast(first.session, "lost?")
    await one.messages.send_broadcast(first.session, "not lost")
    await until(lambda: bert.seen().count("Broadcast") == 2)
    assert bert.seen() == ["StreamAdded"] * 5 + ["Broadcast"] * 2 and bert.resyncs == 0
    revs = [event.rev for event in bert.events]
    assert revs == list(range(revs[0], revs[0] + 7))
    assert await agrees(two)


async def test_a_defect_in_the_handling_of_an_event_does_not_leave_the_node_deaf(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2", sleep=brisk)
    first, _ = await house.enter(one, "anna")
    _, bert = await house.enter(two, "bert")
    hear = two._feed._on_payload

    def fail_once(channel: str, payload: bytes) -> None:
        two._feed._on_payload = hear
        raise RuntimeError("a defect")

    two._feed._on_payload = fail_once
    await one.messages.send_broadcast(first.session, "while it fails")
    await until(lambda: two._feed._on_payload == hear)
    await until(lambda: two.ready)
    await one.messages.send_broadcast(first.session, "later")
    await until(lambda: bert.seen().count("Broadcast") == 2)


async def test_a_hole_longer_than_the_log_leads_to_a_snapshot_and_resynchronisation(house: House) -> None:
    house.limits = RoomLimits(log_events=4, login_rate=0, streams_per_session=100)
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    _, bert = await house.enter(two, "bert")
    watcher = Phone()
    await two.watch(APP, ROOM, watcher)
    with deaf(two):
        for number in range(40):
            await one.publish(first.session, f"s{number}")
    await one.publish(first.session, "last")
    await until(lambda: bert.resyncs == 1)
    assert await agrees(two) and len(two.view(APP, ROOM).streams) == 41 and watcher.resyncs == 1  # type: ignore[union-attr]
    bert.forget()
    await one.unpublish(first.session, "last")
    await until(lambda: bert.seen() == ["StreamRemoved"])


async def test_a_session_that_ended_in_a_hole_is_told_all_the_same(house: House) -> None:
    house.limits = RoomLimits(log_events=2, login_rate=0)
    one, two = await house.node("n1"), await house.node("n2")
    await house.enter(one, "anna")
    _, bert = await house.enter(two, "bert")
    _, cleo = await house.enter(two, "cleo")
    with deaf(two):
        await one.kick(APP, ROOM, "bert", message="out")
        for number in range(6):
            await house.enter(one, f"u{number}")
    await house.enter(one, "last")
    await until(lambda: bert.end() == EndReason.KICKED)
    assert cleo.resyncs == 1 and cleo.end() is None and await agrees(two)
    assert two.counts().sessions == 1


async def test_a_session_that_ended_in_a_hole_during_its_own_login_is_told_after_it(house: House) -> None:
    house.limits = RoomLimits(log_events=1, login_rate=0)
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    phone = Phone()
    with HeldAnswers(house.store_of(two), "login") as answers:
        task = asyncio.create_task(two.login(request("bert"), phone))
        await answers.ran.wait()
        with deaf(two):
            await one.kick(APP, ROOM, "bert", message="out")
            for number in range(4):
                await one.publish(first.session, f"s{number}")
        await one.publish(first.session, "last")
        await until(lambda: agrees(two))
        answers.gate.set()
        result = await task
    phone.session = result.session
    await until(lambda: phone.end() == EndReason.KICKED)
    assert two.counts().sessions == 0


async def test_a_room_that_died_and_rose_in_a_hole_is_the_new_one(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    watcher = Phone()
    await two.watch(APP, ROOM, watcher)
    first, _ = await house.enter(one, "anna")
    await until(lambda: watcher.seen() == ["UserJoined"])
    with deaf(two):
        await one.logout(first.session)
        house.clock.forward(10)
        second, _ = await house.enter(one, "bert")
    await house.enter(one, "cleo")
    await until(lambda: agrees(two))
    view = two.view(APP, ROOM)
    assert view is not None and view.lifetime_id == second.session.room_lifetime_id and watcher.resyncs == 1


async def test_an_own_change_is_visible_when_the_call_returns_even_if_the_subscription_is_deaf(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    await house.enter(two, "bert")
    first, anna = await house.enter(one, "anna")
    with deaf(one):
        await one.publish(first.session, "s1")
        assert set(one.view(APP, ROOM).streams) == {"s1"} and anna.seen() == ["StreamAdded"]  # type: ignore[union-attr]


async def test_a_login_repairs_a_view_that_has_fallen_behind(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    first, _ = await house.enter(one, "anna")
    _, bert = await house.enter(two, "bert")
    with deaf(two):
        await one.publish(first.session, "s1")
        result, _ = await house.enter(two, "cleo")
        assert set(result.view.streams) == {"s1"} and "cleo" in result.view.users
        assert bert.seen() == ["StreamAdded", "UserJoined"]


async def test_joining_leaving_and_joining_again_does_not_lose_the_subscription(house: House) -> None:
    one, two = await house.node("n1"), await house.node("n2")
    speaker, _ = await house.enter(one, "anna")
    for number in range(30):
        result, phone = await house.enter(two, "bert")
        await one.publish(speaker.session, f"s{number}")
        await until(lambda phone=phone: phone.seen() == ["StreamAdded"])
        await two.logout(result.session)
        await one.unpublish(speaker.session, f"s{number}")


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_in_whatever_order_views_agree_with_the_store(house: House, seed: int) -> None:
    """Random actions of several users on two nodes, many at a time, now and then with a deaf subscription."""
    rng = random.Random(seed)
    house.limits = RoomLimits(
        log_events=8, login_rate=0, broadcast_rate=0, broadcast_room_rate=0, command_many_rate=0, extra_info_rate=0, extra_info_keys=3
    )
    nodes = [await house.node("n1"), await house.node("n2")]
    mirrors = []
    for node in nodes:
        for room_id in ("a", "b"):
            mirror = Mirror(node, room_id)
            await mirror.begin()
            mirrors.append(mirror)

    async def live(user_id: str) -> None:
        luck = random.Random(f"{seed}-{user_id}")
        for _ in range(25):
            node = luck.choice(nodes)
            try:
                result, _ = await house.enter(node, user_id, luck.choice("ab"))
                for _ in range(luck.randrange(6)):
                    stream_id = f"s{luck.randrange(5)}"
                    match luck.randrange(7):
                        case 0 | 1:
                            await node.publish(result.session, stream_id, str(luck.random()))
                        case 2:
                            await node.unpublish(result.session, stream_id)
                        case 3:
                            await node.set_extra_info(result.session, f"k{luck.randrange(3)}", str(luck.random()))
                        case 4:
                            await node.messages.send_broadcast(result.session, "x")
                        case 5:
                            await node.reserve(result.session, stream_id)
                        case _:
                            await node.detach(result.session, b"t")
                            result, _ = await house.enter(
                                luck.choice(nodes), user_id, result.session.room_id, resume=result.session.session_id
                            )
                if luck.random() < 0.7:
                    await node.logout(result.session)
            except RoomError:
                pass  # refusals are part of life

    async def disturb() -> None:
        for _ in range(10):
            with deaf(rng.choice(nodes)):
                for _ in range(rng.randrange(20)):
                    await asyncio.sleep(0)
            for _ in range(rng.randrange(40)):
                await asyncio.sleep(0)

    await asyncio.gather(*(live(f"u{i}") for i in range(8)), disturb())
    for node in nodes:
        # What a deaf spell swallowed last is noticed with the next event.
        for room_id in ("a", "b"):
            await house.enter(node, f"last-{room_id}-{node.node.node_id}", room_id)
    for mirror in mirrors:
        await until(lambda mirror=mirror: agrees(mirror.node, mirror.room_id))
        mirror.check()


class Mirror(Phone):
    """A watcher that keeps its own copy from nothing but events and resynchronisations, as a dialect does."""

    def __init__(self, node: RoomService, room_id: str) -> None:
        super().__init__()
        self.node = node
        self.room_id = room_id
        self.users: set[str] = set()
        self.streams: set[str] = set()

    async def begin(self) -> None:
        await self.node.watch(APP, self.room_id, self)
        self.resync()

    def deliver(self, delivery: object) -> None:
        event = delivery.event  # type: ignore[attr-defined]
        match type(event).__name__:
            case "UserJoined":
                self.users.add(event.user.user_id)
            case "UserLeft":
                self.users.discard(event.user.user_id)
            case "StreamAdded":
                assert event.stream.stream_id not in self.streams, "a stream is announced once"
                self.streams.add(event.stream.stream_id)
            case "StreamRemoved":
                assert event.stream.stream_id in self.streams
                self.streams.discard(event.stream.stream_id)

    def resync(self) -> None:
        view = self.node.view(APP, self.room_id)
        self.users = set(view.users) if view else set()
        self.streams = set(view.streams) if view else set()

    def check(self) -> None:
        view = self.node.view(APP, self.room_id)
        assert view is not None and self.users == set(view.users) and self.streams == set(view.streams)


async def test_a_receiver_that_enters_during_traffic_misses_nothing_and_sees_nothing_twice(house: House) -> None:
    node, away = await house.node("n1"), await house.node("n2")
    await house.enter(away, "speaker")

    async def traffic() -> None:
        for number in range(60):
            await house.enter(away if number % 2 else node, f"t{number}")

    busy = asyncio.create_task(traffic())
    entered: list[tuple[set[str], Phone]] = []
    while not busy.done():
        result, phone = await house.enter(node, f"watching{len(entered)}")
        entered.append((set(result.view.users), phone))
    await busy
    await until(lambda: agrees(node))
    everybody = set(node.view(APP, ROOM).users)  # type: ignore[union-attr]
    for before, phone in entered:
        joined = [event.user.user_id for event in phone.events if isinstance(event, UserJoined)]
        assert len(joined) == len(set(joined)) and not before & set(joined) and before | set(joined) == everybody
