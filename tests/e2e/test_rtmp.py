"""Mini-program SDK 2.11.0 gives the addresses, ffmpeg and rtmpdump stand in for live-pusher and live-player on exactly those."""

from __future__ import annotations

from asyncio import gather
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect

from media.flv import TagKind, read_file
from tests.e2e.miniprogram import PLAY_STARTED, PUSH_STARTED
from tests.e2e.server_api import act, sequence
from tests.e2e.users import PhoneMaker, unused_number
from tests.ffmpeg import Player, Pusher, probe, tone_dumped, tone_played
from tests.hearth_process import HearthProcess


@pytest.fixture
def stream() -> str:
    return f"stream-{unused_number()}"


async def test_who_publishes_is_heard_until_kicked(hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str) -> None:
    alice, bob, carol = await phone(hearth, "alice", "bob", "carol")
    await gather(*(user.login(room) for user in (alice, bob, carol)))
    pushed = await alice.start_pusher(stream, streamParams="quality=low")
    async with Pusher(pushed, 450, rate=16_000) as pusher:  # as live-pusher records speech: 16 kHz, mono
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

        async with Player(urls[0]) as of_bob, Player(urls[1]) as of_carol:
            await act(hearth, "KickoutUser", RoomId=room, UserId=[bob.user_id])
            await of_bob.ended()
            assert await tone_played(urls[1]) == 450
            await act(hearth, "KickoutUser", RoomId=room, UserId=[alice.user_id])
            assert "kicked" in await pusher.ended()
            await of_carol.ended()
        await carol.sees_stream(room, stream, "DELETE")
    await alice.disconnected(room)


async def test_obs_publishes_into_a_room_by_the_operators_leave(hearth: HearthProcess, phone: PhoneMaker, room: str, stream: str) -> None:
    """Sound and pictures; played by a phone over RTMP, by a page as FLV over HTTP and WebSocket, and by who has the operator's leave."""
    (alice,) = await phone(hearth, "alice")
    await alice.login(room)
    asked = {"StreamId": stream, "Sequence": sequence()}
    obs = {"RoomId": room, "UserId": "obs", "UserName": "Stage 舞台"}
    (push,) = await act(hearth, "RTMPDispatchV2", Type="push", **asked, **obs)
    async with Pusher(push, 800, channels=2, rate=48_000, video=True) as pusher:
        seen = await alice.sees_stream(room, stream)
        assert seen["user"] == {"userID": "obs", "userName": "Stage 舞台"}
        url = await alice.play_url(stream)
        flv = hearth.url + "/live" + urlsplit(url).path + ".flv"
        (pull,) = await act(hearth, "RTMPDispatchV2", Type="pull", StreamId=stream, Sequence=sequence())
        assert await gather(tone_played(url), tone_played(flv), tone_played(pull)) == [800, 800, 800]
        assert await probe(url) == await probe(flv) == ["aac", "h264"]
        assert await _first_tags("ws" + flv.removeprefix("http")) >= {TagKind.AUDIO, TagKind.VIDEO, TagKind.DATA}
        for refused in (push.replace("sign=", "sign=0"), push.replace("push", "pull")):
            with pytest.raises(AssertionError, match=r"signature|no right"):
                await probe(refused)
        async with httpx.AsyncClient() as client:
            answer = await client.get(flv.replace(stream, "nothing"))
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (404, "*")
        await pusher.stop()
    await alice.sees_stream(room, stream, "DELETE")


async def _first_tags(url: str) -> set[TagKind]:
    """What kinds of tags come first on a WebSocket."""
    data = b""
    async with connect(url, proxy=None) as socket:
        while len(data) < 20_000:
            part = await socket.recv()
            assert isinstance(part, bytes)
            data += part
    return {tag.kind for tag in read_file(data)}
