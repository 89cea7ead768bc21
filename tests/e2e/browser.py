"""Users of the official web SDK 1.4.0 … 3.12.0 in one headless Chromium, hosted by ``node/browser.js``."""

from __future__ import annotations

import math
import os
import shutil
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.link import Link
from tests.e2e.remote import LIMIT, Json, Remote
from tests.e2e.sdk_user import SdkUser

MICROPHONE_TONE = 440
"""What Chromium's fake microphone hears, in Hz. The other tones of a test are the pages' own oscillators."""

REFERENCE = "2.14.0"
"""Version of the SDK where a test does not say another."""

MEDIA_LIMIT = 60.0
"""Limit for sound to arrive, in seconds."""


def find_chromium() -> str:
    """Chromium's executable: ``$CHROMIUM``, or the first one on the path."""
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if name and (found := shutil.which(name)):
            return found
    raise AssertionError("no Chromium found: install it (Debian: apt-get install chromium) or name it in $CHROMIUM")


def write_tone(path: Path, frequency: int, seconds: int = 10, rate: int = 48_000) -> None:
    """A mono 16-bit WAV file with a whole number of periods, so that it loops without a click."""
    samples = (int(12_000 * math.sin(2 * math.pi * frequency * n / rate)) for n in range(seconds * rate))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


class WebUser(SdkUser):
    """One page with one engine. Its signalling goes through ``link``, which a test can cut."""

    def __init__(
        self, remote: Remote, user_id: str, link: Link, token: Callable[..., str], version: str = REFERENCE, hub: bool = False
    ) -> None:
        """``hub``: over the accesshub, not in JSON."""
        super().__init__(remote, user_id, token)
        self.link = link
        self.version = version
        self.hub = hub

    async def open(self, app_id: int, server: list[str] | None = None, hub_host: str | None = None, local_proxy: bool = False) -> None:
        """``server``, ``hub_host``: other addresses than the link's. ``local_proxy``: see ``PageMaker``."""
        self._remote.add(self)
        where = {"hub": hub_host or self.link.host, "localProxy": local_proxy} if self.hub else {"server": server or self.link.url("/ws")}
        await self._remote.call("open", user=self.name, appId=app_id, version=self.version, **where)

    async def _page(self, operation: str, limit: float = LIMIT, **argument: Json) -> Json:
        return await self._remote.call("page", user=self.name, operation=operation, argument=argument, limit=limit)

    async def publish_tone(self, stream_id: str, frequency: int, amplitude: float = 0.5, **option: Any) -> None:
        """Publishes a steady tone, in Hz, of this amplitude, 0…1, and waits until the SDK says PUBLISHING."""
        await self._page("publishTone", streamId=stream_id, frequency=frequency, amplitude=amplitude, option=option)
        await self.publisher_state(stream_id, "PUBLISHING")

    async def publish_microphone(self, stream_id: str, **option: Any) -> None:
        """Publishes the browser's microphone and waits until the SDK says PUBLISHING."""
        await self._page("publishMicrophone", streamId=stream_id, option=option)
        await self.publisher_state(stream_id, "PUBLISHING")

    async def publish_camera(self, stream_id: str, **option: Any) -> None:
        """Publishes the browser's microphone and camera and waits until the SDK says PUBLISHING."""
        await self._page("publishCamera", streamId=stream_id, option=option)
        await self.publisher_state(stream_id, "PUBLISHING")

    async def start_publishing_tone(self, stream_id: str, frequency: int) -> None:
        """Only starts; what comes of it is for the test to see."""
        await self._page("publishTone", streamId=stream_id, frequency=frequency, option={})

    async def lose_requests(self, command: str) -> None:
        """From now on what the page sends with this command on its sockets gets lost."""
        await self._page("loseRequests", command=command)

    async def mute_microphone(self, stream_id: str, mute: bool) -> None:
        assert await self._page("muteMicrophone", streamId=stream_id, mute=mute) is True

    async def remote_microphone(self, stream_id: str, status: str) -> None:
        """Waits for ``remoteMicStatusUpdate``: ``OPEN`` or ``MUTE``."""
        await self.wait_event("remoteMicStatusUpdate", lambda stream, now: stream == stream_id and now == status)

    async def send_transparent(self, room_id: str, text: str, *to: str) -> None:
        """``sendTransparentMessage`` of 3.12.0."""
        await self._page("sendTransparent", roomId=room_id, text=text, to=list(to))

    async def stop_publishing(self, stream_id: str) -> None:
        await self._page("stopPublishing", streamId=stream_id)

    async def play(self, stream_id: str) -> None:
        await self._page("play", streamId=stream_id, limit=MEDIA_LIMIT)
        await self.player_state(stream_id, "PLAYING")

    async def stop_playing(self, stream_id: str) -> None:
        await self._page("stopPlaying", streamId=stream_id)

    async def heard_tone(self, stream_id: str, frequency: int, limit: float = MEDIA_LIMIT) -> None:
        """Waits until the loudest thing in a played stream is this tone, in Hz, recognised by its spectrum."""
        await self._page("hearTone", limit + 5, streamId=stream_id, frequency=frequency, limitMs=limit * 1000)

    async def heard_silence(self, stream_id: str, limit: float = MEDIA_LIMIT) -> None:
        await self._page("hearSilence", limit + 5, streamId=stream_id, limitMs=limit * 1000)

    async def concealed(self) -> float:
        """Milliseconds of sound that did not arrive in time, over all streams that the page plays, since they began."""
        return float(await self._page("concealed"))

    async def hears_no_packets(self, limit: float = MEDIA_LIMIT) -> None:
        """Waits until no sound arrives at the page any more, not even silence."""
        await self._page("untilNoPackets", limit + 5, limitMs=limit * 1000)

    async def paths(self) -> list[dict[str, str | None]]:
        """For each connection of the page the ``type`` of its own candidate in use and its ``relay`` transport."""
        found: list[dict[str, str | None]] = await self._page("paths")
        return found

    async def media_through(self, port: int, instead: int) -> None:
        """From now on the page reaches the server's media ``port`` at another one."""
        await self._page("mediaThrough", **{"from": port, "to": instead})

    async def relay_only(self) -> None:
        """From now on the page reaches TURN servers and nothing else."""
        await self._page("relayOnly")

    async def reported_loss(self) -> float:
        """The largest share of packets lost, 0…1, of which the server's reports tell a sender of this page."""
        return float(await self._page("reportedLoss"))

    async def turn_over_tcp(self) -> None:
        """From now on the SDK reaches TURN servers over TCP."""
        await self._page("turnOverTcp")

    async def close(self) -> None:
        """The tab is closed."""
        await self._remote.call("close", user=self.name)
