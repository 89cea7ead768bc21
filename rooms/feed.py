"""The node's subscription to the store's event channels: one connection, kept alive, opened again when it breaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from rooms.errors import StoreUnavailable
from rooms.store import Store, Subscription, translated

log = structlog.get_logger()

IDLE_SECONDS = 5.0
"""After so long without a message the connection is probed …"""

ANSWER_SECONDS = 5.0
"""… and after so long without an answer it counts as dead."""

CONFIRM_SECONDS = 3.0
"""How long the store may take to confirm a subscription."""

_CHUNK = 500
"""Channels per SUBSCRIBE command after a reconnect."""


class EventFeed:
    """Delivers payloads of subscribed channels, in order. What was published while the connection was away is lost: ``on_restored``
    says that it is back, the views then check themselves."""

    def __init__(self, store: Store, home: str, *, on_payload: Callable[[str, bytes], None], on_restored: Callable[[], None]) -> None:
        """``home`` is a channel of the node's own, which keeps the connection in subscribed state."""
        self._store = store
        self._home = home
        self._on_payload = on_payload
        self._on_restored = on_restored
        self._wanted: dict[str, None] = {}
        self._confirmations: dict[str, list[asyncio.Future[None]]] = {}
        self._subscription: Subscription | None = None
        self._writing = asyncio.Lock()
        self.connected = asyncio.Event()

    async def subscribe(self, channel: str) -> None:
        """Returns when the store has confirmed: everything published from now on arrives. Raises ``StoreUnavailable``.

        If the connection is just being opened again, that is waited for.
        """
        self._wanted[channel] = None
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._confirmations.setdefault(channel, []).append(confirmed)
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                with contextlib.suppress(StoreUnavailable):
                    await self._send(channel, subscribe=True)
                await confirmed
        except TimeoutError as error:
            raise StoreUnavailable("the store did not confirm a subscription") from error
        finally:
            confirmed.cancel()

    def forget(self, channel: str) -> None:
        """Payloads of this channel are not wanted any more; ``unsubscribe`` then says so to the store."""
        self._wanted.pop(channel, None)

    async def unsubscribe(self, channel: str) -> None:
        """Ends a forgotten subscription, unless it is wanted again by now. Never fails: with the connection it would be gone too."""
        with contextlib.suppress(StoreUnavailable):
            await self._send(channel, subscribe=False)

    async def _send(self, channel: str, *, subscribe: bool) -> None:
        subscription = self._subscription
        if subscription is None:
            raise StoreUnavailable("the event subscription is down")
        with translated():
            async with self._writing:
                # What is wanted may have changed while waiting for the lock; the last word counts.
                if (channel in self._wanted) == subscribe:
                    await (subscription.subscribe(channel) if subscribe else subscription.unsubscribe(channel))

    async def run(self, sleep: Callable[[float], Awaitable[None]], retry_seconds: float) -> None:
        """Keeps the connection until cancelled."""
        while True:
            subscription = None
            try:
                subscription = await self._store.subscription()
                with translated():
                    await self._serve(subscription)
            except StoreUnavailable as error:
                log.warning("event_feed_lost", error=str(error))
            except Exception:
                # Begun anew: the views find out what they missed.
                log.exception("event_feed_failed")
            finally:
                self.connected.clear()
                self._subscription = None
                if subscription is not None:
                    with contextlib.suppress(Exception):
                        await subscription.aclose()
            await sleep(retry_seconds)

    async def _serve(self, subscription: Subscription) -> None:
        async with self._writing:
            self._subscription = subscription
            missing = {self._home, *self._wanted}
            channels = list(missing)
            for start in range(0, len(channels), _CHUNK):
                await subscription.subscribe(*channels[start : start + _CHUNK])
        probed = False
        while True:
            message = await subscription.get_message(timeout=ANSWER_SECONDS if probed else IDLE_SECONDS)
            if message is None:
                if probed:
                    raise StoreUnavailable("the event subscription is silent")
                probed = True
                async with self._writing:
                    await subscription.ping()
                continue
            probed = False
            match message["type"]:
                case "message":
                    self._on_payload(message["channel"].decode(), message["data"])
                case "subscribe":
                    channel = message["channel"].decode()
                    for future in self._confirmations.pop(channel, ()):
                        if not future.done():
                            future.set_result(None)
                    if missing:
                        missing.discard(channel)
                        if not missing:
                            self.connected.set()
                            self._on_restored()
