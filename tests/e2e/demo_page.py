"""A tab with ``/demo`` and a person in front of it, hosted by ``node/demo.js``."""

from __future__ import annotations

from tests.e2e.remote import LIMIT, Json, Recorder, Remote
from tests.waiting import until

AUDIBLE_DB = -60
SILENT_DB = -75
TONE_TOLERANCE = 12
"""Hz."""


class DemoTab(Recorder):
    """``name`` is both the test's name for the tab and what the person writes under "Your name"."""

    def __init__(self, remote: Remote, name: str) -> None:
        super().__init__(name)
        self._remote = remote

    async def open(self, base_url: str, room: str, *, microphone: int) -> None:
        """``microphone``: the tone (Hz) that it hears; 0 = the person refuses it."""
        self._remote.add(self)
        await self._remote.call("open", user=self.name, url=f"{base_url}/demo?name={self.name}&room={room}", microphone=microphone)

    async def click(self, selector: str) -> None:
        await self._remote.call("click", user=self.name, selector=selector)

    async def write(self, text: str) -> None:
        """Says something in the chat."""
        await self._remote.call("type", user=self.name, selector="#line", text=text)

    async def seen(self) -> Json:
        return await self._remote.call("seen", user=self.name)

    async def sees_status(self, status: str) -> None:
        async def look() -> bool:
            return bool((await self.seen())["status"] == status)

        await until(look, LIMIT, f"{self.name} sees the status {status}")

    async def sees_people(self, **people: str) -> None:
        """Waits until exactly these are listed, each doing this: ``listening``, ``on air`` or ``muted``."""
        last: Json = None

        async def look() -> bool:
            nonlocal last
            last = {person["name"]: person["doing"] for person in (await self.seen())["people"]}
            return bool(last == people)

        try:
            await until(look, LIMIT)
        except AssertionError:
            raise AssertionError(f"{self.name} sees {last}, not {people}") from None

    async def sees_alert(self, part: str) -> None:
        async def look() -> bool:
            return part in (await self.seen())["alert"]

        await until(look, LIMIT, f"{self.name} reads an alert with {part!r}")

    async def sees_level(self, name: str) -> None:
        """Waits until this person's meter moves."""

        async def look() -> bool:
            return any(person["name"] == name and person["level"] > 0.3 for person in (await self.seen())["people"])

        await until(look, LIMIT, f"{self.name} sees the meter of {name} move")

    async def reads(self, name: str, text: str) -> None:
        async def look() -> bool:
            return [name, text] in (await self.seen())["chat"]

        await until(look, LIMIT, f"{self.name} reads {text!r} from {name}")

    async def hears(self, name: str, frequency: int) -> None:
        """Waits until this tone is the loudest thing that comes from this person."""

        async def listen() -> bool:
            heard = await self._remote.call("heard", user=self.name, name=name)
            return bool(heard["level"] > AUDIBLE_DB and abs(heard["frequency"] - frequency) < TONE_TOLERANCE)

        await until(listen, LIMIT, f"{self.name} hears {frequency} Hz from {name}")

    async def hears_nothing_from(self, name: str) -> None:
        async def listen() -> bool:
            return bool((await self._remote.call("heard", user=self.name, name=name))["level"] < SILENT_DB)

        await until(listen, LIMIT, f"{self.name} hears nothing from {name}")

    @property
    def complaints(self) -> list[str]:
        """Errors of the page and of the browser about it (a violated Content-Security-Policy, say)."""
        return [str(args) for args in self.history("pageError")] + [str(args) for args in self.history("console") if args[0] == "error"]

    async def close(self) -> None:
        await self._remote.call("close", user=self.name)
