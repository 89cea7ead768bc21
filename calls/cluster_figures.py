"""Figures of streams wherever they are: each node keeps those of its own media, and answers the others' questions for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from calls.figures import StreamFigures
from calls.ports import NodeRequests
from calls.statistics import MOST_PLAYERS, MediaStatistics
from rooms.errors import NodeUnreachable, StoreUnavailable
from rooms.model import Stream

log = structlog.get_logger()

KIND = "stream_figures"
MOST_QUESTIONS = 8
"""Questions on their way at a time for one inquiry."""


class Question(msgspec.Struct, frozen=True, array_like=True):
    app_id: int
    stream_id: str
    history: bool


_QUESTION = msgspec.msgpack.Decoder(Question)
_FIGURES = msgspec.msgpack.Decoder(StreamFigures)
_ENCODER = msgspec.msgpack.Encoder()


class ClusterFigures:
    """See the module."""

    def __init__(self, own: MediaStatistics, nodes: NodeRequests, node_id: str) -> None:
        self._own = own
        self._nodes = nodes
        self._node_id = node_id
        nodes.serve(KIND, self._answer)

    async def of(self, app_id: int, streams: Sequence[Stream], *, history: bool) -> list[StreamFigures | None]:
        """Figures of these streams, in their order; None for one whose node does not answer. At most ``MOST_PLAYERS`` players of each."""
        slots = asyncio.Semaphore(MOST_QUESTIONS)

        async def one(stream: Stream) -> StreamFigures | None:
            if stream.node_id in ("", self._node_id):
                return self._own.stream(app_id, stream.stream_id, history=history)
            async with slots:
                return await self._ask(app_id, stream, history)

        return list(await asyncio.gather(*map(one, streams)))

    async def _ask(self, app_id: int, stream: Stream, history: bool) -> StreamFigures | None:
        question = _ENCODER.encode(Question(app_id, stream.stream_id, history))
        try:
            return _FIGURES.decode(await self._nodes.ask(stream.node_id, KIND, question))
        except (NodeUnreachable, StoreUnavailable, msgspec.DecodeError) as error:
            # A node of another version may answer in another form.
            log.info("figures_not_told", node_id=stream.node_id, reason=type(error).__name__)
            return None

    async def _answer(self, body: bytes) -> bytes:
        question = _QUESTION.decode(body)
        return _ENCODER.encode(self._own.stream(question.app_id, question.stream_id, history=question.history, most_players=MOST_PLAYERS))
