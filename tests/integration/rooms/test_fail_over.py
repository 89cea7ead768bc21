"""Another Redis takes over, or one of several goes on: Sentinel with a replica, and a Cluster of three nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from rooms.errors import StoreUnavailable, StreamTaken
from rooms.events import EndReason
from rooms.service import RoomService
from rooms.store import app_prefix, open_store
from tests.integration.rooms.house import APP, ROOM, House, brisk, state, stored
from tests.redis_server import RedisCluster, RedisSentinel, RedisServer
from tests.waiting import until, until_sync

CHANGE_OF_MASTER = 60
"""Seconds: Sentinel on a busy machine looks more than once."""


@pytest.fixture
def watched() -> Iterator[tuple[RedisServer, RedisServer, RedisSentinel]]:
    """A server, its replica and the sentinel that watches over them."""
    first = RedisServer()
    second = RedisServer(arguments=("--replicaof", "127.0.0.1", str(first.port)))
    sentinel = RedisSentinel(first, impatient=True)
    try:
        first.start()
        second.start()
        until_sync(lambda: b"master_link_status:up" in second.ask(b"INFO replication"), what="the replica follows")
        sentinel.start()
        until_sync(lambda: b"num-slaves\r\n$1\r\n1" in sentinel.ask(b"SENTINEL MASTER hearth"), what="the sentinel knows the replica")
        yield first, second, sentinel
    finally:
        for server in (sentinel, second, first):
            server.remove()


async def agrees(node: RoomService) -> bool:
    try:
        return node.ready and state(node.view(APP, ROOM)) == await stored(node)
    except StoreUnavailable:
        return False


async def test_the_replica_takes_over_during_a_call_and_what_happened_meanwhile_is_put_right(
    watched: tuple[RedisServer, RedisServer, RedisSentinel],
) -> None:
    first, second, sentinel = watched
    async with House(sentinel.sentinel_url) as house:
        one, two = await house.node("n1", sleep=brisk), await house.node("n2", sleep=brisk)
        speaks, speaker = await house.enter(one, "speaks")
        leaves, _ = await house.enter(one, "leaves")
        _, hears = await house.enter(two, "hears")
        await one.publish(speaks.session, "s1", "x")
        await until(lambda: "StreamAdded" in hears.seen())
        assert first.ask(b"WAIT 1 10000") == b":1\r\n"

        first.kill()
        await until(lambda: not one.ready and not two.ready, CHANGE_OF_MASTER)
        await one.logout(leaves.session)
        with pytest.raises(StoreUnavailable):
            await house.enter(one, "late")
        await until(lambda: b"role:master" in second.ask(b"INFO replication"), CHANGE_OF_MASTER, "the replica is promoted")
        await until(lambda: agrees(one), CHANGE_OF_MASTER)
        await until(lambda: agrees(two), CHANGE_OF_MASTER)

        await until(lambda: hears.seen().count("UserLeft") == 1)
        assert (speaker.end(), hears.end(), hears.resyncs) == (None, None, 0), "who stays notices nothing"
        late, _ = await house.enter(two, "late")
        with pytest.raises(StreamTaken):
            await two.publish(late.session, "s1")
        await one.publish(speaks.session, "s2")
        await until(lambda: hears.seen().count("StreamAdded") == 2)
        await one.kick(APP, ROOM, "hears")
        await until(lambda: hears.end() is EndReason.KICKED)


COMMANDS = 800


@pytest.mark.parametrize("kind", ["unix socket", "tcp", "sentinel"])
async def test_commands_go_on_while_connections_are_given_up(kind: str, redis_server: RedisServer) -> None:
    sentinel = RedisSentinel(redis_server)
    if kind == "sentinel":
        sentinel.start()
    url = {"unix socket": redis_server.url, "tcp": redis_server.tcp_url, "sentinel": sentinel.sentinel_url}[kind]
    store = open_store(url, connections=8, timeout=60)
    done = 0

    async def ask() -> None:
        nonlocal done
        while done < COMMANDS:
            await store.hash_of(app_prefix(APP))
            done += 1

    async def give_up() -> None:
        while done < COMMANDS:
            store.drop_connections()
            await asyncio.sleep(0)

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(give_up())
            for _ in range(16):
                tasks.create_task(ask())
    finally:
        await store.aclose()
        sentinel.remove()


@pytest.fixture
def cluster() -> Iterator[list[RedisCluster]]:
    """Three nodes that share the slots."""
    nodes = [RedisCluster(share=(number, 3)) for number in range(3)]
    try:
        for node in nodes:
            node.start()
        for node in nodes[1:]:
            node.meet(nodes[0])
        for node in nodes:
            until_sync(node.complete, 60, "the cluster has all slots")
        yield nodes
    finally:
        for node in nodes:
            node.remove()


async def test_apps_are_spread_over_a_cluster_and_all_of_them_work_from_every_node(cluster: list[RedisCluster]) -> None:
    async with House(cluster[0].cluster_url) as house:
        one, two = await house.node("n1", sleep=brisk), await house.node("n2", sleep=brisk)
        for app_id in range(APP, APP + 12):
            first, _ = await house.enter(one, "anna", app_id=app_id)
            _, bert = await house.enter(two, "bert", app_id=app_id)
            await one.publish(first.session, "s1", "x")
            await until(lambda bert=bert: bert.seen() == ["StreamAdded"])
            view = two.view(app_id, ROOM)
            assert state(view) == await stored(one, ROOM, app_id) and state(view)[2]
        held = [len(node.ask(b"KEYS hearth:*").split(b"\r\n")) for node in cluster]
        assert all(count > 3 for count in held), "each node of the cluster has some of them"
