"""Hearth's own actions for callbacks that could not be delivered: ``hearth callbacks list``, ``retry``, ``drop``."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from rooms.outbox import DeadLetter
from server.cloud_api.action import Action, Call, Family
from server.cloud_api.parameters import Parameters, items

_MOST = 200
"""Letters that are named in one request."""

LetterId = Annotated[str, Meta(pattern=r"^[0-9]{1,19}-[0-9]{1,19}$")]


class DescribeDeadCallbacks(Parameters, frozen=True):
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000
    marker: Annotated[str, Meta(pattern=r"^([0-9]{1,19}-[0-9]{1,19})?$")] = ""
    """From the answer before this one; empty = from the oldest."""


class NameDeadCallbacks(Parameters, frozen=True):
    callback_id: Annotated[list[LetterId], items(_MOST)] | None = None
    """From HearthDescribeDeadCallbacks; without it all of them are meant."""


class DeadCallback(msgspec.Struct, rename="pascal"):
    callback_id: str
    event: str
    room_id: str
    event_time: int
    """Epoch ms, as all times here."""
    fail_time: int
    problem: str
    """Of the last attempt."""
    event_id: str
    """As in the header X-Hearth-Event-Id."""


class DeadCallbacks(msgspec.Struct, rename="pascal"):
    marker: str
    """For the next page; empty = this was the last one."""
    callback_list: list[DeadCallback]


class Moved(msgspec.Struct, rename="pascal"):
    count: int


def _shown(letter: DeadLetter) -> DeadCallback:
    entry = letter.entry
    return DeadCallback(letter.letter_id, entry.event, entry.room_id, entry.happened_at, letter.failed_at, letter.problem, entry.event_id)


async def _list(call: Call, asked: DescribeDeadCallbacks) -> DeadCallbacks:
    letters = await call.house.outbox.dead_letters(call.app_id, limit=asked.limit, marker=asked.marker)
    return DeadCallbacks(letters[-1].letter_id if len(letters) == asked.limit else "", [_shown(letter) for letter in letters])


async def _retry(call: Call, asked: NameDeadCallbacks) -> Moved:
    return Moved(await call.house.outbox.retry(call.app_id, asked.callback_id or ()))


async def _drop(call: Call, asked: NameDeadCallbacks) -> Moved:
    return Moved(await call.house.outbox.drop(call.app_id, asked.callback_id or ()))


ACTIONS = (
    Action(
        "HearthDescribeDeadCallbacks", "Lists the callbacks that were given up after the last attempt, the oldest first.",
        Family.ROOM, DescribeDeadCallbacks, _list, DeadCallbacks, rate=50,
    ),
    Action(
        "HearthRetryDeadCallbacks", "Delivers callbacks anew that were given up. Count says how many; fewer if the outbox is full.",
        Family.ROOM, NameDeadCallbacks, _retry, Moved, rate=50,
    ),
    Action(
        "HearthDropDeadCallbacks", "Forgets callbacks that were given up.",
        Family.ROOM, NameDeadCallbacks, _drop, Moved, rate=50,
    ),
)  # fmt: skip
