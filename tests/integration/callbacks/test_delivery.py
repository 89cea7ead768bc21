"""How callbacks get to a receiver that is not always there: retries, dead letters, other nodes; time is the test's."""

from __future__ import annotations

import asyncio

import pytest

from rooms.errors import StoreUnavailable
from rooms.outbox import CallbackEvent
from server.callbacks.delivery import CLAIM_MARGIN
from tests.callback_receiver import HANG, CallbackReceiver
from tests.integration.callbacks.house import SECRET, CallbackHouse, CallbackNode, app
from tests.integration.rooms.house import APP, HeldAnswers, brisk, dormant
from tests.waiting import until

FAR_AWAY = 424_242


async def attempts_over_time(house: CallbackHouse, node: CallbackNode, backend: CallbackReceiver, until_ms: int) -> list[int]:
    """Lets time pass in steps of half a second; the times (ms from now) at which the receiver was asked."""
    start, asked = house.clock(), []
    before = len(backend.seen_headers)
    while house.clock() - start <= until_ms:
        await node.delivery.deliver_due()
        asked += [house.clock() - start] * (len(backend.seen_headers) - before)
        before = len(backend.seen_headers)
        house.clock.forward(500)
    return asked


async def test_receiver_that_answers_500_is_asked_six_times_then_the_event_is_a_dead_letter(
    house: CallbackHouse, backend: CallbackReceiver
) -> None:
    house.apps = [app({"room_login": backend.url})]
    node = await house.callback_node()
    await house.enter(node.rooms, "anna")
    backend.status = 500
    assert await attempts_over_time(house, node, backend, 120_000) == [0, 2_000, 6_000, 14_000, 30_000, 62_000]
    (letter,) = await node.outbox.dead_letters(APP, limit=10)
    assert (letter.entry.event, letter.problem) == ("room_login", "HTTP status 500")
    # Each attempt is signed anew, and says which one it is.
    assert len({one["signature"] for one in backend.refused}) == 6
    assert [headers["x-hearth-attempt"] for headers in backend.seen_headers] == ["1", "2", "3", "4", "5", "6"]
    assert {headers["x-hearth-event-id"] for headers in backend.seen_headers} == {letter.entry.event_id}
    assert node.figure("hearth_callbacks_total", event="room_login", result="failed") == 6
    assert node.figure("hearth_callbacks_total", event="room_login", result="retried") == 5
    assert node.figure("hearth_callbacks_total", event="room_login", result="dead") == 1
    # The operator tries again.
    backend.status = 200
    assert await node.outbox.retry(APP, [letter.letter_id]) == 1
    await node.delivery.deliver_due()
    assert backend.one("room_login")["user_account"] == "anna"
    assert backend.seen_headers[-1]["x-hearth-event-id"] == letter.entry.event_id
    assert await node.outbox.dead_letters(APP, limit=10) == []
    assert node.delivery.backlogs()[APP].waiting == 0


async def test_receiver_that_is_down_for_a_while_misses_nothing(house: CallbackHouse, backend: CallbackReceiver) -> None:
    node = await house.callback_node()
    await backend.close()
    for number in range(20):
        await house.enter(node.rooms, f"user-{number}")
        await node.delivery.deliver_due()
        house.clock.forward(1000)
    assert backend.callbacks == []
    await backend.listen()
    await attempts_over_time(house, node, backend, 62_000)
    assert [one["user_update_seq"] for one in backend.of("room_login")] == [str(number + 1) for number in range(20)]
    assert await node.outbox.dead_letters(APP, limit=10) == []
    assert node.figure("hearth_callbacks_total", event="room_login", result="delivered") == 20


async def test_receiver_that_hangs_is_given_up_after_the_time_limit(house: CallbackHouse, backend: CallbackReceiver) -> None:
    house.apps = [app({"room_login": backend.url})]
    node = await house.callback_node(timeout_seconds=1)
    await house.enter(node.rooms, "anna")
    backend.status = HANG
    await node.delivery.deliver_due()
    assert len(backend.refused) == 1
    backend.status = 200
    house.clock.forward(2000)
    await node.delivery.deliver_due()
    assert backend.one("room_login")["user_account"] == "anna"


async def test_receiver_that_is_killed_while_it_thinks(house: CallbackHouse, backend: CallbackReceiver) -> None:
    house.apps = [app({"room_login": backend.url})]
    node = await house.callback_node()
    await house.enter(node.rooms, "anna")
    backend.status = HANG
    attempt = asyncio.create_task(node.delivery.deliver_due())
    await until(lambda: backend.refused)
    await backend.close()
    await attempt
    backend.status = 200
    await backend.listen()
    house.clock.forward(2000)
    await node.delivery.deliver_due()
    assert backend.one("room_login")["user_account"] == "anna"


async def test_slow_receiver_holds_up_only_its_own_app(house: CallbackHouse, backend: CallbackReceiver) -> None:
    async with CallbackReceiver(SECRET) as slow:
        slow.status = HANG
        house.apps = [app({"room_login": backend.url}), app({"room_login": slow.url}, FAR_AWAY)]
        node = await house.callback_node(concurrency=3, timeout_seconds=30)
        for number in range(10):
            await house.enter(node.rooms, f"user-{number}", app_id=FAR_AWAY)
            await house.enter(node.rooms, f"user-{number}")
        delivering = asyncio.create_task(node.delivery.deliver_due())
        await until(lambda: len(backend.callbacks) == 10)
        await until(lambda: len(slow.refused) == 3)
        assert len(slow.refused) == 3 and not delivering.done(), "no more than three at a time"
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)


async def test_what_a_dead_node_had_taken_another_delivers(house: CallbackHouse, backend: CallbackReceiver) -> None:
    house.apps = [app({"room_login": backend.url})]
    dying, other = await house.callback_node("n1"), await house.callback_node("n2")
    for number in range(5):
        await house.enter(dying.rooms, f"user-{number}")
    now = house.clock()
    taken, _ = await dying.outbox.take(APP, [CallbackEvent.ROOM_LOGIN], 3, now + 5000 + CLAIM_MARGIN, now=now)
    assert len(taken) == 3
    # What it had not taken is delivered at once; its claims are respected until they run out.
    await other.delivery.deliver_due()
    assert len(backend.callbacks) == 2
    house.clock.forward(5000 + CLAIM_MARGIN - 1)
    await other.delivery.deliver_due()
    assert len(backend.callbacks) == 2
    house.clock.forward(1)
    await other.delivery.deliver_due()
    assert sorted(one["user_account"] for one in backend.callbacks) == [f"user-{number}" for number in range(5)]


async def test_node_that_was_only_slow_has_no_say_about_a_claim_that_is_anothers_now(
    house: CallbackHouse, backend: CallbackReceiver
) -> None:
    house.apps = [app({"room_login": backend.url})]
    slow, other = await house.callback_node("n1"), await house.callback_node("n2")
    await house.enter(slow.rooms, "anna")
    events, now = [CallbackEvent.ROOM_LOGIN], house.clock()
    ((entry,), _) = await slow.outbox.take(APP, events, 1, now + 1000, now=now)
    ((again,), _) = await other.outbox.take(APP, events, 1, now + 9000, now=now + 1000)
    assert again.entry_id == entry.entry_id
    await slow.outbox.failed(APP, entry, "late", (10,), now=now + 2000)
    await slow.outbox.release(APP, entry, now=now + 2000)
    assert (await slow.outbox.take(APP, events, 1, now + 20_000, now=now + 8999))[0] == ()
    ((last,), _) = await slow.outbox.take(APP, events, 1, now + 20_000, now=now + 9000)
    assert last.failures == 0
    await slow.outbox.delivered(APP, entry)
    assert (await slow.outbox.take(APP, events, 1, now + 90_000, now=now + 80_000))[0] == ()


async def test_node_that_is_stopped_gives_back_what_it_had_under_way(house: CallbackHouse, backend: CallbackReceiver) -> None:
    async with CallbackReceiver(SECRET) as slow:
        slow.status = HANG
        house.apps = [app({"room_login": slow.url})]
        stopping = await house.callback_node("n1")
        stopping.delivery._sleep = brisk
        running = asyncio.create_task(stopping.delivery.run())
        await house.enter(stopping.rooms, "anna")
        await until(lambda: slow.refused)
        # Its App moves to another address, too: the attempt is made there, at once.
        house.apps = [app({"room_login": backend.url})]
        await until(lambda: backend.callbacks)
        house.apps = [app({"room_login": slow.url})]
        await stopping.delivery.configure()
        await house.enter(stopping.rooms, "ben")
        await until(lambda: len(slow.refused) == 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        slow.status = 200
        await stopping.delivery.aclose()
        assert [one["user_account"] for one in slow.callbacks] == ["ben"]
        assert backend.seen_headers[-1]["x-hearth-attempt"] == "1"


async def test_node_that_ends_between_change_and_delivery(house: CallbackHouse, backend: CallbackReceiver) -> None:
    dying = await house.callback_node("n1")
    await house.enter(dying.rooms, "anna")
    other = await house.callback_node("n2")
    await other.delivery.deliver_due()
    assert sorted(one["event"] for one in backend.callbacks) == ["room_create", "room_login"]


async def test_two_nodes_share_the_work_and_nothing_is_told_twice(house: CallbackHouse, backend: CallbackReceiver) -> None:
    house.apps = [app({"room_login": backend.url})]
    nodes = [await house.callback_node(name) for name in ("n1", "n2")]
    for number in range(60):
        await house.enter(nodes[number % 2].rooms, f"user-{number}")
    await asyncio.gather(*(node.delivery.deliver_due() for node in nodes))
    assert len(backend.callbacks) == 60 == len(backend.of("room_login"))


async def test_full_outbox_takes_no_more_and_the_numbers_show_it(house: CallbackHouse, backend: CallbackReceiver) -> None:
    house.apps = [app({"room_login": backend.url})]
    node = await house.callback_node(outbox_events=3)
    for number in range(5):
        await house.enter(node.rooms, f"user-{number}")
    await node.delivery.deliver_due()
    await house.enter(node.rooms, "last")
    await node.delivery.deliver_due()
    assert [one["user_update_seq"] for one in backend.of("room_login")] == ["1", "2", "3", "6"]
    assert node.delivery.backlogs()[APP].lost == 2


async def test_dead_letters_are_bounded_and_can_be_dropped(house: CallbackHouse, backend: CallbackReceiver) -> None:
    house.apps = [app({"room_login": backend.url})]
    node = await house.callback_node(dead_letters=2)
    backend.status = 404
    for number in range(4):
        await house.enter(node.rooms, f"user-{number}")
        await attempts_over_time(house, node, backend, 62_000)
    await node.delivery.deliver_due()
    backlog = node.delivery.backlogs()[APP]
    assert (backlog.waiting, backlog.dead, backlog.dead_lost) == (0, 2, 2)
    first, second = await node.outbox.dead_letters(APP, limit=10)
    assert await node.outbox.dead_letters(APP, limit=10, marker=first.letter_id) == [second]
    assert await node.outbox.drop(APP, [first.letter_id]) == 1
    assert await node.outbox.drop(APP) == 1 and await node.outbox.drop(APP) == 0
    assert await node.outbox.dead_letters(APP, limit=10) == []


async def test_private_addresses_only_if_they_are_allowed(house: CallbackHouse, backend: CallbackReceiver) -> None:
    async with CallbackReceiver(SECRET) as named:
        urls = {"room_login": backend.url, "room_create": f"http://localhost:{named.port}/"}
        house.apps = [app(urls)]
        node = await house.callback_node(private_allowed=False)
        await house.enter(node.rooms, "anna")
        await attempts_over_time(house, node, backend, 63_000)
        letters = await node.outbox.dead_letters(APP, limit=10)
        assert len(letters) == 2 and all("private" in letter.problem for letter in letters)
        assert backend.seen_headers == named.seen_headers == []


async def test_redirects_are_not_followed(house: CallbackHouse, backend: CallbackReceiver) -> None:
    async with CallbackReceiver(SECRET) as elsewhere:
        backend.status, backend.headers = 307, f"Location: {elsewhere.url}\r\n"
        node = await house.callback_node()
        await house.enter(node.rooms, "anna")
        await node.delivery.deliver_due()
        assert len(backend.refused) == 2 and elsewhere.seen_headers == []


async def test_by_itself_it_is_delivered_soon_and_an_app_that_gets_an_address_later_is_told_from_then_on(
    house: CallbackHouse, backend: CallbackReceiver
) -> None:
    apps, house.apps = house.apps, []
    node = await house.callback_node()
    node.delivery._sleep = brisk
    running = asyncio.create_task(node.delivery.run())
    try:
        await house.enter(node.rooms, "anna")
        house.apps = apps
        await until(lambda: node.delivery.backlogs())
        await house.enter(node.rooms, "ben")
        await until(lambda: backend.of("room_login"))
        assert backend.one("room_login")["user_account"] == "ben"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_log_and_answers_hold_no_secret(house: CallbackHouse, backend: CallbackReceiver, capsys: pytest.CaptureFixture[str]) -> None:
    node = await house.callback_node()
    anna, _ = await house.enter(node.rooms, "anna")
    backend.status = 500
    await node.delivery.deliver_due()
    backend.status = 200
    house.clock.forward(2000)
    await node.delivery.deliver_due()
    out = capsys.readouterr().out
    assert out.count("callback_attempt_failed") == out.count("callback_delivered") == 2
    told = str([backend.callbacks, backend.refused, backend.seen_headers])
    for secret in (SECRET, anna.session.media_key, str(anna.session.session_id)):
        assert secret not in out and secret not in told
    assert "path-secret" not in out and backend.callbacks[0]["signature"] not in out


async def test_many_events_follow_each_other_without_waiting_for_the_next_look(house: CallbackHouse, backend: CallbackReceiver) -> None:
    house.apps = [app({"room_login": backend.url})]
    node = await house.callback_node(concurrency=4)
    for number in range(40):
        await house.enter(node.rooms, f"user-{number}")
    delivery = node.delivery._deliveries[APP]
    running = asyncio.create_task(delivery.run(dormant))
    try:
        await until(lambda: len(backend.callbacks) == 40)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_callbacks_that_are_switched_off_stay_off_whatever_is_just_looked_for(house: CallbackHouse) -> None:
    node = await house.callback_node()
    node.delivery._sleep = brisk
    running = asyncio.create_task(node.delivery.run())
    try:
        delivery = node.delivery._deliveries[APP]
        await until(lambda: node.delivery._running)
        with HeldAnswers(house.store_of(node.rooms), "outbox_off") as off:
            house.apps = []
            await off.ran.wait()
            delivery.wake.set()
            for number in range(5):
                await house.enter(node.rooms, f"user-{number}")
            off.gate.set()
        await until(lambda: not node.delivery.backlogs())
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert (await node.outbox.enable(APP, [CallbackEvent.ROOM_LOGIN])).waiting == 0


async def test_app_that_gets_its_old_address_back_while_the_store_is_away_is_told_again(
    house: CallbackHouse, backend: CallbackReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = house.apps = [app({"room_login": backend.url})]
    node = await house.callback_node()

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as outage:
        outage.setattr(node.outbox, "enable", away)
        house.apps = [app({"room_login": "http://127.0.0.1:1/"})]
        with pytest.raises(StoreUnavailable):
            await node.delivery.configure()
    house.apps = old
    await node.delivery.configure()
    await house.enter(node.rooms, "anna")
    await node.delivery.deliver_due()
    assert backend.one("room_login")["user_account"] == "anna"


@pytest.mark.parametrize("failing", ["enable", "take"])
async def test_a_defect_in_one_look_ends_neither_the_node_nor_the_later_looks(
    house: CallbackHouse, backend: CallbackReceiver, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    apps, house.apps = [app({"room_login": backend.url})], []
    node = await house.callback_node()
    node.delivery._sleep = brisk
    failed = asyncio.Event()
    carry_out = getattr(node.outbox, failing)

    async def fail_once(*arguments: object, **named: object) -> object:
        # A look claims what it takes; switching on does not.
        if failing == "take" and not arguments[2]:
            return await carry_out(*arguments, **named)
        if not failed.is_set():
            failed.set()
            raise RuntimeError("a defect")
        return await carry_out(*arguments, **named)

    monkeypatch.setattr(node.outbox, failing, fail_once)
    running = asyncio.create_task(node.delivery.run())
    try:
        house.apps = apps
        await failed.wait()
        await until(lambda: node.delivery.backlogs() or running.done())
        await house.enter(node.rooms, "anna")
        await until(lambda: backend.of("room_login") or running.done())
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
