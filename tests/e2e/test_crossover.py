"""A browser (web SDK 2.14.0) and a mini-program (2.11.0, ffmpeg in the place of its live-pusher and live-player) hear each other."""

from __future__ import annotations

from asyncio import gather

import pytest

from tests.e2e.miniprogram import PLAY_STARTED, PUSH_STARTED
from tests.e2e.server_api import act
from tests.e2e.users import PageMaker, PhoneMaker
from tests.ffmpeg import Pusher, probe, tone_played
from tests.hearth_process import HearthProcess
from tests.waiting import until

OF_PHONE, OF_BROWSER = 450, 650
"""Hz."""

# Media is the same on either store; test_rtmp.py has it on Redis.
pytestmark = pytest.mark.parametrize("store_url", ["memory"], indirect=True)


async def test_browser_and_mini_program_hear_each_other_and_silence_is_silence(
    hearth: HearthProcess, page: PageMaker, phone: PhoneMaker, room: str, stream: str
) -> None:
    (browser,) = await page(hearth, "browser")
    (mobile,) = await phone(hearth, "mobile")
    await gather(browser.login(room), mobile.login(room))
    from_browser, from_mobile = f"{stream}-browser", f"{stream}-mobile"

    async with Pusher(await mobile.start_pusher(from_mobile), OF_PHONE):
        await mobile.component_state(from_mobile, PUSH_STARTED)
        await mobile.publisher_state(from_mobile, "PUBLISHING")
        await gather(browser.sees_stream(room, from_mobile), browser.publish_tone(from_browser, OF_BROWSER))
        await mobile.sees_stream(room, from_browser)
        played = await mobile.play_url(from_browser)
        await browser.play(from_mobile)

        async def phone_hears(tone: int | None) -> bool:
            return await tone_played(played) == tone

        # Each end hears the other, and not itself.
        await gather(browser.heard_tone(from_mobile, OF_PHONE), until(lambda: phone_hears(OF_BROWSER), limit=60))
        await mobile.component_state(from_browser, PLAY_STARTED)
        await mobile.player_state(from_browser, "PLAYING")

        # A browser that has muted its microphone is silent at the phone, whose player goes on; the other direction is untouched.
        await browser.mute_microphone(from_browser, True)
        await until(lambda: phone_hears(None), limit=60)
        await browser.heard_tone(from_mobile, OF_PHONE)
        await browser.mute_microphone(from_browser, False)
        await until(lambda: phone_hears(OF_BROWSER), limit=60)

        # So is a stream that the operator has muted, in the room's rules.
        await act(hearth, "SetForbidStreamRule", RoomId=room, StreamId=from_mobile, DisableAudio=1)
        await browser.heard_silence(from_mobile)
        await act(hearth, "DelForbidStreamRule", RoomId=room, StreamId=from_mobile)
        await browser.heard_tone(from_mobile, OF_PHONE)

    # The phone's push has ended.
    await browser.heard_silence(from_mobile)


async def test_streams_that_an_sdk_lists_come_with_addresses_that_play(
    hearth: HearthProcess, page: PageMaker, phone: PhoneMaker, room: str, stream: str
) -> None:
    """``urlsFLV`` and ``urlsRTMP`` of ``roomStreamUpdate``: told of while in the room, and on entering it; good until the user leaves."""
    present, late = await page(hearth, "present", "late")
    (mobile,) = await phone(hearth, "mobile")
    await gather(present.login(room), mobile.login(room))
    async with Pusher(await mobile.start_pusher(stream), OF_PHONE):
        await mobile.component_state(stream, PUSH_STARTED)
        pushed = await present.sees_stream(room, stream)
        await late.login(room)
        listed = await late.sees_stream(room, stream)
        addresses = [entry[kind] for entry in (pushed, listed) for kind in ("urlsFLV", "urlsRTMP")]
        assert len(set(addresses)) == 4 and pushed["urlsHttpsFLV"] == ""  # a page that came without TLS
        assert await gather(*map(tone_played, addresses)) == [OF_PHONE] * 4
        await act(hearth, "KickoutUser", RoomId=room, UserId=[present.user_id])
        for address in (pushed["urlsFLV"], pushed["urlsRTMP"]):
            with pytest.raises(AssertionError):
                await probe(address)
        assert await tone_played(listed["urlsFLV"]) == OF_PHONE
