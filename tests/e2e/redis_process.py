"""A real Redis of its own for the tests, that can be stopped and started again with its data."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

from tests.ports import free_port
from tests.waiting import until_sync


class RedisProcess:
    """``redis-server`` on a free port, keeping its data in ``directory``."""

    def __init__(self, directory: Path, port: int) -> None:
        self._directory = directory
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, directory: Path) -> RedisProcess:
        redis = cls(directory, free_port())
        redis.run()
        return redis

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}"

    def run(self) -> None:
        """Starts it (again) and waits until it answers."""
        executable = shutil.which("redis-server")
        assert executable is not None, "the end-to-end tests need redis-server"
        self._process = subprocess.Popen(
            [
                executable,
                *("--port", str(self._port)),
                *("--bind", "127.0.0.1"),
                *("--dir", str(self._directory)),
                *("--appendonly", "yes"),
            ],
            stdout=subprocess.DEVNULL,
        )
        until_sync(self._answers, 20, "redis-server answers")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self) -> None:
        """Ends it in an orderly way; its data stays in the directory."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)


def database(store_url: str, number: int) -> str:
    """The store of a server that is no node of the others' system."""
    return f"{store_url}/{number}" if store_url.startswith("redis:") else store_url
