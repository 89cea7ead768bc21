"""One room with an app of every generation: web 3.12.0, 2.14.0 and 1.4.0, mini-program 2.11.0 and 3.6.0 (ffmpeg sounds for the phones).

Each sees the others come, publish, speak and leave exactly once, and each hears each.
"""

from __future__ import annotations

from asyncio import gather
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from tests.e2e.browser import WebUser
from tests.e2e.miniprogram import PLAY_STARTED, PUSH_STARTED, MiniProgramUser
from tests.e2e.users import PageMaker, PhoneMaker, unused_number
from tests.ffmpeg import Pusher, tone_played
from tests.hearth_process import HearthProcess
from tests.waiting import until

pytestmark = pytest.mark.parametrize("store_url", ["memory"], indirect=True)

User = WebUser | MiniProgramUser


async def publish(user: User, stream: str, tone: int, running: AsyncExitStack) -> None:
    if isinstance(user, WebUser):
        await user.publish_tone(stream, tone)
        return
    await running.enter_async_context(Pusher(await user.start_pusher(stream), tone))
    await user.component_state(stream, PUSH_STARTED)
    await user.publisher_state(stream, "PUBLISHING")


async def hears(user: User, stream: str, tone: int) -> None:
    if isinstance(user, WebUser):
        await user.play(stream)
        await user.heard_tone(stream, tone)
        await user.stop_playing(stream)
        return
    url = await user.play_url(stream)

    async def plays() -> bool:
        return await tone_played(url) == tone

    await until(plays, 60, f"{user.name} plays {tone} Hz")
    await user.component_state(stream, PLAY_STARTED)
    await user.player_state(stream, "PLAYING")
    await user.stop_player(stream)


def heard_by(user: User) -> Counter[str]:
    """The texts of the broadcasts so far."""
    return Counter(message["message"] for _, messages in user.history("IMRecvBroadcastMessage") for message in messages)


async def test_every_generation_sees_and_hears_every_other(hearth: HearthProcess, page: PageMaker, phone: PhoneMaker, room: str) -> None:
    webs = await page(hearth, "newest", "middle", "first", version=("3.12.0", "2.14.0", "1.4.0"))
    phones = [*await phone(hearth, "old", version="2.11.0"), *await phone(hearth, "new", version="3.6.0")]
    # 1.4.0 tells of streams only if there was one when it came: so it comes last, and somebody is on the air by then.
    everybody: list[User] = [webs[0], webs[1], *phones, webs[2]]
    streams = {user.name: f"stream-{unused_number()}" for user in everybody}
    tones = {user.name: 450 + 150 * number for number, user in enumerate(everybody)}
    async with AsyncExitStack() as running:
        for user in everybody:
            await user.login(room)
            await publish(user, streams[user.name], tones[user.name], running)
        pairs = [(user, other) for user in everybody for other in everybody if other is not user]
        for user, other in pairs:
            await user.sees_user(room, other.user_id)
            await user.sees_stream(room, streams[other.name])
        # In rounds, in each of which everybody listens to one: all at once is more than a small machine has time for.
        for distance in range(1, len(everybody)):
            round = [(user, everybody[(number + distance) % len(everybody)]) for number, user in enumerate(everybody)]
            await gather(*(hears(user, streams[other.name], tones[other.name]) for user, other in round))

        for user in everybody:
            await user.call("sendBroadcastMessage", room, f"from {user.name}")
        for user in everybody:
            # An SDK may tell of several at once.
            await user.until(lambda user=user: heard_by(user).total() >= len(everybody) - 1, "everybody's message")  # type: ignore[misc]
        for user in everybody:
            assert heard_by(user) == Counter(f"from {other.name}" for other in everybody if other is not user)

        staying = list(everybody)
        while len(staying) > 1:
            leaving = staying.pop()
            await leaving.logout(room)
            for user in staying:
                await user.sees_stream(room, streams[leaving.name], "DELETE")
                await user.sees_user(room, leaving.user_id, "DELETE")
    for number, user in enumerate(everybody):
        for other_number, other in enumerate(everybody):
            if other is not user:
                left = ["DELETE"] if other_number > number else []
                assert user.user_changes(other.user_id) == ["ADD", *left], (user.name, other.name)
                assert user.stream_changes(streams[other.name]) == ["ADD", *left], (user.name, other.name)
