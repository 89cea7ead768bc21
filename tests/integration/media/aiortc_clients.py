"""Publishers and players as real WebRTC clients (aiortc's full peer connection), and the SFU they talk to."""

from __future__ import annotations

import array
import asyncio
import contextlib
import fractions
import math
import random
import re
import time
from collections.abc import AsyncIterator
from typing import Any

from aiortc import (
    AudioStreamTrack,
    MediaStreamError,
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.rtcdtlstransport import SRTPProtectionProfile
from av import AudioFrame

from media.config import MediaConfig
from media.plane import Loudest
from media.sfu import Sfu
from media.turn.access import RelayAccess
from tests.tones import TONES, share

RATE = 48_000
FRAME = 960
"""Samples of 20 ms."""


class Recorder:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.connected: list[int] = []
        self.lost: list[tuple[int, str]] = []

    def media_connected(self, session_id: int) -> None:
        self.connected.append(session_id)

    def media_lost(self, session_id: int, reason: str) -> None:
        self.lost.append((session_id, reason))


def epoch_ms() -> int:
    return time.time_ns() // 1_000_000


@contextlib.asynccontextmanager
async def running_sfu(recorder: Recorder, **settings: Any) -> AsyncIterator[Sfu]:
    """An SFU on any free loopback port, with the real clock."""
    defaults: dict[str, Any] = {"host": "127.0.0.1", "udp_port": 0, "stun_delay_ms": 0, "rtcp_interval_ms": 200, "tick_ms": 20}
    sfu = Sfu(MediaConfig(**{**defaults, **settings}), recorder, clock=epoch_ms, rng=random.Random(7))
    await sfu.start()
    try:
        yield sfu
    finally:
        await sfu.aclose()


class Tone(AudioStreamTrack):
    """A sine of ``hertz``, 20 ms a frame, in real time."""

    def __init__(self, hertz: float, *, amplitude: int = 12_000) -> None:
        super().__init__()
        self.amplitude = amplitude
        """0 is silence; may be changed while it plays."""
        self._hertz = hertz
        self._position = 0
        self._started: float | None = None

    async def recv(self) -> AudioFrame:
        if self._started is None:
            self._started = time.monotonic()
        ahead = self._started + self._position / RATE - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)
        step = 2 * math.pi * self._hertz / RATE
        samples = array.array("h", (round(self.amplitude * math.sin(step * (self._position + index))) for index in range(FRAME)))
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate = RATE
        frame.pts = self._position
        frame.time_base = fractions.Fraction(1, RATE)
        self._position += FRAME
        return frame


class Ear:
    """Listens to a track: how loud, and how high, the last frames were."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self.frames = 0
        self.loudness = 0.0
        self._loud: dict[int, int] = {}
        self._task = asyncio.create_task(self._listen(track))

    def hears(self, hertz: float) -> int:
        """Frames so far in which the tone of ``hertz`` (a multiple of 50) carried most of the energy."""
        return self._loud.get(round(hertz), 0)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                samples = array.array("h", bytes(frame.planes[0]))[: frame.samples * 2 : 2]
                self.frames += 1
                self.loudness = math.sqrt(sum(sample * sample for sample in samples) / len(samples))
                if self.loudness < 500:
                    continue
                for hertz in TONES:
                    if share(samples, hertz, RATE) > 0.6:
                        self._loud[hertz] = self._loud.get(hertz, 0) + 1


class Client:
    """One peer connection for one stream in one direction, as the SDKs make them."""

    def __init__(self, sfu: Sfu, session: int, relay: RelayAccess | None = None) -> None:
        """``relay``: the only way to the node."""
        self.sfu = sfu
        self.session = session
        policy = RTCIceTransportPolicy.ALL if relay is None else RTCIceTransportPolicy.RELAY
        servers = [] if relay is None else [RTCIceServer(list(relay.urls), relay.username, relay.password)]
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=servers, iceTransportPolicy=policy))
        self.ear: Ear | None = None
        self.answer = ""
        self.connection.on("track", self._heard)

    def _heard(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            self.ear = Ear(track)

    async def publish(
        self,
        stream: str,
        track: MediaStreamTrack,
        *,
        node_port: int | None = None,
        video: bool = False,
        loudest: Loudest | None = None,
        srtp_profiles: list[SRTPProtectionProfile] | None = None,
        fingerprint: str | None = None,
    ) -> None:
        """``node_port``: where the client is told to send to. ``video``: with a camera. ``fingerprint``: claimed instead of its own."""
        self.connection.addTransceiver(track, direction="sendonly")
        if video:
            self.connection.addTransceiver(VideoStreamTrack(), direction="sendonly")
        await self.connection.setLocalDescription(await self.connection.createOffer())
        if srtp_profiles is not None:
            self.connection.getSenders()[0].transport._srtp_profiles = srtp_profiles
        offer = self.connection.localDescription.sdp
        if fingerprint is not None:
            offer = re.sub(r"a=fingerprint:sha-256 .*", f"a=fingerprint:sha-256 {fingerprint}", offer)
        answer = await self.sfu.open_publisher(self.session, stream, offer, loudest=loudest)
        await self._apply(self._moved(answer, node_port))

    async def play(self, stream: str, *, video: bool = False, node_port: int | None = None) -> None:
        self.connection.addTransceiver("audio", direction="recvonly")
        if video:
            self.connection.addTransceiver("video", direction="recvonly")
        await self.connection.setLocalDescription(await self.connection.createOffer())
        await self._apply(self._moved(await self.sfu.open_player(self.session, stream, self.connection.localDescription.sdp), node_port))

    def _moved(self, answer: str, node_port: int | None) -> str:
        """The answer with another port in its candidates."""
        return answer if node_port is None else answer.replace(f" {self.sfu.port} typ", f" {node_port} typ")

    async def _apply(self, answer: str) -> None:
        self.answer = answer
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))

    async def figure(self, kind: str, name: str) -> float:
        """One figure of the client's own statistics; NaN before there is an entry of that kind."""
        report = await self.connection.getStats()
        for entry in report.values():
            if entry.type == kind:
                figure: float = getattr(entry, name)
                return figure
        return math.nan

    async def close(self) -> None:
        if self.ear is not None:
            await self.ear.close()
        await self.connection.close()


@contextlib.asynccontextmanager
async def clients(sfu: Sfu, *sessions: int, relayed: bool = False) -> AsyncIterator[list[Client]]:
    """One client for each media session id, closed at the end. ``relayed``: they reach the node through its TURN server only."""
    made = [Client(sfu, session, sfu.relay_access(session) if relayed else None) for session in sessions]
    try:
        yield made
    finally:
        for client in made:
            await client.close()
