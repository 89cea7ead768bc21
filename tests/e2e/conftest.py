"""What the end-to-end tests share: servers, the Node processes that host the SDKs, users with names of their own, and the trace.

One server per store, one Node process for all mini-program users and one Chromium serve the whole run; a test has rooms and users that
no other test uses. ``HEARTH_E2E_TRACE=directory`` writes the trace of every test there: calls, events and frames in order. A failing
test shows its trace in any case. ``HEARTH_E2E_SDK_LOG=1`` puts the mini-program SDK's own log into it.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import re
import ssl
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.dev_tls import ensure_development_tls
from tests.e2e.browser import MICROPHONE_TONE, find_chromium, write_tone
from tests.e2e.miniprogram import REFERENCE
from tests.e2e.packages import install_packages
from tests.e2e.redis_process import RedisProcess, database
from tests.e2e.remote import HERE, TRACE, Remote
from tests.e2e.users import PageMaker, PhoneMaker, unused_number
from tests.hearth_process import HearthProcess

SHORT_STORE = {"grace_seconds": 3, "session_timeout_seconds": 12, "reservation_seconds": 8}
"""Deadlines short enough to be waited for. A reservation outlives a browser's way to its media session, a session three heartbeats."""


NO_RATES = {"rates": {"CloseRoom": 0, "DescribeUserNum": 0}, "room_rates": {"DescribeSimpleStreamList": 0}}
"""Of the server API: tests close rooms in quick succession."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here run on one event loop: the SDK processes and the servers live longer than a test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker(pytest.mark.timeout(180))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and HERE in item.path.parents:
        report.sections.append(("What the SDKs saw", TRACE.text()))
    return report


@pytest.fixture(autouse=True)
def _trace(request: pytest.FixtureRequest) -> Iterator[None]:
    TRACE.clear()
    yield
    if directory := os.environ.get("HEARTH_E2E_TRACE"):
        path = Path(directory)
        path.mkdir(parents=True, exist_ok=True)
        (path / (re.sub(r"[^\w.-]+", "_", request.node.name) + ".log")).write_text(TRACE.text(), encoding="utf-8")


# --- what has to be there


@pytest.fixture(scope="session")
def packages() -> None:
    """The npm packages of these tests, the official SDKs among them."""
    install_packages(HERE)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RedisProcess]:
    process = await asyncio.to_thread(RedisProcess.start, tmp_path_factory.mktemp("redis"))
    yield process
    await asyncio.to_thread(process.stop)


@pytest.fixture(scope="session", params=["memory", "redis"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The two kinds of store."""
    if request.param == "memory":
        return "memory://"
    process = request.getfixturevalue("redis")
    assert isinstance(process, RedisProcess)
    return process.url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hearth(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HearthProcess]:
    """A server with ordinary settings, on either store."""
    server = await HearthProcess.astart(
        tmp_path_factory.mktemp("hearth"), store_url=database(store_url, 0), sections={"cloud_api": NO_RATES}
    )
    yield server
    await asyncio.to_thread(server.__exit__, None, None, None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def impatient_hearth(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HearthProcess]:
    """A server whose deadlines are short (``SHORT_STORE``), on either store."""
    directory = tmp_path_factory.mktemp("impatient")
    server = await HearthProcess.astart(directory, store_url=database(store_url, 1), sections={"store": SHORT_STORE, "cloud_api": NO_RATES})
    yield server
    await asyncio.to_thread(server.__exit__, None, None, None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def phones(packages: None) -> AsyncIterator[Remote]:
    """The process that hosts mini-program users."""
    remote = await Remote.start("miniprogram.js")
    yield remote
    await remote.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(packages: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Remote]:
    """The browser that hosts web users; its microphone hears ``MICROPHONE_TONE``."""
    microphone = tmp_path_factory.mktemp("microphone") / "tone.wav"
    write_tone(microphone, MICROPHONE_TONE)
    remote = await Remote.start("browser.js")
    await remote.call("launch", executable=find_chromium(), microphone=str(microphone))
    yield remote
    await remote.aclose()


# --- who takes part


@pytest.fixture
def room() -> str:
    """A room that no other test uses."""
    return f"room-{unused_number()}"


@pytest.fixture
def stream() -> str:
    """A stream id that no other test uses."""
    return f"stream-{unused_number()}"


@pytest.fixture
def phone_version() -> str:
    """Mini-program SDK of ``phone``; stories that are the same for several versions are parametrized with it."""
    return REFERENCE


@pytest_asyncio.fixture(loop_scope="session")
async def phone(phones: Remote, link_tls: ssl.SSLContext, phone_version: str) -> AsyncIterator[PhoneMaker]:
    maker = PhoneMaker(phones, link_tls, phone_version)
    yield maker
    await maker.aclose()


@pytest.fixture(scope="session")
def link_tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """What a TLS proxy in front of the server has. Chromium and the phones are told to take any certificate."""
    files = ensure_development_tls(tmp_path_factory.mktemp("tls"), datetime.datetime.now(datetime.UTC))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    return context


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Remote, link_tls: ssl.SSLContext) -> AsyncIterator[PageMaker]:
    maker = PageMaker(chromium, link_tls)
    yield maker
    await maker.aclose()
