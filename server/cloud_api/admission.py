"""How often, and only once: the nonces that were used and the rates, counted in the store so that all nodes count together.

Keys (of the App's slot): ``api:nonce:<hash>`` lives as long as its signature would be accepted; ``api:rate:<action>[:<room hash>]``
counts the requests of a window that begins with its first. All have a time to live: what is kept is bounded by what an App may ask.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from rooms.scripts import Script
from rooms.store import Store, app_prefix

_TEXT = """\
if ARGV[1] ~= '' and not redis.call('SET', KEYS[1] .. 'nonce:' .. ARGV[1], '1', 'NX', 'EX', ARGV[2]) then
return {'used'}
end
for i = 3, #ARGV, 3 do
local key = KEYS[1] .. 'rate:' .. ARGV[i]
local count = redis.call('INCR', key)
if count == 1 then
redis.call('PEXPIRE', key, ARGV[i + 2])
end
if count > tonumber(ARGV[i + 1]) then
return {'many', ARGV[i]}
end
end
return {'ok'}
"""

ADMIT = Script("cloud_api_admit", _TEXT, hashlib.sha1(_TEXT.encode(), usedforsecurity=False).hexdigest())


@dataclass(frozen=True)
class Rate:
    """At most ``per_second`` of what ``key`` names."""

    key: str
    per_second: float

    @property
    def window(self) -> tuple[int, int]:
        """(how many, in how many ms): 50/s → 50 in 1 000 ms, 0.1/s → 1 in 10 000 ms."""
        return (int(self.per_second), 1000) if self.per_second >= 1 else (1, int(1000 / self.per_second))


class Replayed(Exception):
    """The nonce was used before."""


class TooMany(Exception):
    """``rate``: the one that is exceeded."""

    def __init__(self, rate: Rate) -> None:
        super().__init__(rate.key)
        self.rate = rate


class Admission:
    def __init__(self, store: Store, *, replay_protection: bool) -> None:
        self._store = store
        self._replay_protection = replay_protection

    async def admit(self, app_id: int, nonce: str, seconds: int, rates: Sequence[Rate]) -> None:
        """Use up a nonce, which is kept for ``seconds``, and count the request. Raises ``Replayed``, ``TooMany``, ``StoreUnavailable``."""
        limited = [rate for rate in rates if rate.per_second > 0]
        if not limited and not self._replay_protection:
            return
        args: list[str | int] = [_digest(nonce) if self._replay_protection else "", max(seconds, 1)]
        for rate in limited:
            args += [rate.key, *rate.window]
        reply = await self._store.run(ADMIT, f"{app_prefix(app_id)}api:", *args)
        if reply[0] == b"used":
            raise Replayed
        if reply[0] == b"many":
            raise TooMany(next(rate for rate in limited if rate.key.encode() == reply[1]))


def room_key(action: str, room_id: str) -> str:
    """Of a rate per room: what a caller sends as a room id is of no bounded length."""
    return f"{action}:{_digest(room_id)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
