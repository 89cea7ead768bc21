"""A browser and a mini-program in the same room."""

from __future__ import annotations

from asyncio import gather
from urllib.parse import urlsplit

from tests.e2e.users import PageMaker, PhoneMaker, unused_number
from tests.hearth_process import HearthProcess


async def test_browser_and_mini_program_share_a_room(hearth: HearthProcess, page: PageMaker, phone: PhoneMaker, room: str) -> None:
    (browser,) = await page(hearth, "browser")
    (mobile,) = await phone(hearth, "mobile")
    await gather(browser.login(room), mobile.login(room))
    await gather(browser.sees_user(room, mobile.user_id), mobile.sees_user(room, browser.user_id))

    from_browser, from_mobile = f"stream-{unused_number()}", f"stream-{unused_number()}"
    await gather(browser.publish_tone(from_browser, 660), mobile.publish(from_mobile))
    await gather(browser.sees_stream(room, from_mobile), mobile.sees_stream(room, from_browser))
    assert from_browser in urlsplit(await mobile.play_url(from_browser)).path

    await browser.call("sendBroadcastMessage", room, "from the browser")
    _, (message,) = await mobile.wait_event("IMRecvBroadcastMessage")
    assert (message["message"], message["fromUser"]["userID"]) == ("from the browser", browser.user_id)
    await mobile.call("sendCustomCommand", room, "from the mobile", [browser.user_id])
    _, sender, command = await browser.wait_event("IMRecvCustomCommand")
    assert (sender["userID"], command) == (mobile.user_id, "from the mobile")
    await browser.call("setRoomExtraInfo", room, "topic", "both")
    _, (info,) = await mobile.wait_event("roomExtraInfoUpdate")
    assert (info["key"], info["value"]) == ("topic", "both")

    await mobile.stop_publishing()
    await browser.sees_stream(room, from_mobile, "DELETE")
    await browser.logout(room)
    await gather(mobile.sees_stream(room, from_browser, "DELETE"), mobile.sees_user(room, browser.user_id, "DELETE"))
