"""Runs every test of this folder against each plane that there is: what they must all do (``media.plane.MediaPlane``)."""

from __future__ import annotations

import pytest

from tests.unit.media.memory_network import Clock, MemoryPort, Recorder
from tests.unit.media.network import PLANES, MakePlane, Network


@pytest.fixture(params=PLANES)
def network(request: pytest.FixtureRequest) -> Network:
    make: MakePlane = request.param
    port, recorder, clock = MemoryPort(), Recorder(), Clock()
    return Network(make(port, recorder, clock), port, recorder, clock)
