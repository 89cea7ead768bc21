"""The network of a conformance test: one plane, and clients around it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from media.plane import Clock as ClockFunction
from media.plane import Drop, Loudest, MediaPlane, PeerStatistics, SinkFormat, SourceFormat, SrtpProfile
from media.python_plane import PythonPlane
from tests.unit.media.memory_network import Clock, MemoryPort, Recorder, RemotePeer

SOURCE = SourceFormat(payload_type=111, audio_level_id=1)

MakePlane = Callable[[MemoryPort, Recorder, ClockFunction], MediaPlane]


PACKETS_PER_SECOND = 100_000
"""A test sends as fast as it can, on a clock that stands still."""


def python_plane(port: MemoryPort, recorder: Recorder, clock: ClockFunction) -> MediaPlane:
    return PythonPlane(
        port, recorder, clock=clock, rng=random.Random(3), copy_budget=40, rtcp_interval_ms=2_000, packets_per_second=PACKETS_PER_SECOND
    )


PLANES: list[MakePlane] = [python_plane]


@dataclass
class Network:
    plane: MediaPlane
    port: MemoryPort
    recorder: Recorder
    clock: Clock
    _numbers: list[int] = field(default_factory=lambda: [100])

    def peer(self, profile: SrtpProfile = SrtpProfile.AEAD_AES_128_GCM) -> RemotePeer:
        self._numbers[0] += 1
        return RemotePeer(self.plane, self.port, self._numbers[0], profile=profile)

    def publisher(
        self,
        stream: str = "s",
        *,
        profile: SrtpProfile = SrtpProfile.AEAD_AES_128_GCM,
        source: SourceFormat = SOURCE,
        loudest: Loudest | None = None,
    ) -> RemotePeer:
        peer = self.peer(profile).add().connect()
        self.plane.publish(peer.number, stream, source, loudest)
        return peer

    def player(
        self,
        stream: str = "s",
        *,
        payload_type: int = 111,
        profile: SrtpProfile = SrtpProfile.AEAD_AES_128_GCM,
        audio_level_id: int | None = None,
        red_payload_type: int | None = None,
        nack: bool = False,
    ) -> RemotePeer:
        peer = self.peer(profile).add()
        sink = SinkFormat(payload_type, 5_000 + peer.number, "cname", audio_level_id, red_payload_type, nack)
        self.plane.subscribe(peer.number, stream, sink)
        return peer.connect()

    def statistics(self, peer: RemotePeer) -> PeerStatistics:
        statistics = self.plane.peer_statistics(peer.number)
        assert statistics is not None
        return statistics

    def tick(self, passed_ms: int = 0) -> None:
        """Lets time pass, and the plane do what is due."""
        self.clock.now += passed_ms
        self.plane.tick(self.clock.now)

    def dropped(self, reason: Drop) -> int:
        return self.plane.totals().dropped.get(reason.value, 0)
