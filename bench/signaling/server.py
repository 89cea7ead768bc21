"""The measured processes: ``hearth serve`` and the bare loop."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from types import TracebackType

from auth.claims import AppKeys, TokenKind
from auth.tokens import issue_token

ROOT = Path(__file__).resolve().parents[2]
APP_ID = 1
SECRET = "0123456789abcdef0123456789abcdef"
_TICK = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 60

_CONFIG = f"""
[server]
port = {{port}}
log_level = "warning"
data_dir = "{{directory}}"
[store]
url = "{{store}}"
[media]
udp_port = 0
[limits]
connections_per_address = 0
login_rate = 0
broadcast_rate = 0
broadcast_room_rate = 0
[[apps]]
app_id = {APP_ID}
server_secrets = ["{SECRET}"]
"""


class Server:
    """A process on ``127.0.0.1:port``; a context manager that ends it."""

    def __init__(self, *command: str, port: int) -> None:
        self.port = port
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    def hearth(cls, directory: Path, port: int, store: str) -> Server:
        config = directory / "hearth.toml"
        config.write_text(_CONFIG.format(port=port, directory=directory, store=store))
        return cls("-m", "server.cli", "serve", "--config", str(config), port=port)

    @classmethod
    def bare(cls, port: int, backend: str = "websockets-sansio") -> Server:
        return cls("-m", "bench.signaling.bare", str(port), backend, port=port)

    async def __aenter__(self) -> Server:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(_START_SECONDS):
            while not await self._answers():
                if self._process.returncode is not None:
                    raise RuntimeError(f"{self._command} ended with {self._process.returncode}")
                await asyncio.sleep(0.1)
        return self

    async def _answers(self) -> bool:
        """Whether it answers HTTP; what, does not matter."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except ConnectionRefusedError:
            return False
        try:
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            return (await reader.read(5)) == b"HTTP/"
        except ConnectionError:
            return False
        finally:
            writer.close()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def cpu_seconds(self) -> float:
        """User and system time of the process so far."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def resident_kib(self) -> int:
        line = next(line for line in self._proc("status").splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1])

    def _proc(self, name: str) -> str:
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/{name}").read_text()


def token(user_id: str) -> str:
    """A token of the measured App, good for an hour."""
    return issue_token(TokenKind.TOKEN04, keys=AppKeys(APP_ID, (SECRET,)), user_id=user_id, now=int(time.time()), ttl=3600)
