"""The same small story on every kind of store that a URL can name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import rooms.feed
from rooms.errors import StreamTaken
from rooms.events import EndReason
from tests.integration.rooms.house import APP, ROOM, House, brisk, state, stored
from tests.redis_server import RedisCluster, RedisSentinel, RedisServer
from tests.waiting import until


@pytest.fixture(params=["memory", "unix socket", "tcp", "cluster", "sentinel"])
def any_store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "memory":
        yield "memory://any"
        return
    if request.param == "cluster":
        cluster = RedisCluster()
        try:
            cluster.start()
            yield cluster.cluster_url
        finally:
            cluster.remove()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    if request.param == "sentinel":
        sentinel = RedisSentinel(server)
        try:
            sentinel.start()
            yield sentinel.sentinel_url
        finally:
            sentinel.remove()
        return
    yield server.url if request.param == "unix socket" else server.tcp_url


async def test_two_nodes_share_rooms_on_any_kind_of_store(any_store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms.feed, "IDLE_SECONDS", 0.05)
    async with House(any_store_url) as house:
        one, two = await house.node("n1", sleep=brisk), await house.node("n2", sleep=brisk)
        first, anna = await house.enter(one, "anna")
        second, bert = await house.enter(two, "bert")
        await one.publish(first.session, "s1", "x")
        with pytest.raises(StreamTaken):
            await two.publish(second.session, "s1")
        await one.messages.send_broadcast(first.session, "hello")
        await until(lambda: bert.seen() == ["StreamAdded", "Broadcast"])
        assert state(one.view(APP, ROOM)) == state(two.view(APP, ROOM)) == await stored(one)

        subscriptions = [node._feed._subscription for node in (one, two)]
        probes = _count_probes(subscriptions[1])
        await until(lambda: len(probes) >= 3)
        assert [node._feed._subscription for node in (one, two)] == subscriptions, "a quiet subscription that answers stays"

        await one.detach(first.session, b"told")
        again, _ = await house.enter(two, "anna", resume=first.session.session_id)
        assert again.resumed and again.told == b"told"
        await house.enter(one, "bert")
        await until(lambda: bert.end() == EndReason.REPLACED)
        assert [room.user_count for room in (await one.rooms(APP)).rooms] == [2]
        await one.close_room(APP, ROOM)
        await until(lambda: two.counts().sessions == 0)
        assert anna.end() is None, "she had left this socket long before"


def _count_probes(subscription: object) -> list[None]:
    probes: list[None] = []
    ping = subscription.ping  # type: ignore[attr-defined]

    async def counted() -> object:
        probes.append(None)
        return await ping()

    subscription.ping = counted  # type: ignore[attr-defined]
    return probes
