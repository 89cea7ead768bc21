"""What web SDK 2.14.0 makes of each way in which the server ends or refuses media (``signaling/media_json/errors.py``).

The server runs in the test's own process: most of these ends are accidents that nobody can order from outside.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from asyncio import gather
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from auth import AppKeys, TokenExpired, TokenKind, issue_token
from calls.media_session import MediaEnd, MediaRole, MediaSession
from media.errors import MediaFull
from media.sfu import Lost
from rooms.errors import StreamTaken
from server.app import Hearth, create_app
from server.settings import Settings
from tests.e2e.browser import REFERENCE, WebUser
from tests.e2e.on_the_air import on_the_air, tune_in
from tests.e2e.users import PageMaker
from tests.e2e.versions import WHOLE_CALL
from tests.hearth_process import APP_ID, SERVER_SECRET
from tests.waiting import until

FORBIDDEN_BY_MEDIA_SERVER = 1003025
TOKEN_EXPIRED = 1102018

TONE = 660


class Inside:
    """A server of which the test holds the parts."""

    app_id = APP_ID

    def __init__(self, hearth: Hearth, port: int) -> None:
        self.hearth = hearth
        self.port = port
        self._keys = AppKeys(APP_ID, (SERVER_SECRET,))

    def token(self, user_id: str) -> str:
        return issue_token(TokenKind.TOKEN04, keys=self._keys, user_id=user_id, now=self.hearth.clock() // 1000, ttl=3600)

    def media_of(self, user: WebUser, role: MediaRole) -> MediaSession:
        """The user's only media session of this kind."""
        (found,) = [m for m in self.hearth.calls._live.all() if m.owner.user_id == user.user_id and m.role is role]
        return found

    def has_media(self, user: WebUser) -> bool:
        return any(media.owner.user_id == user.user_id and media.connected for media in self.hearth.calls._live.all())


@contextlib.asynccontextmanager
async def running(*, patient: bool) -> AsyncIterator[Inside]:
    """``patient``: an SDK that is on its way back is not given up, however busy the machine is. Otherwise deadlines are short enough to be
    waited for."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    settings = Settings.model_validate(
        {
            "server": {"host": "127.0.0.1", "port": port, "development": True},
            "store": {"grace_seconds": 60 if patient else 3},
            "media": {"udp_port": 0, "stun_delay_ms": 500, "turn": {"port": 0}, "publisher_grace_seconds": 60 if patient else 4},
            "rtmp": {"port": 0},
            "apps": [{"app_id": APP_ID, "server_secrets": [SERVER_SECRET]}],
        }
    )
    app = create_app(settings, port=port)
    hearth: Hearth = app.state.hearth
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", ws="websockets-sansio", log_config=None, timeout_graceful_shutdown=2))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    async with hearth.running():
        serving = asyncio.create_task(server.serve([listener]))
        await until(lambda: server.started)
        yield Inside(hearth, port)
        server.should_exit = True
        await serving


@pytest_asyncio.fixture(loop_scope="session")
async def inside() -> AsyncIterator[Inside]:
    async with running(patient=True) as inside:
        yield inside


@pytest_asyncio.fixture(loop_scope="session")
async def impatient() -> AsyncIterator[Inside]:
    async with running(patient=False) as inside:
        yield inside


async def heard(inside: Inside, page: PageMaker, room: str, stream: str, version: str = REFERENCE) -> tuple[WebUser, WebUser]:
    """bob publishes a tone, alice hears it."""
    alice, bob = await page(inside, "alice", "bob", version=version)  # type: ignore[arg-type]
    await on_the_air(room, bob, stream, TONE, alice)
    return alice, bob


def full(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From now on the node takes no publisher; the list grows with each that asks."""
    asked: list[int] = []

    async def refuse(media_session_id: int, *_: Any, **__: Any) -> None:
        asked.append(media_session_id)
        raise MediaFull("no room for another stream")

    monkeypatch.setattr(inside.hearth.sfu, "open_publisher", refuse)
    return asked


@pytest.mark.parametrize(("refusal", "code"), [(StreamTaken("taken"), FORBIDDEN_BY_MEDIA_SERVER), (TokenExpired("expired"), TOKEN_EXPIRED)])
async def test_a_publisher_refused_by_the_media_server_is_told_for_good_and_asks_once(
    inside: Inside, page: PageMaker, room: str, stream: str, monkeypatch: pytest.MonkeyPatch, refusal: Exception, code: int
) -> None:
    async def refuse(*_: Any) -> None:
        raise refusal

    monkeypatch.setattr(inside.hearth.calls, "open_publisher", refuse)
    (bob,) = await page(inside, "bob")  # type: ignore[arg-type]
    await bob.login(room)
    await bob.start_publishing_tone(stream, TONE)
    refused = await bob.publisher_state(stream, "NO_PUBLISH")
    assert refused["errorCode"] == code
    assert len(bob.sent("CreateSessionWithSdpReq")) == 1
    # The page is well: once it may, it publishes.
    monkeypatch.undo()
    await bob.publish_tone(stream, TONE)


async def test_a_stream_taken_off_the_air_by_the_operator_stays_off(inside: Inside, page: PageMaker, room: str, stream: str) -> None:
    alice, bob = await heard(inside, page, room, stream)
    await inside.hearth.rooms.remove_stream(APP_ID, stream)
    refused = await bob.publisher_state(stream, "NO_PUBLISH")
    assert refused["errorCode"] == FORBIDDEN_BY_MEDIA_SERVER
    await gather(alice.sees_stream(room, stream, "DELETE"), alice.heard_silence(stream))
    assert len(bob.sent("CreateSessionWithSdpReq")) == 1


async def test_lost_media_of_a_publisher_comes_back_by_itself_and_nobody_sees_it(
    inside: Inside, page: PageMaker, room: str, stream: str
) -> None:
    alice, bob = await heard(inside, page, room, stream)
    lost = inside.media_of(bob, MediaRole.PUBLISHER).media_session_id
    inside.hearth.sfu.close(lost)
    inside.hearth.calls.media_lost(lost, Lost.IDLE.value)
    await alice.heard_silence(stream)
    await alice.heard_tone(stream, TONE)
    assert inside.media_of(bob, MediaRole.PUBLISHER).media_session_id != lost
    assert alice.stream_changes(stream) == ["ADD"]
    # The player stayed what it was.
    assert len(alice.sent("CreateSessionWithSdpReq")) == 1


async def test_lost_media_of_a_player_comes_back_by_itself(inside: Inside, page: PageMaker, room: str, stream: str) -> None:
    alice, _ = await heard(inside, page, room, stream)
    lost = inside.media_of(alice, MediaRole.PLAYER).media_session_id
    inside.hearth.sfu.close(lost)
    inside.hearth.calls.media_lost(lost, Lost.IDLE.value)
    await until(lambda: inside.has_media(alice), limit=40)
    assert len(alice.sent("CreateSessionWithSdpReq")) == 2


@pytest.mark.parametrize("reason", [MediaEnd.STREAM_MOVED, MediaEnd.NODE_STOPPED])
async def test_a_player_that_is_sent_away_asks_the_room_for_the_address_again(
    inside: Inside, page: PageMaker, room: str, stream: str, reason: MediaEnd
) -> None:
    alice, _ = await heard(inside, page, room, stream)
    asked = len(alice.sent("webrtc_url"))
    inside.hearth.calls._live.end(inside.media_of(alice, MediaRole.PLAYER), reason)
    await until(lambda: inside.has_media(alice), limit=40)
    assert len(alice.sent("webrtc_url")) == asked + 1


async def test_a_publisher_that_is_sent_away_asks_the_room_and_publishes_again(
    inside: Inside, page: PageMaker, room: str, stream: str
) -> None:
    alice, bob = await heard(inside, page, room, stream)
    asked = len(bob.sent("webrtc_url"))
    inside.hearth.calls._live.end(inside.media_of(bob, MediaRole.PUBLISHER), MediaEnd.NODE_STOPPED)
    await until(lambda: inside.has_media(bob), limit=40)
    await alice.heard_tone(stream, TONE)
    assert len(bob.sent("webrtc_url")) == asked + 1
    assert alice.stream_changes(stream) == ["ADD"]


async def test_a_session_that_is_not_here_any_more_when_the_socket_is_back_is_opened_again(
    inside: Inside, page: PageMaker, room: str, stream: str
) -> None:
    alice, bob = await heard(inside, page, room, stream)
    bob.link.cut("/media", stay_down=True)
    await until(lambda: inside.media_of(bob, MediaRole.PUBLISHER).login is None)
    inside.hearth.calls._live.end(inside.media_of(bob, MediaRole.PUBLISHER), MediaEnd.CLOSED)
    bob.link.restore()
    await bob.wait_frame("received", "SessionResetPush")
    await until(lambda: inside.has_media(bob), limit=40)
    await alice.heard_tone(stream, TONE)
    assert alice.stream_changes(stream) == ["ADD"]


async def test_who_was_away_longer_than_the_grace_comes_back_with_its_stream(
    impatient: Inside, page: PageMaker, room: str, stream: str
) -> None:
    alice, bob = await heard(impatient, page, room, stream)
    bob.link.cut("/", stay_down=True)
    await alice.sees_user(room, bob.user_id, "DELETE")
    await alice.sees_stream(room, stream, "DELETE")
    bob.link.restore()
    await until(lambda: impatient.has_media(bob), limit=60)
    await until(lambda: alice.stream_changes(stream) == ["ADD", "DELETE", "ADD"], limit=60)
    await alice.heard_tone(stream, TONE)


@pytest.mark.parametrize("version", WHOLE_CALL)
async def test_a_stream_ends_with_its_media_and_comes_back_with_it(
    impatient: Inside, page: PageMaker, room: str, stream: str, version: str
) -> None:
    """The publisher's room socket is well all the time; its media dies, and finds no way back for longer than the grace."""
    alice, bob = await heard(impatient, page, room, stream, version)
    bob.link.cut("/media", stay_down=True)
    lost = impatient.media_of(bob, MediaRole.PUBLISHER).media_session_id
    impatient.hearth.sfu.close(lost)
    impatient.hearth.calls.media_lost(lost, Lost.IDLE.value)
    await gather(alice.sees_stream(room, stream, "DELETE"), alice.heard_silence(stream))
    assert alice.user_changes(bob.user_id) == ["ADD"]
    bob.link.restore()
    await gather(alice.sees_stream(room, stream), alice.heard_tone(stream, TONE))


async def test_a_full_node_is_tried_again_until_it_has_room(
    inside: Inside, page: PageMaker, room: str, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = full(inside, monkeypatch)
    alice, bob = await page(inside, "alice", "bob")  # type: ignore[arg-type]
    await gather(alice.login(room), bob.login(room))
    await bob.start_publishing_tone(stream, TONE)
    await until(lambda: len(asked) >= 2, limit=40)
    monkeypatch.undo()
    await bob.publisher_state(stream, "PUBLISHING")
    await tune_in(room, alice, stream, TONE)


# --- the first session style: what its SDKs make of the same endings

first_style = pytest.mark.parametrize("version", ["1.4.0", "2.5.0"])


@first_style
async def test_a_refused_publisher_of_the_first_style_is_told_for_good(
    inside: Inside, page: PageMaker, room: str, stream: str, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise StreamTaken("taken")

    monkeypatch.setattr(inside.hearth.calls, "begin_media", refuse)
    (bob,) = await page(inside, "bob", version=version)  # type: ignore[arg-type]
    await bob.login(room)
    await bob.start_publishing_tone(stream, TONE)
    refused = await bob.publisher_state(stream, "NO_PUBLISH")
    assert refused["errorCode"] != 0
    # 1.4.0 hears no refusal before its second attempt.
    assert len(bob.sent("CreateSessionReq")) == (2 if version == "1.4.0" else 1)
    monkeypatch.undo()
    await bob.stop_publishing(stream)
    await bob.publish_tone(stream, TONE)


async def test_1_4_0_gives_up_on_a_full_node_after_some_attempts(
    inside: Inside, page: PageMaker, room: str, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told to try again, it would do so at once and for ever."""
    asked = full(inside, monkeypatch)
    (bob,) = await page(inside, "bob", version="1.4.0")  # type: ignore[arg-type]
    await bob.login(room)
    await bob.start_publishing_tone(stream, TONE)
    refused = await bob.publisher_state(stream, "NO_PUBLISH")
    assert refused["errorCode"] != 0
    assert 1 < len(asked) < 20
    monkeypatch.undo()
    await bob.stop_publishing(stream)
    await bob.publish_tone(stream, TONE)


@first_style
async def test_lost_media_of_the_first_style_comes_back_by_itself(
    inside: Inside, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob = await heard(inside, page, room, stream, version)
    for user, role in ((bob, MediaRole.PUBLISHER), (alice, MediaRole.PLAYER)):
        lost = inside.media_of(user, role).media_session_id
        inside.hearth.sfu.close(lost)
        inside.hearth.calls.media_lost(lost, Lost.IDLE.value)
        await until(lambda user=user: inside.has_media(user), limit=40)  # type: ignore[misc]
        assert len(user.sent("CreateSessionReq")) == 2
    assert alice.stream_changes(stream) == ["ADD"]


@first_style
async def test_a_publisher_of_the_first_style_that_is_sent_away_publishes_again(
    inside: Inside, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob = await heard(inside, page, room, stream, version)
    inside.hearth.calls._live.end(inside.media_of(bob, MediaRole.PUBLISHER), MediaEnd.NODE_STOPPED)
    await until(lambda: inside.has_media(bob), limit=40)
    await alice.heard_tone(stream, TONE)
    assert alice.stream_changes(stream) == ["ADD"]


# --- the binary generation


async def test_3x_a_refused_publisher_is_told_for_good_and_may_publish_later(
    inside: Inside, page: PageMaker, room: str, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise StreamTaken("taken")

    monkeypatch.setattr(inside.hearth.calls, "open_publisher", refuse)
    (bob,) = await page(inside, "bob", version="3.12.0")  # type: ignore[arg-type]
    await bob.login(room)
    await bob.start_publishing_tone(stream, TONE)
    refused = await bob.publisher_state(stream, "NO_PUBLISH")
    assert refused["errorCode"] == FORBIDDEN_BY_MEDIA_SERVER
    monkeypatch.undo()
    await bob.publish_tone(stream, TONE)


async def test_3x_lost_media_comes_back_by_itself_and_nobody_sees_it(inside: Inside, page: PageMaker, room: str, stream: str) -> None:
    alice, bob = await heard(inside, page, room, stream, "3.12.0")
    for user, role in ((bob, MediaRole.PUBLISHER), (alice, MediaRole.PLAYER)):
        lost = inside.media_of(user, role).media_session_id
        inside.hearth.sfu.close(lost)
        inside.hearth.calls.media_lost(lost, Lost.IDLE.value)
        await until(lambda user=user: inside.has_media(user), limit=40)  # type: ignore[misc]
        await alice.heard_tone(stream, TONE)
    assert alice.stream_changes(stream) == ["ADD"]


async def test_3x_who_is_sent_away_comes_back(inside: Inside, page: PageMaker, room: str, stream: str) -> None:
    alice, bob = await heard(inside, page, room, stream, "3.12.0")
    for user, role, reason in ((alice, MediaRole.PLAYER, MediaEnd.STREAM_MOVED), (bob, MediaRole.PUBLISHER, MediaEnd.NODE_STOPPED)):
        inside.hearth.calls._live.end(inside.media_of(user, role), reason)
        await until(lambda user=user: inside.has_media(user), limit=40)  # type: ignore[misc]
        await alice.heard_tone(stream, TONE)
    assert alice.stream_changes(stream) == ["ADD"]


async def test_3x_a_session_that_is_not_here_any_more_when_the_hub_is_back_is_opened_again(
    inside: Inside, page: PageMaker, room: str, stream: str
) -> None:
    alice, bob = await heard(inside, page, room, stream, "3.12.0")
    bob.link.cut(stay_down=True)
    await until(lambda: inside.media_of(bob, MediaRole.PUBLISHER).login is None)
    inside.hearth.calls._live.end(inside.media_of(bob, MediaRole.PUBLISHER), MediaEnd.CLOSED)
    bob.link.restore()
    await until(lambda: inside.has_media(bob), limit=40)
    await alice.heard_tone(stream, TONE)
    # The SDK itself may take its stream out of the room for that moment: it is told while it is on its way back there.
    assert alice.stream_changes(stream)[-1] == "ADD"
