"""Connection pools whose connections can be given up without taking one from under the command that uses it.

redis-py's own ``ConnectionPool.disconnect`` closes connections that have been handed out by the time it comes to them, and one that is
being closed still counts as connected to who is given it: their commands then fail with ``AttributeError``.
"""

from __future__ import annotations

import weakref

from redis.asyncio.connection import AbstractConnection, BlockingConnectionPool, ConnectionPool
from redis.asyncio.sentinel import SentinelConnectionPool


class _Renewed(ConnectionPool):
    """After ``renew`` each connection is made anew when it is next handed out; until then it is nobody's, so nobody is disturbed."""

    _round = 0
    _checked: weakref.WeakKeyDictionary[AbstractConnection, int] | None = None

    def renew(self) -> None:
        """Trust no connection that exists now: the store was away."""
        self._round += 1

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        if self._checked is None:
            self._checked = weakref.WeakKeyDictionary()
        if self._checked.get(connection, self._round) != self._round:
            await connection.disconnect(nowait=True)
        await super().ensure_connection(connection)
        self._checked[connection] = self._round


class RenewedPool(_Renewed, BlockingConnectionPool):
    """Waits for a free connection, and can be renewed."""


class RenewedSentinelPool(_Renewed, SentinelConnectionPool):
    """Connections to the server that Sentinel names, and can be renewed."""
