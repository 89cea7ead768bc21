"""How a server ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from server.serving import _Steward
from tests.waiting import until


class Server:
    """As far as its steward uses it."""

    ended: bool | None = None

    def end(self, *, at_once: bool) -> None:
        self.ended = at_once


@pytest.mark.parametrize("signal", ["_terminate", "_interrupt"])
async def test_a_defect_on_the_way_out_keeps_no_process_alive(signal: str) -> None:
    async def fail() -> None:
        raise RuntimeError("a defect")

    hearth = SimpleNamespace(
        settings=SimpleNamespace(server=SimpleNamespace(drain_seconds=0)),
        rooms=SimpleNamespace(counts=lambda: SimpleNamespace(sessions=0)),
        busy=False,
        begin_drain=fail,
        drain_sockets=fail,
    )
    server = Server()
    steward = _Steward(cast(Any, server), cast(Any, hearth))
    getattr(steward, signal)()
    ending = steward._draining
    assert ending is not None
    await until(ending.done)
    assert server.ended is False
