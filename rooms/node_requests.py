"""Questions that one node asks another, over the store's event channels.

Each node listens on a channel of its own (``node_channel``). A question goes there and its answer to the asker's. Nothing is kept: a node
that is gone, or too busy, does not answer, and the asker is told so after its time-out. Who can write to the store is trusted.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec
import structlog

from rooms.errors import NodeUnreachable
from rooms.store import NODES, Store

log = structlog.get_logger()

ANSWER_SECONDS = 3.0
"""How long a node may take to answer."""
MOST_ANSWERING = 64
"""Questions that a node answers at a time. Further ones are answered at once with a refusal."""
MOST_TELLING = 1024
"""Messages that ``tell`` has on their way at a time."""
MOST_BYTES = 8 * 1024 * 1024
"""Longest body. Redis closes a subscriber's connection when 32 MiB wait for it."""

Handler = Callable[[bytes], Awaitable[bytes]]


class Question(msgspec.Struct, frozen=True, tag="question", array_like=True):
    number: int
    asker: str
    kind: str
    body: bytes


class Answer(msgspec.Struct, frozen=True, tag="answer", array_like=True):
    number: int
    body: bytes | None
    """None = refused: the node does not know such questions, or could not answer."""


_DECODER = msgspec.msgpack.Decoder(Question | Answer)
_ENCODER = msgspec.msgpack.Encoder()


def node_channel(node_id: str) -> str:
    """The channel on which a node listens."""
    return f"{NODES}node:{node_id}"


class NodeRequests:
    """One node's side of it: asks others, and answers what it has a handler for."""

    def __init__(self, store: Store, node_id: str, *, rng: random.Random, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """``spawn`` runs an answer in the background."""
        self._store = store
        self._node_id = node_id
        self._rng = rng
        self._spawn = spawn
        self._handlers: dict[str, Handler] = {}
        self._asked: dict[int, asyncio.Future[bytes | None]] = {}
        self._answering = 0
        self._telling = 0

    def serve(self, kind: str, handler: Handler) -> None:
        """``handler`` answers questions of this kind. If it raises, the asker gets ``NodeUnreachable``."""
        self._handlers[kind] = handler

    async def ask(self, node_id: str, kind: str, body: bytes, *, seconds: float = ANSWER_SECONDS) -> bytes:
        """The answer of a node, which may be this one. Raises ``NodeUnreachable``, ``StoreUnavailable``."""
        if node_id == self._node_id:
            return await self._own_answer(kind, body)
        number = self._rng.getrandbits(53)
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            async with asyncio.timeout(seconds):
                heard = await self._store.publish(node_channel(node_id), _ENCODER.encode(Question(number, self._node_id, kind, body)))
                if heard == 0:
                    raise NodeUnreachable(f"node {node_id} does not listen")
                found = await answer
        except TimeoutError:
            raise NodeUnreachable(f"node {node_id} did not answer") from None
        finally:
            del self._asked[number]
        if found is None:
            raise NodeUnreachable(f"node {node_id} could not answer")
        return found

    def tell(self, node_id: str, kind: str, body: bytes) -> None:
        """Ask in the background, without waiting for the answer or trying again. What is said often enough to be lost is not sent at all
        (``MOST_TELLING``), and order is not kept: for what is repeated anyway, or found out otherwise.
        """
        if self._telling >= MOST_TELLING:
            log.warning("node_message_dropped", kind=kind, node_id=node_id)
            return
        self._telling += 1
        self._spawn(self._tell(node_id, kind, body))

    async def _tell(self, node_id: str, kind: str, body: bytes) -> None:
        try:
            await self.ask(node_id, kind, body)
        except NodeUnreachable as error:
            log.info("node_message_lost", kind=kind, reason=str(error))
        finally:
            self._telling -= 1

    async def _own_answer(self, kind: str, body: bytes) -> bytes:
        handler = self._handlers.get(kind)
        if handler is None:
            raise NodeUnreachable(f"nobody here answers {kind}")
        return await handler(body)

    def received(self, payload: bytes) -> None:
        """Something came on this node's channel."""
        try:
            message = _DECODER.decode(payload)
        except msgspec.DecodeError:
            log.warning("node_message_unknown", bytes=len(payload))
            return
        if isinstance(message, Question):
            self._spawn(self._answer(message))
            return
        waiting = self._asked.get(message.number)
        if waiting is not None and not waiting.done():
            waiting.set_result(message.body)

    async def _answer(self, question: Question) -> None:
        body: bytes | None = None
        handler = self._handlers.get(question.kind)
        if handler is not None and self._answering < MOST_ANSWERING:
            self._answering += 1
            try:
                body = await handler(question.body)
                if len(body) > MOST_BYTES:
                    log.warning("node_answer_too_long", kind=question.kind, bytes=len(body))
                    body = None
            except Exception:
                log.exception("node_question_failed", kind=question.kind)
            finally:
                self._answering -= 1
        await self._store.publish(node_channel(question.asker), _ENCODER.encode(Answer(question.number, body)))
