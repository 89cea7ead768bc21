"""Mini-program SDK 2.11.0 gives the addresses, ffmpeg and rtmpdump stand in for live-pusher and live-player on exactly those."""

from __future__ import annotations

from asyncio import gather

import pytest

from tests.e2e.miniprogram import PLAY_STARTED, PUSH_STARTED
from tests.e2e.server_api import act
from tests.e2e.users import PhoneMaker, unused_number
from tests.ffmpeg import Pusher, probe, tone_dumped, tone_played
from tests.hearth_process import HearthProcess


@pytest.fixture
def stream() -> str:
    return f"stream-{unused_number()}"


async def test_who_publishes_is_heard_until_kicked(hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str) -> None:
    alice, bob, carol = await phone(hearth, "alice", "bob", "carol")
    await gather(*(user.login(room) for user in (alice, bob, carol)))
    pushed = await alice.start_pusher(stream, streamParams="quality=low")
    async with Pusher(pushed, 450) as pusher:
        await alice.component_state(stream, PUSH_STARTED)
        await alice.publisher_state(stream, "PUBLISHING")
        await gather(bob.sees_stream(room, stream), carol.sees_stream(room, stream))

        urls = [await bob.play_url(stream), await carol.play_url(stream)]
        assert await gather(tone_played(urls[0]), tone_dumped(urls[1])) == [450, 450]
        await bob.component_state(stream, PLAY_STARTED)
        await bob.player_state(stream, "PLAYING")

        async with Pusher(pushed, 600) as copy:
            assert "being published" in await copy.ended()
        app, key = f"/{hearth.app_id}/", urls[0].split("/")[4]
        other_key = "0" * 32 + "." + key.partition(".")[2]
        for forged in (urls[0].replace(key, other_key), urls[0].replace(key, key[:-1]), urls[0].replace(app, "/1/")):
            with pytest.raises(AssertionError, match=r"no right to this stream|no such App"):
                await probe(forged)

        await act(hearth, "KickoutUser", RoomId=room, UserId=[alice.user_id])
        assert "kicked" in await pusher.ended()
        await gather(bob.sees_stream(room, stream, "DELETE"), carol.sees_stream(room, stream, "DELETE"))
    assert alice.states()[-1] == "DISCONNECTED"
