"""What the operator's backend is told of mini-program SDK 2.11.0: login, publish, kick, a lost phone; on both stores."""

from __future__ import annotations

import asyncio
from asyncio import gather
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from tests.callback_receiver import Callback, CallbackReceiver
from tests.e2e import commands
from tests.e2e.users import PhoneMaker
from tests.hearth_process import CALLBACK_SECRET, HearthProcess, default_app
from tests.waiting import until

SHORT_STORE = {"grace_seconds": 8}
"""Longer than an SDK's way back, short enough to be waited for."""


@dataclass
class Told:
    """A server and the backend that it tells."""

    hearth: HearthProcess
    backend: CallbackReceiver

    async def hears(self, event: str, room: str, **fields: str | int) -> Callback:
        await until(lambda: self.backend.of(event, room_id=room, **fields), 45, what=f"{event} {fields} of {self.backend.callbacks}")
        return self.backend.one(event, room_id=room, **fields)


@pytest_asyncio.fixture(loop_scope="session")
async def told(store_url: str, tmp_path: Path) -> AsyncIterator[Told]:
    async with CallbackReceiver(CALLBACK_SECRET) as backend:
        server = await HearthProcess.astart(
            tmp_path,
            store_url=f"{store_url}/2" if store_url.startswith("redis:") else store_url,
            sections={"store": SHORT_STORE},
            apps=[{**default_app(), "callback_url": backend.url}],
        )
        yield Told(server, backend)
        await asyncio.to_thread(server.__exit__, None, None, None)
    assert backend.forged == 0


async def test_backend_follows_a_room_from_its_first_user_to_its_last(told: Told, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(told.hearth, "alice", "bob")
    await alice.login(room)
    created = await told.hears("room_create", room)
    assert created["id_name"] == alice.user_id
    came = await told.hears("room_login", room, user_account=alice.user_id)
    assert {name: came[name] for name in ("user_nickname", "relogin", "term_type", "auth_level", "user_update_seq", "room_seq")} == {
        "user_nickname": alice.user_name, "relogin": "0", "term_type": "7", "auth_level": "4", "user_update_seq": "1",
        "room_seq": str(created["room_session_id"]),
    }  # fmt: skip

    await bob.login(room)
    stream = f"{alice.user_id}-stream"
    await alice.publish(stream)
    await bob.wait_event("roomStreamUpdate")
    published = await told.hears("stream_create", room)
    assert (published["stream_id"], published["user_id"], published["recreate"]) == (stream, alice.user_id, "0")

    await commands.kick(told.hearth, room, alice.user_id, "rude")
    left = await told.hears("room_logout", room, user_account=alice.user_id)
    assert (left["reason"], left["session_id"]) == ("3", came["session_id"])
    closed = await told.hears("stream_close", room)
    assert (closed["type"], closed["stream_sid"], closed["stream_seq"]) == ("3", published["stream_sid"], "2")

    await bob.logout(room)
    assert (await told.hears("room_logout", room, user_account=bob.user_id))["reason"] == "0"
    assert (await told.hears("room_close", room))["close_reason"] == 0
    # Callbacks come in any order.
    await told.hears("room_login", room, user_account=bob.user_id)
    changes = told.backend.of("room_login", room_id=room) + told.backend.of("room_logout", room_id=room)
    assert sorted(one["user_update_seq"] for one in changes) == ["1", "2", "3", "4"]


async def test_stream_that_is_stopped_and_a_second_device(told: Told, phone: PhoneMaker, room: str) -> None:
    (alice,) = await phone(told.hearth, "alice")
    await alice.login(room)
    await alice.publish(f"{alice.user_id}-stream")
    await told.hears("stream_create", room)
    await alice.stop_publishing()
    assert (await told.hears("stream_close", room))["type"] == "0"
    twin = await phone.twin(alice, told.hearth)
    await twin.login(room)
    assert (await told.hears("room_logout", room))["reason"] == "3"
    assert (await told.hears("room_login", room, relogin="1"))["user_account"] == alice.user_id


async def test_phone_that_vanishes_and_one_that_returns(told: Told, phone: PhoneMaker, room: str) -> None:
    alice, bob = await phone(told.hearth, "alice", "bob")
    await gather(alice.login(room), bob.login(room))
    first = await told.hears("room_login", room, user_account=bob.user_id)
    await alice.vanish(silently=False)
    await bob.cut()
    back = await told.hears("room_login", room, user_account=bob.user_id, relogin="1")
    assert back["session_id"] == first["session_id"]
    assert (await told.hears("room_logout", room, user_account=alice.user_id))["reason"] == "2"
    assert not told.backend.of("room_logout", room_id=room, user_account=bob.user_id)
