"""The programs in ``examples/``, started as their READMEs say."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from asyncio import gather
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.e2e.packages import install_packages, npm
from tests.e2e.remote import HERE, LIMIT, TRACE, Remote
from tests.e2e.users import PhoneMaker
from tests.hearth_process import HearthProcess
from tests.ports import free_port
from tests.waiting import until

EXAMPLES = HERE.parent.parent / "examples"

pytestmark = pytest.mark.parametrize("store_url", ["memory"], indirect=True)


@asynccontextmanager
async def running(folder: str, *command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program in a folder of ``examples/``, with its packages installed; ended together with its children."""
    await asyncio.to_thread(install_packages, EXAMPLES / folder)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=EXAMPLES / folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def prints(process: asyncio.subprocess.Process, text: str) -> None:
    """Waits for a line with this text."""
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT):
        while line := (await process.stdout.readline()).decode():
            TRACE.add("example", line.rstrip())
            if text in line:
                return
    raise AssertionError(f"the program ended without printing {text!r}")


async def test_greeter_greets_and_tells_who_is_on_the_air(hearth: HearthProcess, phone: PhoneMaker, room: str) -> None:
    arguments = [hearth.ws_url, str(hearth.app_id), room, hearth.token("greeter")]
    async with running("node", "node", "greeter.js", *arguments) as greeter:
        await prints(greeter, f"{room}: CONNECTED")
        (bob,) = await phone(hearth, "bob")
        await bob.login(room)
        _, sender, greeting = await bob.wait_event("IMRecvCustomCommand")
        assert (sender["userID"], greeting) == ("greeter", f"Welcome, {bob.user_name}!")
        await prints(greeter, f"{bob.user_name} came")
        await bob.publish(f"stream-of-{bob.user_id}")
        await prints(greeter, f"{bob.user_name} is on the air with stream-of-{bob.user_id}")

        greeter.send_signal(signal.SIGINT)
        await bob.sees_user(room, "greeter", "DELETE")
        assert await greeter.wait() == 0


async def test_browser_example_joins_publishes_and_leaves(hearth: HearthProcess, chromium: Remote, phone: PhoneMaker, room: str) -> None:
    port = free_port()
    async with running("browser", npm(), "start", "--", f"--serve=127.0.0.1:{port}"):
        (bob,) = await phone(hearth, "bob")
        await bob.login(room)
        await until(lambda: listens(port), LIMIT, "esbuild serves the page")
        await chromium.call("visit", user="ada", url=f"http://127.0.0.1:{port}/")
        fields = {"server": hearth.ws_url, "appId": str(hearth.app_id), "room": room, "name": "ada", "token": hearth.token("ada")}
        await chromium.call("fillIn", user="ada", fields=fields)
        await chromium.call("click", user="ada", selector="#join button")
        await gather(bob.sees_user(room, "ada"), bob.sees_stream(room, f"{room}-ada"))

        await chromium.call("click", user="ada", selector="#leave")
        await gather(bob.sees_stream(room, f"{room}-ada", "DELETE"), bob.sees_user(room, "ada", "DELETE"))
        await chromium.call("close", user="ada")


def listens(port: int) -> bool:
    """Whether somebody listens on this port of the loopback address."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
