"""Janus from the distribution (``apt-get install janus``): its VideoRoom plugin with sound alone, which forwards as an SFU does.

Its AudioBridge mixes, and would be another thing. ICE-lite like Hearth, one room, one handle for each session, driven by Janus' own
WebSocket protocol; everything that it logs or could tell of levels is off.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from bench.sfu.light_client import LightClient

_ROOM = 1
_LIBRARIES = Path("/usr/lib/x86_64-linux-gnu/janus")
_START_TRIES = 100


class JanusError(RuntimeError):
    """Janus refused, or does not start."""


def installed() -> bool:
    """Whether this machine has Janus."""
    return shutil.which("janus") is not None


class Janus:
    """One Janus process (``bench.sfu.target.Target``)."""

    decodes = False

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, socket_: ClientConnection) -> None:
        self._process = process
        self._folder = folder
        self._socket = socket_
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self._feeds: dict[str, int] = {}
        self._session = 0
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, *, event_loops: int = 0) -> Janus:
        """``event_loops``: that many threads serve all sessions; 0 = Janus' default of one thread for each."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        folder = Path(tempfile.mkdtemp(prefix="bench-janus-"))
        _configure(folder, port, event_loops)
        process = await asyncio.create_subprocess_exec(
            "janus", "-F", str(folder), "-d", "1", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        for _ in range(_START_TRIES):
            try:
                opened = await connect(f"ws://127.0.0.1:{port}", subprotocols=["janus-protocol"], max_size=None)  # type: ignore[list-item]
                break
            except OSError:
                await asyncio.sleep(0.1)
        else:
            process.kill()
            raise JanusError("janus does not answer")
        janus = cls(process, folder, opened)
        janus._session = (await janus._request({"janus": "create"}))["data"]["id"]
        handle = await janus._attach()
        room = {"request": "create", "room": _ROOM, "publishers": 10_000, "audiocodec": "opus", "audiolevel_ext": False}
        await janus._message(handle, {**room, "notify_joining": False, "record": False})
        return janus

    @property
    def pid(self) -> int:
        return self._process.pid

    async def join(self, client: LightClient, kind: str, stream: str) -> None:
        handle = await self._attach()
        if kind == "publisher":
            feed = self._feeds[stream] = next(self._numbers)
            body = {"request": "joinandconfigure", "room": _ROOM, "ptype": "publisher", "id": feed}
            event = await self._message(handle, body, {"type": "offer", "sdp": client.offer})
            await client.connect(event["jsep"]["sdp"])
            return
        body = {"request": "join", "room": _ROOM, "ptype": "subscriber", "streams": [{"feed": self._feeds[stream]}]}
        offer = (await self._message(handle, body))["jsep"]["sdp"]
        await self._message(handle, {"request": "start"}, {"type": "answer", "sdp": client.answer(offer)})
        await client.connect(offer)

    async def stop(self) -> None:
        self._reader.cancel()
        await self._socket.close()
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- inside

    async def _attach(self) -> int:
        reply = await self._request({"janus": "attach", "session_id": self._session, "plugin": "janus.plugin.videoroom"})
        handle: int = reply["data"]["id"]
        return handle

    async def _message(self, handle: int, body: dict[str, object], jsep: dict[str, str] | None = None) -> dict[str, Any]:
        request: dict[str, object] = {"janus": "message", "session_id": self._session, "handle_id": handle, "body": body}
        if jsep is not None:
            request["jsep"] = jsep
        reply = await self._request(request)
        told = reply["plugindata"]["data"]
        if "error" in told:
            raise JanusError(told["error"])
        return reply

    async def _request(self, request: dict[str, object]) -> dict[str, Any]:
        """The last answer to a request: what is asked of a plugin is acknowledged first."""
        transaction = str(next(self._numbers))
        queue = self._waiting[transaction] = asyncio.Queue()
        await self._socket.send(json.dumps({**request, "transaction": transaction}))
        try:
            async with asyncio.timeout(30):
                while (reply := await queue.get())["janus"] == "ack":
                    pass
        finally:
            del self._waiting[transaction]
        if reply["janus"] == "error":
            raise JanusError(reply["error"]["reason"])
        return reply

    async def _read(self) -> None:
        async for text in self._socket:
            told = json.loads(text)
            queue = self._waiting.get(told.get("transaction", ""))
            if queue is not None:
                queue.put_nowait(told)


def _configure(folder: Path, port: int, event_loops: int) -> None:
    loops = f"event_loops = {event_loops}" if event_loops else ""
    (folder / "janus.jcfg").write_text(
        f"""general: {{
    configs_folder = "{folder}"
    plugins_folder = "{_LIBRARIES}/plugins"
    transports_folder = "{_LIBRARIES}/transports"
    events_folder = "{_LIBRARIES}/events"
    loggers_folder = "{_LIBRARIES}/loggers"
    session_timeout = 0
    {loops}
}}
nat: {{ ice_lite = true }}
plugins: {{ disable = "{_others("plugins", "videoroom")}" }}
transports: {{ disable = "{_others("transports", "websockets")}" }}
loggers: {{ disable = "{_others("loggers", "")}" }}
"""
    )
    (folder / "janus.transport.websockets.jcfg").write_text(f'general: {{ ws = true, ws_port = {port}, ws_ip = "127.0.0.1" }}\n')
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: {}\n")


def _others(kind: str, wanted: str) -> str:
    """The libraries that are not to be loaded."""
    return ",".join(sorted(path.name for path in (_LIBRARIES / kind).glob("*.so") if path.name != f"libjanus_{wanted}.so"))
