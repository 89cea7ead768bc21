"""A private ``redis-server`` for tests: its own directory, its own socket and port, stopped by its process id."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.ports import free_port
from tests.waiting import until_sync


class RedisServer:
    """Starts empty. ``kill`` and ``start`` again keep the data (``persistent=True``: every write is on disk before it is answered)."""

    def __init__(self, *, persistent: bool = False, arguments: tuple[str, ...] = ()) -> None:
        # A short path: Unix socket names are limited to about 100 bytes.
        self._directory = Path(tempfile.mkdtemp(prefix="hearth-redis-"))
        self._persistent = persistent
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """Over the Unix socket."""
        return f"unix://{self._directory}/s"

    @property
    def tcp_url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            raise RuntimeError("redis-server is not installed (Debian: apt-get install redis-server)")
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    binary, "--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", str(self._directory / "s"),
                    "--dir", str(self._directory), "--save", "", "--appendonly", "yes" if self._persistent else "no",
                    "--appendfsync", "always" if self._persistent else "no", "--daemonize", "no", *self._arguments,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until_sync(self._answers, what="redis-server answers")

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"redis-server ended: {(self._directory / 'log').read_text()[-2000:]}")
        try:
            return b"PONG" in self.ask(b"PING")
        except OSError:
            return False

    def ask(self, command: bytes) -> bytes:
        """One inline command, its raw reply."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(self._directory / "s"))
            connection.sendall(command + b"\r\n")
            return connection.recv(65536)

    def empty(self) -> None:
        """Forgets all data."""
        self.ask(b"FLUSHALL")

    def kill(self) -> None:
        """As if the machine had lost power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            (self._directory / "s").unlink(missing_ok=True)

    def lose_data(self) -> None:
        """While it is not running: the next start is an empty one."""
        for path in self._directory.iterdir():
            if path.name != "log":
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def freeze(self) -> None:
        """It keeps its connections but answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)


SLOTS = 16_384
"""Of a Redis Cluster."""


class RedisCluster(RedisServer):
    """A node of a cluster: alone with all slots, or with its ``share``, as the n-th of so many, once it has met the others."""

    def __init__(self, share: tuple[int, int] = (0, 1)) -> None:
        super().__init__(arguments=("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"))
        self._share = share

    @property
    def cluster_url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.port}"

    def start(self) -> None:
        super().start()
        number, of = self._share
        self.ask(b"CLUSTER ADDSLOTSRANGE %d %d" % (SLOTS * number // of, SLOTS * (number + 1) // of - 1))
        self.ask(b"CLUSTER SET-CONFIG-EPOCH %d" % (number + 1))
        if of == 1:
            until_sync(self.complete, what="the cluster has its slots")

    def meet(self, other: RedisCluster) -> None:
        """Join the other's cluster."""
        self.ask(b"CLUSTER MEET 127.0.0.1 %d" % other.port)

    def complete(self) -> bool:
        """Whether this node knows who has each slot."""
        return b"cluster_state:ok" in self.ask(b"CLUSTER INFO")


class RedisSentinel(RedisServer):
    """A sentinel that watches over a server under the name ``hearth``."""

    def __init__(self, watched: RedisServer, *, impatient: bool = False) -> None:
        """``impatient``: a server that is silent for three seconds is replaced by its replica."""
        super().__init__()
        self._watched = watched
        self._impatient = impatient

    @property
    def sentinel_url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.port}/hearth"

    def start(self) -> None:
        configuration = self._directory / "sentinel.conf"
        configuration.write_text(
            f"port {self.port}\nbind 127.0.0.1\nunixsocket {self._directory}/s\ndir {self._directory}\n"
            f"sentinel monitor hearth 127.0.0.1 {self._watched.port} 1\n"
            + ("sentinel down-after-milliseconds hearth 3000\nsentinel failover-timeout hearth 5000\n" if self._impatient else "")
        )
        with (self._directory / "log").open("ab") as log:
            command = [shutil.which("redis-server") or "redis-server", str(configuration), "--sentinel"]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until_sync(self._answers, what="the sentinel answers")
