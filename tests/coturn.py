"""A real coturn with the configuration that the Compose file uses."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.waiting import until

CONFIGURATION = Path(__file__).parents[1] / "deploy" / "turnserver.conf"
SECRET = "sesame"
"""Shared with the server whose credentials it takes."""


@contextlib.asynccontextmanager
async def running_coturn(directory: Path) -> AsyncIterator[int]:
    """One on 127.0.0.1, over UDP and TCP; gives its port. The test is skipped where coturn is not installed."""
    binary = shutil.which("turnserver")
    if binary is None:
        pytest.skip("coturn is not installed (Debian: apt-get install coturn)")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        binary, "-c", str(CONFIGURATION),
        f"--listening-port={port}", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--min-port=22000", "--max-port=31000",
        "--realm=hearth.test", f"--static-auth-secret={SECRET}", "--allowed-peer-ip=127.0.0.1", "--allow-loopback-peers",
        f"--pidfile={directory / 'pid'}", f"--userdb={directory / 'db'}",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until(lambda: _listens(port))
        yield port
    finally:
        process.terminate()
        await process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
