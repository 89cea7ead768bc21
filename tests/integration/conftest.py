"""Stores for the tests that need one: the embedded one and a private real Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.redis_server import RedisServer

_numbers = iter(range(1_000_000))


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """One server for all tests that leave it running."""
    server = RedisServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def redis_server(shared_redis: RedisServer) -> RedisServer:
    """A running, empty Redis. Do not stop it."""
    shared_redis.empty()
    return shared_redis


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis of the test's own, to be killed and started; what was written survives that."""
    server = RedisServer(persistent=True)
    server.start()
    yield server
    server.remove()


@pytest.fixture(params=["memory", "redis"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store, which several nodes of one test may share; every test runs on both kinds."""
    if request.param == "memory":
        return f"memory://test-{next(_numbers)}"
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url
