"""A call under way: one publishes, the others listen."""

from __future__ import annotations

from asyncio import gather

from tests.e2e.browser import WebUser

LONGEST_GAP = 1000
"""Milliseconds of a stream's sound that may be missing while a socket is cut and resumed. What Chromium had to invent is counted in
samples, so that a page that is slow to look does not count; media itself knows nothing of sockets, and the rest is the machine's."""


async def on_the_air(room: str, publisher: WebUser, stream: str, tone: int, *listeners: WebUser) -> None:
    """Everybody in the room, the publisher publishing, the listeners hearing it."""
    await gather(*(user.login(room) for user in (publisher, *listeners)))
    await publisher.publish_tone(stream, tone)
    await gather(*(tune_in(room, listener, stream, tone) for listener in listeners))


async def tune_in(room: str, listener: WebUser, stream: str, tone: int) -> None:
    """Somebody in the room learns of the stream, plays it and hears its tone."""
    await listener.sees_stream(room, stream)
    await listener.play(stream)
    await listener.heard_tone(stream, tone)
