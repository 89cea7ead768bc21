"""A real coturn with the configuration that the Compose file uses."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.waiting import until

CONFIGURATION = Path(__file__).parents[1] / "deploy" / "turnserver.conf"
SECRET = "sesame"
"""Shared with the server whose credentials it takes."""


@dataclass(frozen=True)
class Certificate:
    """PEM files."""

    chain: Path
    key: Path


@dataclass(frozen=True)
class Coturn:
    """Its ports on 127.0.0.1."""

    port: int
    """UDP and TCP."""
    tls_port: int
    """0 = none."""


@contextlib.asynccontextmanager
async def running_coturn(directory: Path, certificate: Certificate | None = None) -> AsyncIterator[Coturn]:
    """One on 127.0.0.1, over UDP and TCP, and over TLS with a certificate. The test is skipped where coturn is not installed."""
    binary = shutil.which("turnserver")
    if binary is None:
        pytest.skip("coturn is not installed (Debian: apt-get install coturn)")
    port, tls_port = free_port(), free_port() if certificate else 0
    tls = ["--no-tls"]
    if certificate is not None:
        tls = [f"--tls-listening-port={tls_port}", f"--cert={certificate.chain}", f"--pkey={certificate.key}"]
    process = await asyncio.create_subprocess_exec(
        binary, "-c", str(CONFIGURATION),
        *tls, f"--listening-port={port}", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--min-port=22000", "--max-port=31000",
        "--realm=hearth.test", f"--static-auth-secret={SECRET}", "--allowed-peer-ip=127.0.0.1", "--allow-loopback-peers",
        f"--pidfile={directory / 'pid'}", f"--userdb={directory / 'db'}",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until(lambda: _listens(port) and (not tls_port or _listens(tls_port)))
        yield Coturn(port, tls_port)
    finally:
        process.terminate()
        await process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
