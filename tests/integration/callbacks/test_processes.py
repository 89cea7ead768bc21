"""Callbacks of real processes on a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from pathlib import Path

from websockets.exceptions import WebSocketException

from tests.callback_receiver import CallbackReceiver, fingerprint, sequence
from tests.hearth_process import CALLBACK_SECRET, HearthProcess, default_app
from tests.integration.server.room_client import RoomClient
from tests.integration.server.test_serve import metric
from tests.redis_server import RedisServer
from tests.waiting import until

LOGINS = 1000
AT_ONCE = 20

STORE = {"grace_seconds": 1, "node_lease_seconds": 2}
CALLBACKS = {"timeout_seconds": 1, "concurrency": 4}
"""The claims of a dead node run out after eleven seconds."""


def told_app(backend: CallbackReceiver) -> dict[str, object]:
    return {**default_app(), "callback_url": backend.url}


async def test_node_killed_in_the_middle_of_logins_loses_no_callback(tmp_path: Path, redis_server: RedisServer) -> None:
    """Whatever the store has seen happen is told, by the other node, and can be put in order."""
    async with CallbackReceiver(CALLBACK_SECRET) as backend:
        options = {"store_url": redis_server.tcp_url, "sections": {"store": STORE, "callbacks": CALLBACKS}, "apps": [told_app(backend)]}
        first, second = await asyncio.gather(
            *(HearthProcess.astart(tmp_path / name, **options) for name in ("first", "second"))  # type: ignore[arg-type]
        )
        with first, second:
            entered: list[str] = []
            numbers = iter(range(LOGINS))

            async def come() -> None:
                for number in numbers:
                    user_id = f"user-{number}"
                    node = first if number < LOGINS // 2 and first.running else second
                    with contextlib.suppress(OSError, asyncio.CancelledError, AssertionError, EOFError, WebSocketException):
                        async with RoomClient(node, user_id) as user:
                            if (await user.login("room"))["err_code"] == 0:
                                entered.append(user_id)
                            await user.request("user_list", {"user_index": 0, "sort_type": 0})
                    if len(entered) >= LOGINS // 3 and first.running:
                        first.send_signal(signal.SIGKILL)
                        await first.await_exit()

            await asyncio.gather(*(come() for _ in range(AT_ONCE)))
            assert not first.running and len(entered) > LOGINS // 2

            def lifetimes(event: str) -> set[int]:
                return {one["room_session_id"] for one in backend.of(event)}

            def all_told() -> bool:
                logins = backend.of("room_login")
                rooms = {int(one["room_seq"]) for one in logins}
                everybody = {one["user_account"] for one in logins} >= set(entered)
                return (
                    everybody
                    and rooms == lifetimes("room_create") == lifetimes("room_close")
                    and all(steps_of(backend, one) for one in rooms)
                )

            # Everybody is gone in the end, those of the dead node after its lease and their grace. Callbacks come in any order.
            await until(all_told, limit=180, what="every login is told, each room's end, and no sequence number is missing")
            assert backend.forged == 0
            rooms = lifetimes("room_create")
            for lifetime in rooms:
                assert present_at_the_end(backend, lifetime) == {}
            print(f"{len(backend.callbacks)} callbacks, {len(set(map(fingerprint, backend.callbacks)))} different, {len(rooms)} rooms")


def steps_of(backend: CallbackReceiver, lifetime: int) -> bool:
    """Whether the changes of a room's members are all there: 1, 2, 3 …, the last one leaves it empty."""
    changes = backend.of("room_login", room_seq=str(lifetime)) + backend.of("room_logout", room_seq=str(lifetime))
    numbers = sorted(int(one["user_update_seq"]) for one in changes)
    return numbers == list(range(1, len(numbers) + 1)) and not present_at_the_end(backend, lifetime)


def present_at_the_end(backend: CallbackReceiver, lifetime: int) -> dict[str, str]:
    """Plays the changes back in their order."""
    present: dict[str, str] = {}
    for one in sorted(backend.of("room_login", room_seq=str(lifetime)) + backend.of("room_logout", room_seq=str(lifetime)), key=sequence):
        if one["event"] == "room_login":
            present[one["user_account"]] = one["session_id"]
        else:
            assert present.pop(one["user_account"]) == one["session_id"]
    return present


async def test_dead_letters_on_the_command_line(tmp_path: Path) -> None:
    async with CallbackReceiver(CALLBACK_SECRET) as backend:
        app = {**told_app(backend), "callback_urls": {"room_login": backend.url}}
        with await HearthProcess.astart(tmp_path, apps=[app]) as hearth:
            async with RoomClient(hearth, "alice") as alice:
                await alice.login("room")
                await until(lambda: backend.of("room_login") and backend.of("room_create"))
            assert backend.forged == 0

            async def run(*arguments: str) -> str:
                done = await asyncio.to_thread(hearth.hearth, "callbacks", *arguments)
                assert done.returncode == 0, done.stderr
                return done.stdout

            assert json.loads(await run("list", "--json")) == []
            assert await run("retry", "--all") == "0 will be delivered anew\n"
            assert await run("drop", "1-0", "2-0") == "0 dropped\n"
            async with RoomClient(hearth, "bob") as bob:
                await bob.login("closed")
                closed = await asyncio.to_thread(hearth.hearth, "close-room", "--room-id", "closed", "--callback")
                assert closed.returncode == 0, closed.stderr
            await until(lambda: backend.of("room_close", room_id="closed", close_reason=3))
            neither = await asyncio.to_thread(hearth.hearth, "callbacks", "drop")
            assert neither.returncode == 2 and "--all" in neither.stderr
            # The backend has a callback a moment before the node has the answer to it.
            await until(lambda: f'hearth_callbacks_waiting{{app_id="{hearth.app_id}"}} 0.0' in hearth.get("/metrics")[1])
            await until(lambda: metric(hearth, 'hearth_callbacks_total{event="room_login",result="delivered"}') == 2)
            assert "path-secret" not in hearth.output
