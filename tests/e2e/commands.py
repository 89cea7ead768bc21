"""The operator's command line, as the tests use it."""

from __future__ import annotations

import asyncio

from tests.e2e.remote import TRACE
from tests.hearth_process import HearthProcess


async def run(hearth: HearthProcess, *arguments: str) -> str:
    """``hearth ...`` against this server; it has to succeed. Returns what it prints."""
    done = await asyncio.to_thread(hearth.hearth, *arguments)
    TRACE.add("operator", f"$ hearth {' '.join(arguments)} -> {done.returncode} {done.stdout}{done.stderr}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def kick(hearth: HearthProcess, room_id: str, user_id: str, reason: str) -> None:
    await run(hearth, "kick", "--app-id", str(hearth.app_id), "--room-id", room_id, "--user-id", user_id, "--reason", reason)


async def close_room(hearth: HearthProcess, room_id: str) -> None:
    await run(hearth, "close-room", "--app-id", str(hearth.app_id), "--room-id", room_id)
