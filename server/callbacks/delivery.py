"""From the outbox to the receivers: every node takes what it can, tries, and says how it went. What a node leaves behind others finish.

Retries follow the cloud (``zego-cloud.md`` §3.1): 2, 4, 8, 16 and 32 s after the attempt before; then the event is a dead letter.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import structlog

from auth.signatures import sign_callback
from calls.apps import App, CallbackTarget
from rooms.errors import StoreUnavailable
from rooms.model import Clock
from rooms.outbox import Backlog, CallbackEvent, Entry, Outbox
from server.callbacks.body import FORM, JSON, form_body, json_body
from server.callbacks.events import fields_of, signed
from server.callbacks.receiver import DeliveryFailed, Receiver
from server.metrics import Metrics
from server.settings import CallbackSettings

log = structlog.get_logger(__name__)

RETRY_DELAYS = (2_000, 4_000, 8_000, 16_000, 32_000)
"""ms."""
POLL_SECONDS = 0.5
"""How late a retry, or the entry of a node that is gone, may be noticed. What this node writes itself is noticed at once."""
CLAIM_MARGIN = 10_000
"""ms beyond the time-out of an attempt after which another node takes an entry over."""

Sleep = Callable[[float], Awaitable[None]]


class AppDelivery:
    """The callbacks of one App. At most ``settings.concurrency`` attempts at a time: what is more waits in the store."""

    def __init__(
        self, app_id: int, target: CallbackTarget, *,
        outbox: Outbox, receiver: Receiver, settings: CallbackSettings, clock: Clock, rng: random.Random, metrics: Metrics,
    ) -> None:  # fmt: skip
        self._app_id = app_id
        self._target = target
        self._events = [event for event in CallbackEvent if event in target.urls]
        self._outbox = outbox
        self._receiver = receiver
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._metrics = metrics
        self._under_way: set[asyncio.Task[None]] = set()
        self._more = False
        """The last look took all that it might: there may be more, for whoever is done first."""
        self._cut_off: list[Entry] = []
        self.wake = asyncio.Event()
        """There may be something to take."""
        self.backlog = Backlog()
        """As it was at the last look."""

    async def step(self, tasks: asyncio.TaskGroup) -> int:
        """Takes as much of what is due as may be under way, and begins to deliver it. Returns how much. Raises ``StoreUnavailable``."""
        free = self._settings.concurrency - len(self._under_way)
        if not free:
            return 0
        now = self._clock()
        claim = now + int(self._settings.timeout_seconds * 1000) + CLAIM_MARGIN
        entries, self.backlog = await self._outbox.take(self._app_id, self._events, free, claim, now=now)
        for entry in entries:
            task = tasks.create_task(self._attempt(entry))
            self._under_way.add(task)
            task.add_done_callback(self._done)
        self._more = len(entries) == free
        return len(entries)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if self._more:
            self.wake.set()

    async def run(self, sleep: Sleep) -> None:
        """Delivers until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self.wake.clear()
                try:
                    await self.step(tasks)
                except StoreUnavailable:
                    pass  # the rooms say so; it is asked again at the next look
                except Exception:
                    # Calls go on, whatever is wrong with what is told of them.
                    log.exception("callbacks_not_taken", app_id=self._app_id)
                await self._pause(sleep)

    async def _pause(self, sleep: Sleep) -> None:
        """Until the next look is due or ``wake`` is set."""
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(_ended(sleep(POLL_SECONDS))), group.create_task(_ended(self.wake.wait()))]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()

    async def deliver_due(self) -> None:
        """Delivers all that is due now, and returns when every attempt at it has ended. Raises ``StoreUnavailable``."""
        more = True
        while more:
            more = False
            async with asyncio.TaskGroup() as tasks:
                while await self.step(tasks):
                    more = True

    async def release(self) -> None:
        """What was cut off in the middle may be taken again at once. Raises ``StoreUnavailable``."""
        while self._cut_off:
            await self._outbox.release(self._app_id, self._cut_off[-1], now=self._clock())
            self._cut_off.pop()

    async def _attempt(self, entry: Entry) -> None:
        try:
            await self._deliver(entry)
        except asyncio.CancelledError:
            self._cut_off.append(entry)
            raise
        except StoreUnavailable:
            # It was delivered or not, and cannot be noted: its claim runs out, and it is tried again.
            log.warning("callback_not_noted", **self._where(entry))
        except Exception:
            # One bad entry must not hold up the others.
            log.exception("callback_failed", **self._where(entry))
            await self._give_up(entry)

    async def _give_up(self, entry: Entry) -> None:
        try:
            await self._outbox.failed(self._app_id, entry, "it cannot be put into words", (), now=self._clock())
        except StoreUnavailable:
            log.warning("callback_not_noted", **self._where(entry))
        self._metrics.callbacks.labels(entry.event, "dead").inc()

    async def _deliver(self, entry: Entry) -> None:
        url = self._target.urls.get(entry.event)
        if not url:
            # It was configured when it happened, and is not any more.
            await self._outbox.delivered(self._app_id, entry)
            self._metrics.callbacks.labels(entry.event, "skipped").inc()
            log.info("callback_skipped", **self._where(entry))
            return
        began = self._clock()
        body, headers = self._request(entry, began)
        where = {**self._where(entry), "receiver": urlsplit(url).hostname}
        try:
            status = await self._receiver.post(url, body, headers)
        except DeliveryFailed as failure:
            now = self._clock()
            self._metrics.callback_seconds.observe((now - began) / 1000)
            again = await self._outbox.failed(self._app_id, entry, str(failure), RETRY_DELAYS, now=now)
            self._metrics.callbacks.labels(entry.event, "failed").inc()
            self._metrics.callbacks.labels(entry.event, "retried" if again else "dead").inc()
            tell = log.info if again else log.warning
            tell(
                "callback_attempt_failed" if again else "callback_dead",
                status=failure.status, problem=str(failure), milliseconds=now - began, **where,
            )  # fmt: skip
            return
        now = self._clock()
        await self._outbox.delivered(self._app_id, entry)
        self._metrics.callbacks.labels(entry.event, "delivered").inc()
        self._metrics.callback_seconds.observe((now - began) / 1000)
        log.info("callback_delivered", status=status, milliseconds=now - began, **where)

    def _where(self, entry: Entry) -> dict[str, object]:
        """Log fields; no addresses (their paths may hold a secret), no signature."""
        return {
            "app_id": self._app_id,
            "room_id": entry.room_id,
            "callback": entry.event,
            "event_id": entry.event_id,
            "attempt": entry.failures + 1,
        }

    def _request(self, entry: Entry, now: int) -> tuple[bytes, dict[str, str]]:
        """Body and headers, signed for this attempt: a receiver may refuse old timestamps."""
        timestamp, nonce = now // 1000, str(self._rng.getrandbits(53))
        signature = sign_callback(self._target.secret, timestamp, nonce)
        fields = signed(fields_of(entry, self._app_id), timestamp=timestamp, nonce=nonce, signature=signature, numbers=self._target.numbers)
        headers = {
            "Content-Type": FORM if self._target.form else JSON,
            "User-Agent": "Hearth",
            "X-Hearth-Event-Id": entry.event_id,
            "X-Hearth-Attempt": str(entry.failures + 1),
        }
        return (form_body if self._target.form else json_body)(fields), headers


class CallbackDelivery:
    """The callbacks of all Apps of this node."""

    def __init__(
        self, outbox: Outbox, receiver: Receiver, *,
        apps: Callable[[], Sequence[App]], settings: CallbackSettings, clock: Clock, rng: random.Random, metrics: Metrics,
        sleep: Sleep = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._outbox = outbox
        self._receiver = receiver
        self._apps = apps
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._metrics = metrics
        self._sleep = sleep
        self._deliveries: dict[int, AppDelivery] = {}
        self._running: dict[AppDelivery, asyncio.Task[None]] = {}
        self._known: dict[int, CallbackTarget | None] = {}
        """What the store has been told of each App."""

    def changed(self, app_id: int) -> None:
        """Something in the App's rooms has changed, here."""
        delivery = self._deliveries.get(app_id)
        if delivery is not None:
            delivery.wake.set()

    def backlogs(self) -> dict[int, Backlog]:
        """By App, as it was at the last look."""
        return {app_id: delivery.backlog for app_id, delivery in self._deliveries.items()}

    async def configure(self) -> None:
        """Tells the store which Apps have callbacks, as they are configured now. Raises ``StoreUnavailable``."""
        wanted = {app.app_id: app.callbacks for app in self._apps()}
        for app_id in self._known.keys() - wanted.keys():
            wanted[app_id] = None
        for app_id, target in wanted.items():
            if app_id in self._known and self._known[app_id] == target and (target is None or app_id in self._deliveries):
                continue
            former = self._deliveries.pop(app_id, None)
            if former is not None:
                # Before the store is told: each of its looks would say again what is to be written. Attempts under way are cut off, and
                # made again to the new address.
                await self._stop(former)
            if target is None:
                await self._outbox.disable(app_id)
            else:
                delivery = AppDelivery(
                    app_id, target, outbox=self._outbox, receiver=self._receiver, settings=self._settings, clock=self._clock,
                    rng=self._rng, metrics=self._metrics,
                )  # fmt: skip
                delivery.backlog = await self._outbox.enable(app_id, [event for event in CallbackEvent if event in target.urls])
                self._deliveries[app_id] = delivery
            self._known[app_id] = target

    async def run(self) -> None:
        """Delivers until cancelled. Apps may change meanwhile."""
        self._running.clear()
        async with asyncio.TaskGroup() as tasks:
            while True:
                for delivery in self._deliveries.values():
                    if delivery not in self._running:
                        self._running[delivery] = tasks.create_task(delivery.run(self._sleep))
                await self._sleep(POLL_SECONDS)
                try:
                    await self.configure()
                except StoreUnavailable:
                    continue
                except Exception:
                    log.exception("callbacks_not_configured")

    async def _stop(self, delivery: AppDelivery) -> None:
        task = self._running.pop(delivery, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        # With the store away the claims run out by themselves.
        with contextlib.suppress(StoreUnavailable):
            await delivery.release()

    async def deliver_due(self) -> None:
        """Delivers all that is due now in all Apps. Raises ``StoreUnavailable``."""
        async with asyncio.TaskGroup() as tasks:
            for delivery in tuple(self._deliveries.values()):
                tasks.create_task(delivery.deliver_due())

    async def aclose(self) -> None:
        """A last try for what this node's end has brought about; the rest is for others, or for the next start."""
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                for delivery in self._deliveries.values():
                    await delivery.release()
                await self.deliver_due()
        except* (StoreUnavailable, TimeoutError):
            log.warning("callbacks_left_undelivered")


async def _ended(wait: Awaitable[object]) -> None:
    await wait
