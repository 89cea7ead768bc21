"""The demo page: what a newcomer does first."""

from __future__ import annotations

import asyncio
from asyncio import gather
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e import commands
from tests.e2e.browser import find_chromium
from tests.e2e.demo_page import DemoTab
from tests.e2e.link import Link
from tests.e2e.remote import Remote
from tests.e2e.users import unused_number
from tests.hearth_process import HearthProcess
from tests.ports import free_port

REFUSED = 0
TONE_OF_ADA, TONE_OF_BEN = 520, 910

Tabs = Callable[..., Awaitable[DemoTab]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(packages: None) -> AsyncIterator[Remote]:
    remote = await Remote.start("demo.js")
    await remote.call("launch", executable=find_chromium())
    yield remote
    await remote.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser: Remote, room: str) -> AsyncIterator[Tabs]:
    """``ada = await tab(url, "ada", microphone=520)``: a tab of the demo at the test's room, not joined yet."""
    opened: list[DemoTab] = []

    async def open_tab(base_url: str, name: str, *, microphone: int) -> DemoTab:
        new = DemoTab(browser, f"{name}{unused_number()}")
        await new.open(base_url, room, microphone=microphone)
        opened.append(new)
        return new

    yield open_tab
    await gather(*(each.close() for each in opened))


async def talking(tab: Tabs, url_of_ada: str, url_of_ben: str) -> tuple[DemoTab, DemoTab]:
    """Two tabs whose people hear each other."""
    ada = await tab(url_of_ada, "ada", microphone=TONE_OF_ADA)
    ben = await tab(url_of_ben, "ben", microphone=TONE_OF_BEN)
    await ada.click("#join")
    await ada.sees_people(**{ada.name: "on air"})
    await ben.click("#join")
    await gather(hear_each_other(ada, ben))
    return ada, ben


async def hear_each_other(ada: DemoTab, ben: DemoTab) -> None:
    both = {ada.name: "on air", ben.name: "on air"}
    await gather(ada.sees_people(**both), ben.sees_people(**both))
    await gather(ada.hears(ben.name, TONE_OF_BEN), ben.hears(ada.name, TONE_OF_ADA))


async def test_two_tabs_hear_each_other_mute_chat_and_leave(hearth: HearthProcess, tab: Tabs) -> None:
    ada, ben = await talking(tab, hearth.url, hearth.url)
    await gather(ada.sees_level(ben.name), ben.sees_level(ada.name), ben.sees_level(ben.name))

    await ada.write("<b>hello</b> 你好")
    await gather(ben.reads(ada.name, "<b>hello</b> 你好"), ada.reads(ada.name, "<b>hello</b> 你好"))

    await ada.click("#mic")
    await gather(ben.sees_people(**{ada.name: "muted", ben.name: "on air"}), ben.hears_nothing_from(ada.name))
    await ada.click("#mic")
    await hear_each_other(ada, ben)

    await ada.click("#leave")
    await ben.sees_people(**{ben.name: "on air"})
    assert (await ada.seen())["view"] == "join"
    assert ada.complaints == []
    assert ben.complaints == []


async def test_who_refuses_the_microphone_is_told_and_hears_the_others(hearth: HearthProcess, tab: Tabs) -> None:
    ada = await tab(hearth.url, "ada", microphone=TONE_OF_ADA)
    shy = await tab(hearth.url, "shy", microphone=REFUSED)
    await gather(ada.click("#join"), shy.click("#join"))
    await shy.sees_alert("microphone")
    await gather(shy.hears(ada.name, TONE_OF_ADA), ada.sees_people(**{ada.name: "on air", shy.name: "listening"}))


async def test_who_is_kicked_is_told_why_and_may_come_back(hearth: HearthProcess, tab: Tabs, room: str) -> None:
    ada = await tab(hearth.url, "ada", microphone=TONE_OF_ADA)
    await ada.click("#join")
    await ada.sees_people(**{ada.name: "on air"})
    (me,) = (await ada.seen())["people"]
    await commands.kick(hearth, room, me["userId"], "Too loud.")
    await ada.sees_alert("Too loud.")
    assert (await ada.seen())["view"] == "join"
    await ada.click("#join")
    await ada.sees_people(**{ada.name: "on air"})


async def test_closed_tab_is_gone_at_once(hearth: HearthProcess, tab: Tabs, browser: Remote, room: str) -> None:
    ada = await tab(hearth.url, "ada", microphone=TONE_OF_ADA)
    gone = DemoTab(browser, f"gone{unused_number()}")
    await gone.open(hearth.url, room, microphone=TONE_OF_BEN)
    await ada.click("#join")
    await gone.click("#join")
    await ada.hears(gone.name, TONE_OF_BEN)
    await gone.close()
    await ada.sees_people(**{ada.name: "on air"})


async def test_page_comes_back_after_its_connections_broke(hearth: HearthProcess, tab: Tabs) -> None:
    async with Link("127.0.0.1", hearth.port) as link:
        ada, ben = await talking(tab, link.url("").replace("ws:", "http:"), hearth.url)
        link.cut(stay_down=True)
        await ada.sees_status("reconnecting")
        link.restore()
        await ada.sees_status("connected")
        await hear_each_other(ada, ben)
        await ben.write("still there?")
        await ada.reads(ben.name, "still there?")


@pytest.mark.usefixtures("browser")
async def test_page_comes_back_after_the_server_was_restarted(tab: Tabs, tmp_path: Path) -> None:
    same_port = {"server": {"port": free_port()}}
    server = await HearthProcess.astart(tmp_path, sections=same_port)
    try:
        ada, ben = await talking(tab, server.url, server.url)
        await asyncio.to_thread(server.kill)
        await gather(ada.sees_status("reconnecting"), ben.sees_status("reconnecting"))
        server = await HearthProcess.astart(tmp_path, sections=same_port)
        await gather(ada.sees_status("connected"), ben.sees_status("connected"))
        await hear_each_other(ada, ben)
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)
