"""What the operator's backend is to be told: written by the scripts that change a room (``rooms/lua/_callbacks.lua``), delivered from here.

Each App has a Redis stream of its own. An entry stays in it until it is delivered or given up. Whoever takes an entry claims it until a
deadline; if nothing was heard of it by then (its node died), any other takes it: at least once, never lost. All deadlines are of the
clock that is passed in. A claim is a score in a sorted set, and not a consumer group's, because a group measures idle time by the store's
own clock.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from rooms.registry import BATCH
from rooms.scripts import script
from rooms.store import Store, app_prefix


class CallbackEvent(enum.StrEnum):
    """The events of ``zego-cloud.md`` §3.2."""

    ROOM_CREATE = "room_create"
    ROOM_CLOSE = "room_close"
    ROOM_LOGIN = "room_login"
    ROOM_LOGOUT = "room_logout"
    STREAM_CREATE = "stream_create"
    STREAM_CLOSE = "stream_close"


class Entry(msgspec.Struct, frozen=True):
    """Something to be told."""

    entry_id: str
    fields: Mapping[str, str]
    """As the script wrote them; ``server/callbacks/events.py`` reads them."""
    failures: int = 0
    claim: int = 0
    """Epoch ms until which it is ours to deliver."""

    @property
    def event_id(self) -> str:
        """Stays the same when a dead letter is delivered anew."""
        return self.fields.get("first_id", self.entry_id)

    @property
    def event(self) -> str:
        return self.fields["event"]

    @property
    def room_id(self) -> str:
        return self.fields["room"]

    @property
    def happened_at(self) -> int:
        """Epoch ms."""
        return int(self.fields["at"])


class DeadLetter(msgspec.Struct, frozen=True):
    """An entry whose last attempt has failed."""

    letter_id: str
    entry: Entry
    problem: str
    """Of the last attempt."""
    failed_at: int


class Backlog(msgspec.Struct, frozen=True):
    """How things stand in one App's outbox."""

    waiting: int = 0
    """Entries not delivered yet, those under way among them."""
    oldest_at: int = 0
    """When the oldest of them happened; 0 = there is none."""
    dead: int = 0
    lost: int = 0
    """Events that were left out since the outbox was full, ever."""
    dead_lost: int = 0
    """Dead letters that made room for newer ones, ever."""


class Outbox:
    """The outboxes of all Apps. Every method raises ``StoreUnavailable``."""

    def __init__(self, store: Store, *, most_entries: int, most_dead: int) -> None:
        self._store = store
        self._most_entries = most_entries
        self._most_dead = most_dead

    async def _run(self, name: str, app_id: int, *args: str | bytes | int) -> Sequence[Any]:
        return await self._store.run(script(name), app_prefix(app_id), *args)

    async def enable(self, app_id: int, events: Sequence[CallbackEvent]) -> Backlog:
        """From now on these events are written."""
        _, backlog = await self.take(app_id, events, 0, 0, now=0)
        return backlog

    async def disable(self, app_id: int) -> None:
        """From now on nothing is written."""
        await self._run("outbox_off", app_id)

    async def take(
        self, app_id: int, events: Sequence[CallbackEvent], most: int, claim: int, *, now: int
    ) -> tuple[tuple[Entry, ...], Backlog]:
        """At most ``most`` entries that are due, claimed until ``claim`` (epoch ms). Also says again which events are written."""
        wanted = f"{self._most_entries} {' '.join(events)} "
        taken, waiting, oldest, dead, lost, dead_lost = await self._run("outbox_take", app_id, now, claim, most, wanted)
        entries = tuple(Entry(entry_id.decode(), _fields(flat), int(failures), claim) for entry_id, failures, flat in taken)
        return entries, Backlog(int(waiting), int(oldest), int(dead), int(lost), int(dead_lost))

    async def delivered(self, app_id: int, entry: Entry) -> None:
        await self._run("outbox_delivered", app_id, entry.entry_id)

    async def failed(self, app_id: int, entry: Entry, problem: str, delays: Sequence[int], *, now: int) -> bool:
        """An attempt has failed: it is due again after the next of ``delays`` (ms). False: that was the last, it is a dead letter now."""
        reply = await self._run("outbox_failed", app_id, entry.entry_id, entry.claim, now, problem, self._most_dead, *delays)
        return bool(reply[0] != b"dead")

    async def release(self, app_id: int, entry: Entry, *, now: int) -> None:
        """Its claim is given up; the attempt does not count."""
        await self._run("outbox_release", app_id, entry.entry_id, entry.claim, now)

    async def dead_letters(self, app_id: int, *, limit: int, marker: str = "") -> list[DeadLetter]:
        """The oldest first, from after the letter ``marker``."""
        found: list[DeadLetter] = []
        for letter_id, flat in await self._run("outbox_dead_list", app_id, marker, limit):
            fields = _fields(flat)
            name = cast(bytes, letter_id).decode()
            found.append(DeadLetter(name, Entry(name, fields), fields["problem"], int(fields["failed_at"])))
        return found

    async def retry(self, app_id: int, letters: Sequence[str] = ()) -> int:
        """Dead letters (all of them, if none is named) are delivered anew. Returns how many; fewer if the outbox is full."""
        return await self._dead(app_id, "retry", letters)

    async def drop(self, app_id: int, letters: Sequence[str] = ()) -> int:
        """Dead letters (all of them, if none is named) are forgotten. Returns how many."""
        return await self._dead(app_id, "drop", letters)

    async def _dead(self, app_id: int, action: str, letters: Sequence[str]) -> int:
        if letters:
            return int((await self._run("outbox_dead", app_id, action, BATCH, *letters))[0])
        total = 0
        while True:
            done, full = await self._run("outbox_dead", app_id, action, BATCH)
            total += int(done)
            if full or int(done) < BATCH:
                return total


def _fields(flat: Sequence[bytes]) -> dict[str, str]:
    # Ids of clients may hold any bytes that JSON's decoder let through.
    text = [value.decode("utf-8", "surrogateescape") for value in flat]
    return dict(zip(text[::2], text[1::2], strict=True))
