"""``loudest = 1``: of the people who talk in a room at one time, browsers tell the node how loud each is, and one is forwarded."""

from __future__ import annotations

from asyncio import gather
from pathlib import Path

from tests.e2e.browser import WebUser
from tests.e2e.users import PageMaker
from tests.hearth_process import HearthProcess, default_app


async def test_only_the_loudest_is_heard_and_a_louder_one_takes_over(tmp_path: Path, page: PageMaker, room: str, stream: str) -> None:
    """A player of a stream that is held back has a pause, no error; it is heard again when the louder one has gone."""
    quiet, middle, loud = (f"{stream}-{name}" for name in ("quiet", "middle", "loud"))
    with await HearthProcess.astart(tmp_path, apps=[{**default_app(), "loudest": 1}]) as hearth:
        alice, bob, carol = await page(hearth, "alice", "bob", "carol", version=("2.14.0", "2.26.2", "3.12.0"))
        await gather(*(user.login(room) for user in (alice, bob, carol)))

        async def joins(publisher: WebUser, name: str, tone: int, amplitude: float) -> None:
            await publisher.publish_tone(name, tone, amplitude)
            await alice.sees_stream(room, name)
            await alice.play(name)
            await alice.heard_tone(name, tone)

        await joins(bob, quiet, 660, 0.02)
        await joins(carol, middle, 880, 0.1)
        await alice.heard_silence(quiet)
        await joins(bob, loud, 990, 0.5)
        await gather(alice.heard_silence(middle), alice.heard_silence(quiet))
        await bob.stop_publishing(loud)
        await alice.heard_tone(middle, 880)
        await alice.heard_silence(quiet)
        assert {state["errorCode"] for (state,) in alice.history("playerStateUpdate")} == {0}
