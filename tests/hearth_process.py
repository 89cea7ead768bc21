"""A real ``hearth serve`` in a process of its own, on free ports, for tests that look at the server from outside.

    with HearthProcess.start(tmp_path) as hearth:
        hearth.ws_url                       # "ws://127.0.0.1:41231/ws", what an SDK gets as its server
        hearth.token("alice", room_id="r")

``start`` returns when ``/readyz`` says so. ``astart``, ``astop`` are the same for tests inside an event loop.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from tests.waiting import until_sync

APP_ID = 1234567890
SERVER_SECRET = "0123456789abcdef0123456789abcdef"
CALLBACK_SECRET = "fedcba9876543210fedcba9876543210"

Sections = Mapping[str, Mapping[str, object]]

_URL_LINE = re.compile(r"(https?)://([^\s/]+):(\d+)")


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def write_config(path: Path, sections: Sections, apps: Sequence[Mapping[str, object]]) -> None:
    """Write a ``hearth.toml``: ``[section]`` tables, then ``[[apps]]``."""
    lines: list[str] = []
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items()), ""]
    for app in apps:
        lines += ["[[apps]]", *(f"{key} = {_toml(value)}" for key, value in app.items()), ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    path.chmod(0o600)


def default_app() -> dict[str, object]:
    """The App that ``HearthProcess`` serves when the test names none."""
    return {"app_id": APP_ID, "server_secrets": [SERVER_SECRET], "callback_secret": CALLBACK_SECRET}


class HearthProcess:
    """A running ``hearth serve``. Made by ``start``; a context manager that ends it."""

    def __init__(
        self, process: subprocess.Popen[str], directory: Path, config: Path, app_id: int, secret: str, environment: dict[str, str]
    ) -> None:
        self._process = process
        self.directory = directory
        self.config = config
        self.app_id = app_id
        self.secret = secret
        self._environment = environment
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = ""
        """``http://127.0.0.1:PORT`` (``https`` with ``--dev-tls``)."""

    @classmethod
    def start(
        cls,
        directory: Path,
        *,
        store_url: str = "memory://",
        sections: Sections | None = None,
        apps: Sequence[Mapping[str, object]] | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        ready: bool = True,
        limit: float = 40,
    ) -> HearthProcess:
        """Start a server whose files live in ``directory`` and wait until it is ready.

        ``store_url``: give several processes the same ``redis://…`` to make them nodes of one system.
        ``sections``: settings over the defaults, e.g. ``{"store": {"grace_seconds": 2}}``. Ports are free ones unless given.
        ``apps``: ``[[apps]]`` tables; the first is the one that ``app_id``, ``secret`` and ``token`` speak of.
        ``arguments``: further command-line arguments of ``hearth serve``.
        ``ready=False``: only wait until the address is known, not for ``/readyz``.
        """
        directory.mkdir(parents=True, exist_ok=True)
        merged: dict[str, dict[str, object]] = {
            "server": {"host": "127.0.0.1", "port": 0, "log_format": "json", "development": True},
            "store": {"url": store_url},
            # A test machine may be busy enough for the race that the delay is against.
            "media": {"udp_port": 0, "stun_delay_ms": 500, "turn": {"port": 0}},
            "rtmp": {"port": 0},
        }
        for name, values in (sections or {}).items():
            merged.setdefault(name, {}).update(values)
        served = list(apps) if apps is not None else [default_app()]
        config = directory / "hearth.toml"
        write_config(config, merged, served)
        # A setting of the developer's own shell must not reach the server under test.
        env = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}
        env.update({"PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **(environment or {})})
        process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "serve", "--config", str(config), *arguments],
            cwd=directory,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        first = served[0] if served else default_app()
        secrets = first["server_secrets"]
        assert isinstance(secrets, Sequence)
        hearth = cls(process, directory, config, int(str(first["app_id"])), str(secrets[0]), env)
        try:
            hearth._wait_for_address(limit)
            if ready:
                hearth.wait_ready(limit)
        except BaseException:
            hearth.kill()
            raise
        return hearth

    @classmethod
    async def astart(
        cls,
        directory: Path,
        *,
        store_url: str = "memory://",
        sections: Sections | None = None,
        apps: Sequence[Mapping[str, object]] | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        ready: bool = True,
        limit: float = 40,
    ) -> HearthProcess:
        """``start`` in a thread, so that the test's event loop goes on."""
        return await asyncio.to_thread(
            lambda: cls.start(
                directory,
                store_url=store_url,
                sections=sections,
                apps=apps,
                arguments=arguments,
                environment=environment,
                ready=ready,
                limit=limit,
            )
        )

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line)

    def _wait_for_address(self, limit: float) -> None:
        def address() -> str | None:
            for line in list(self._lines):
                found = _URL_LINE.search(line) if line.startswith("Hearth is listening") else None
                if found:
                    return f"{found[1]}://127.0.0.1:{found[3]}" if found[2] in {"0.0.0.0", "[::]"} else found[0]
            if self._process.poll() is not None:
                self._reader.join(20)
                raise AssertionError(f"hearth serve ended with {self._process.returncode}:\n{self.output}")
            return None

        self.url = until_sync(address, limit, f"hearth serve says where it listens, so far:\n{self.output}") or ""

    def wait_ready(self, limit: float = 40) -> None:
        """Wait until ``/readyz`` answers 200."""

        def is_ready() -> bool:
            if self._process.poll() is not None:
                self._reader.join(20)
                raise AssertionError(f"hearth serve ended with {self._process.returncode}:\n{self.output}")
            return self.get("/readyz")[0] == 200

        until_sync(is_ready, limit, "GET /readyz answers 200")

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """``GET path``; status and body. Status 0 = nobody answered."""
        context = ssl._create_unverified_context() if self.url.startswith("https") else None
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def ws_url(self) -> str:
        """The address an SDK is given as its server."""
        return "ws" + self.url.removeprefix("http") + "/ws"

    @property
    def output(self) -> str:
        """Everything the process has printed so far, stdout and stderr."""
        return "".join(self._lines)

    def wait_for_output(self, text: str, limit: float = 20) -> None:
        until_sync(lambda: text in self.output, limit, f"{text!r} in the server's output")

    def hearth(self, *arguments: str, limit: float = 60, config: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another ``hearth`` command with the same configuration, talking to this server."""
        env = dict(self._environment)
        if config:
            # The file says port 0; the commands must find the port that it became.
            env.update({"HEARTH_CONFIG": str(self.config), "HEARTH_SERVER__PORT": str(self.port)})
        return subprocess.run(
            [sys.executable, "-m", "server.cli", *arguments],
            cwd=self.directory,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )

    def token(self, user_id: str, *, room_id: str | None = None, ttl: int = 3600, kind: str = "token04", secret: str | None = None) -> str:
        """A token of this server's App; ``ttl`` in seconds, negative = already expired."""
        import time

        from auth.claims import AppKeys, Privileges, TokenKind
        from auth.tokens import issue_token

        privileges = Privileges(room_id=room_id, login=True, publish=True, stream_ids=None) if room_id is not None else None
        return issue_token(
            TokenKind(kind),
            keys=AppKeys(app_id=self.app_id, server_secrets=(secret or self.secret,)),
            user_id=user_id,
            now=int(time.time()),
            ttl=ttl,
            privileges=privileges,
            room_id=room_id,
        )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def terminate(self) -> None:
        """Send SIGTERM (starts the drain) and return at once."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, limit: float = 40) -> int:
        """Wait for the process to end; its exit code."""
        code = self._process.wait(limit)
        self._reader.join(20)
        return code

    async def await_exit(self, limit: float = 40) -> int:
        return await asyncio.to_thread(self.wait, limit)

    def stop(self, limit: float = 40) -> int:
        """SIGTERM, a second one if it takes long (which skips the drain), then kill. Returns the exit code."""
        self.terminate()
        try:
            return self.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    async def astop(self, limit: float = 40) -> int:
        return await asyncio.to_thread(self.stop, limit)

    def kill(self) -> None:
        """SIGKILL, as a power cut would: nothing is said to anybody."""
        if self.running:
            self._process.kill()
        self.wait()

    def __enter__(self) -> HearthProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # A test is over: no need to drain. The second SIGTERM exits at once.
        self.terminate()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self.terminate()
        try:
            self.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
