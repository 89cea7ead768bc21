"""A node with rooms and callbacks, its clock in the test's hands; nothing is delivered before the test says so."""

from __future__ import annotations

import random
from collections.abc import Mapping

from auth import AppKeys
from calls.apps import App, CallbackTarget
from rooms.outbox import Outbox
from rooms.service import RoomService
from server.callbacks.delivery import CallbackDelivery
from server.callbacks.receiver import HttpReceiver, Receiver
from server.metrics import Metrics
from server.settings import CallbackSettings
from tests.integration.rooms.house import APP, House, dormant

SECRET = "fedcba9876543210fedcba9876543210"


def app(urls: Mapping[str, str], app_id: int = APP, *, form: bool = False, numbers: bool = False) -> App:
    keys = AppKeys(app_id=app_id, server_secrets=("0" * 32,))
    return App(app_id=app_id, keys=keys, callbacks=CallbackTarget(SECRET, dict(urls), form=form, numbers=numbers) if urls else None)


class Scripted:
    """A receiver that answers as the test says, without a network."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, bytes, Mapping[str, str]]] = []

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.posts.append((url, body, headers))
        return 200


class CallbackNode:
    def __init__(self, rooms: RoomService, outbox: Outbox, delivery: CallbackDelivery, metrics: Metrics) -> None:
        self.rooms = rooms
        self.outbox = outbox
        self.delivery = delivery
        self.metrics = metrics

    def figure(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0


class CallbackHouse(House):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.apps: list[App] = []
        self.receivers: list[HttpReceiver] = []

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        for receiver in self.receivers:
            await receiver.aclose()

    async def callback_node(
        self, name: str = "n1", *, receiver: Receiver | None = None, private_allowed: bool = True, **settings: float
    ) -> CallbackNode:
        """Callbacks go to the App's URL, over HTTP unless ``receiver`` says otherwise."""
        rooms = await self.node(name)
        bounds = CallbackSettings.model_validate({"timeout_seconds": 20, **settings})
        outbox = Outbox(self.store_of(rooms), most_entries=bounds.outbox_events, most_dead=bounds.dead_letters)
        if receiver is None:
            own = HttpReceiver(timeout=bounds.timeout_seconds, private_allowed=private_allowed)
            self.receivers.append(own)
            receiver = own
        metrics = Metrics()
        delivery = CallbackDelivery(
            outbox, receiver, apps=lambda: self.apps, settings=bounds, clock=self.clock, rng=random.Random(len(name)), metrics=metrics,
            sleep=dormant,
        )  # fmt: skip
        rooms.when_changed(delivery.changed)
        await delivery.configure()
        return CallbackNode(rooms, outbox, delivery, metrics)
