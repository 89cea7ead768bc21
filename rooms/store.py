"""Where room state is kept: a real Redis, or an embedded one in this process that runs the same scripts.

Every way to reach it has bounded time-outs and a bounded number of connections, and says ``StoreUnavailable`` when it is not there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol, cast
from urllib.parse import unquote, urlsplit

import structlog
from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from rooms.errors import StoreUnavailable
from rooms.scripts import Script
from rooms.store_pool import RenewedPool, RenewedSentinelPool

log = structlog.get_logger()

PREFIX = "hearth:1:"
"""Of every key and channel: the program and the version of the layout. A new layout gets a new number."""

NODES = f"{PREFIX}{{nodes}}:"
"""Prefix of what is common to all Apps: leases, Apps in use."""

Reply = Sequence[Any]
"""A script's reply: bytes, integers and lists of them. Decoded in ``rooms/registry.py``, nowhere else."""

_UNAVAILABLE = (
    exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ClusterError, exceptions.RedisClusterException, OSError, TimeoutError,
)  # fmt: skip
_UNAVAILABLE_REPLIES = ("OOM", "MISCONF", "READONLY", "LOADING", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "NOREPLICAS", "UNBLOCKED", "BUSY")
_EMBEDDED: dict[str, Any] = {}


def app_prefix(app_id: int) -> str:
    """Prefix of all keys of an App; the braces put them into one slot of a Redis Cluster."""
    return f"{PREFIX}{{{app_id}}}:"


class Subscription(Protocol):
    """What ``rooms/feed.py`` needs of redis-py's ``PubSub``."""

    async def subscribe(self, *channels: str) -> object: ...

    async def unsubscribe(self, *channels: str) -> object: ...

    async def get_message(self, *, timeout: float | None) -> dict[str, Any] | None: ...

    async def ping(self) -> object: ...

    async def aclose(self) -> object: ...


@contextlib.contextmanager
def translated() -> Any:
    """Turns the client library's "not reachable" into ``StoreUnavailable``; anything else is a defect and passes."""
    try:
        yield
    except _UNAVAILABLE as error:
        raise StoreUnavailable(f"the room store cannot be reached: {type(error).__name__}") from error
    except AttributeError as error:
        # A subscription's reader has given up the connection while another task was writing to it.
        if not _lost_connection(error):
            raise
        raise StoreUnavailable("the room store cannot be reached: the connection was lost") from error
    except exceptions.ResponseError as error:
        if str(error).split(" ", 1)[0] in _UNAVAILABLE_REPLIES:
            raise StoreUnavailable(f"the room store refuses to work: {error}") from error
        raise


def _lost_connection(error: AttributeError) -> bool:
    """Whether the client library has stumbled over its own closed connection."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    module = "" if frame is None else frame.tb_frame.f_globals.get("__name__", "")
    return error.obj is None and str(module).startswith("redis.")


class Store:
    """Runs scripts and opens subscriptions. Made by ``open_store``."""

    def __init__(self, client: Redis | RedisCluster, *, parallel: int | None, wait: float, drop_connections: Callable[[], None]) -> None:
        self._client = client
        self._wait = wait
        self._slots = asyncio.Semaphore(parallel) if parallel else None
        self._drop_connections = drop_connections
        self.on_trouble: Callable[[], None] | None = None
        """Called (on the event loop) each time the store turns out to be unreachable."""

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """Bounds what runs at a time for clients whose pool fails instead of waiting (Sentinel, Cluster)."""
        if self._slots is None:
            yield
            return
        async with asyncio.timeout(self._wait):
            await self._slots.acquire()
        try:
            yield
        finally:
            self._slots.release()

    async def run(self, script: Script, key: str, *args: str | bytes | int) -> Reply:
        """Runs a script on a key prefix. Raises ``StoreUnavailable``; the script may then have run or not."""
        try:
            with translated():
                async with self._slot():
                    try:
                        return cast(Reply, await self._client.evalsha(script.sha, 1, key, *cast("tuple[str, ...]", args)))
                    except exceptions.NoScriptError:
                        return cast(Reply, await self._client.eval(script.text, 1, key, *cast("tuple[str, ...]", args)))
        except StoreUnavailable:
            if self.on_trouble is not None:
                self.on_trouble()
            raise

    async def hash_of(self, key: str) -> dict[bytes, bytes]:
        """A hash with all its fields; empty if there is none."""
        with translated():
            async with self._slot():
                return cast("dict[bytes, bytes]", await self._client.hgetall(key))

    async def field_of(self, key: str, field: str) -> bytes | None:
        """One field of a hash."""
        with translated():
            async with self._slot():
                return cast("bytes | None", await self._client.hget(key, field))

    async def values_of(self, key: str) -> list[bytes]:
        """All values of a hash."""
        with translated():
            async with self._slot():
                return cast("list[bytes]", await self._client.hvals(key))

    async def publish(self, channel: str, payload: bytes) -> int | None:
        """Sends to whoever is subscribed, now; how many that are, or None where the store cannot tell (a Cluster).

        Raises ``StoreUnavailable``.
        """
        with translated():
            async with self._slot():
                heard = int(await self._client.publish(channel, payload))  # type: ignore[no-untyped-call,unused-ignore]
                return None if isinstance(self._client, RedisCluster) else heard

    async def time(self) -> int:
        """The store's own clock, epoch ms."""
        with translated():
            async with self._slot():
                seconds, micros = await self._client.time()
                return seconds * 1000 + micros // 1000

    async def subscription(self) -> Subscription:
        """A new subscription on a connection of its own. Raises ``StoreUnavailable``."""
        if isinstance(self._client, RedisCluster):
            with translated():
                # Its subscriptions need to know the slots, and do not ask for them.
                await self._client.initialize()
        return cast(Subscription, self._client.pubsub())

    def drop_connections(self) -> None:
        """Uses no pooled connection again as it is (they are dead after the store was away). Commands that run go on."""
        self._drop_connections()

    async def aclose(self) -> None:
        with contextlib.suppress(*_UNAVAILABLE):
            await self._client.aclose()


_FORMS = {
    "memory": "memory:// or memory://name",
    "redis": "redis://[:password@]host[:port][/db]",
    "rediss": "rediss://[:password@]host[:port][/db]",
    "unix": "unix:///path",
    "redis+sentinel": "redis+sentinel://[:password@]host:port,host:port/service[/db]",
    "redis+cluster": "redis+cluster://[:password@]host:port,host:port",
}


def open_store(url: str, *, connections: int = 32, timeout: float = 2.0) -> Store:
    """Opens the store that a URL names (``_FORMS``), without connecting yet. All who use the same ``memory://name`` in a process share it.

    ``timeout`` is in seconds and bounds connecting, waiting for a free connection and every answer. Raises ``ValueError`` for a URL of
    another kind or form; its text repeats nothing of the URL, which may hold a password.
    """
    scheme, found, rest = url.partition("://")
    if not found or scheme not in _FORMS:
        raise ValueError(f"store url: expected {', '.join(_FORMS.values())}")
    try:
        return _open(scheme, rest, connections, timeout)
    except (ValueError, TypeError, exceptions.RedisClusterException):
        hint = ' ("/" and "@" in a password are written %2F and %40)' if "password" in _FORMS[scheme] else ""
        raise ValueError(f"store url: not of the form {_FORMS[scheme]}{hint}") from None


def _open(scheme: str, rest: str, connections: int, timeout: float) -> Store:
    limits: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "protocol": 2,
        # No retries inside the client: a script whose answer was lost may have run, only the caller knows what to do.
        "retry": Retry(NoBackoff(), 0),
    }
    if scheme == "memory":
        return _pooled(_embedded_pool(rest, connections, timeout), timeout)
    if scheme in ("redis", "rediss", "unix"):
        pool = RenewedPool.from_url(f"{scheme}://{rest}", max_connections=connections, timeout=timeout, **limits)
        # Parameters that no connection takes would come out at the first one only.
        pool.connection_class(**pool.connection_kwargs)
        return _pooled(pool, timeout)
    parts = urlsplit(f"//{rest}")
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.rpartition(":")
    credentials: dict[str, Any] = {"username": unquote(username) or None, "password": unquote(password) or None}
    addresses = [_address(text) for text in hosts.split(",")]
    if scheme == "redis+sentinel":
        service, _, database = parts.path.strip("/").partition("/")
        if not service:
            raise ValueError("no service")
        bounds = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        sentinel = Sentinel(addresses, sentinel_kwargs=bounds, **limits)  # type: ignore[no-untyped-call]
        master = sentinel.master_for(
            service, connection_pool_class=RenewedSentinelPool, max_connections=connections * 2, db=int(database or 0), **credentials
        )
        return Store(master, parallel=connections, wait=timeout, drop_connections=cast(RenewedSentinelPool, master.connection_pool).renew)
    from redis.asyncio.cluster import ClusterNode

    cluster = RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in addresses],
        max_connections=connections * 2,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        protocol=2,
        retry=Retry(NoBackoff(), 1),
        **credentials,
    )
    return Store(cluster, parallel=connections, wait=timeout, drop_connections=_nothing)


def _nothing() -> None:
    """A cluster client replaces its connections itself."""


def _pooled(pool: RenewedPool, timeout: float) -> Store:
    return Store(Redis.from_pool(pool), parallel=None, wait=timeout, drop_connections=pool.renew)


def _embedded_pool(name: str, connections: int, timeout: float) -> RenewedPool:
    from fakeredis import FakeServer
    from fakeredis.aioredis import FakeAsyncRedisConnection

    server = _EMBEDDED.setdefault(name, FakeServer()) if name else FakeServer()
    return RenewedPool(max_connections=connections, timeout=timeout, connection_class=FakeAsyncRedisConnection, server=server, protocol=2)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError("not host:port")
    return host, int(port)
