"""ffmpeg and rtmpdump in the place of live-pusher, live-player and OBS: they publish a tone, and tell which tone they play."""

from __future__ import annotations

import asyncio
import os
from types import TracebackType

from tests.tones import loudest_tone

_RATE = 8_000
_SECONDS = 1.0
_LIMIT = 40.0


class Pusher:
    """``async with Pusher(url, 440):`` publishes a tone without end, in real time."""

    def __init__(self, url: str, tone: int, *, codec: str = "aac", rate: int = 44_100, channels: int = 1, video: bool = False) -> None:
        """``codec``, ``rate`` (Hz) and ``channels`` of the sound. ``video``: with pictures, a key frame every 25."""
        self.log = ""
        sound = ["-f", "lavfi", "-i", f"sine=frequency={tone}:sample_rate={rate}"]
        picture = ["-f", "lavfi", "-i", "testsrc=size=128x96:rate=25"]
        coded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"]
        self._command = [
            "ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "warning", "-re", *sound, *(picture + coded if video else []),
            "-c:a", codec, "-ar", str(rate), "-ac", str(channels), "-b:a", "48k", "-f", "flv", url,
        ]  # fmt: skip
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Pusher:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    def kill(self) -> None:
        """Dies without a word."""
        assert self._process is not None
        self._process.kill()

    async def stop(self) -> None:
        """Says goodbye, as at the end of a broadcast."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
        await self.ended()

    async def ended(self) -> str:
        """Waits until it ends by itself; what it complained about."""
        assert self._process is not None
        async with asyncio.timeout(_LIMIT):
            _, said = await self._process.communicate()
        self.log += said.decode(errors="replace")
        return self.log


class Player:
    """``async with Player(url) as player:`` plays without end; entered once the first sound is there."""

    def __init__(self, url: str) -> None:
        self._command = [
            "ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-probesize", "2000", "-fflags", "nobuffer", "-i", url,
            "-vn", "-f", "s16le", "-ac", "1", "-ar", str(_RATE), "-",
        ]  # fmt: skip
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Player:
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_LIMIT):
                await process.stdout.readexactly(1_000)
        except BaseException:
            await self._kill()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._kill()

    async def ended(self) -> None:
        """Waits until it ends by itself, as a player does whose stream is over."""
        assert self._process is not None
        async with asyncio.timeout(_LIMIT):
            await self._process.communicate()

    async def _kill(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


async def tone_played(url: str, *options: str) -> int | None:
    """The tone, in Hz, that ffmpeg plays of a stream. ``options``: for its input. Raises ``AssertionError`` if it plays nothing."""
    return await _tone(["-probesize", "2000", "-fflags", "nobuffer", *options, "-i", url], None)


async def tone_dumped(url: str) -> int | None:
    """The same with rtmpdump, the player of librtmp."""
    read, write = os.pipe()
    command = ["rtmpdump", "-q", "-v", "-r", url, "-o", "-"]
    dump = await asyncio.create_subprocess_exec(*command, stdout=write, stderr=asyncio.subprocess.DEVNULL)
    os.close(write)
    try:
        return await _tone(["-i", "pipe:0"], read)
    finally:
        os.close(read)
        if dump.returncode is None:
            dump.kill()
        await dump.wait()


async def _tone(source: list[str], stdin: int | None) -> int | None:
    command = [
        "ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", *source, "-vn", "-t", str(_SECONDS),
        "-f", "s16le", "-ac", "1", "-ar", str(_RATE), "-",
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(*command, stdin=stdin, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(_LIMIT):
            pcm, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert pcm, said.decode(errors="replace")
    return loudest_tone(pcm, _RATE)


async def probe(url: str) -> list[str]:
    """Codecs of a stream as ffprobe names them. Raises ``AssertionError`` with what it was told if it cannot play."""
    process = await asyncio.create_subprocess_exec(
        "ffprobe", "-loglevel", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(_LIMIT):
        told, said = await process.communicate()
    assert process.returncode == 0, said.decode(errors="replace")
    return sorted(told.decode().split())
