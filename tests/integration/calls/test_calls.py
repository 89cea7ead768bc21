"""Whole calls: an address from the room side, sound through the media side, and what ends them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from calls.media_session import MediaSession
from calls.settings import CallSettings
from rooms.errors import StreamTaken
from rooms.events import StreamAdded, StreamEnd, StreamRemoved
from tests.integration.calls.house import APP_ID, PLAY, PUBLISH, ROOM, House, MediaClient, Member, host_of, open_house
from tests.integration.media.aiortc_clients import Ear, Tone
from tests.waiting import until

HIGH, LOW = 800, 400
ENOUGH = 10
"""Frames in which a tone must be heard: 0.2 s."""


@dataclass
class Call:
    """amy publishes a tone as ``s``, bob plays it and hears it."""

    house: House
    amy: Member
    bob: Member
    speaker: MediaClient
    listener: MediaClient
    publisher: int
    player: int
    ear: Ear


@contextlib.asynccontextmanager
async def call(settings: CallSettings | None = None) -> AsyncIterator[Call]:
    async with open_house(settings) as house:
        amy, bob = await house.enter("amy"), await house.enter("bob")
        (publish_url,) = await house.calls.publish_urls(amy.session, "s", "webrtc", house.base)
        assert host_of(publish_url) == house.base
        async with MediaClient.of(amy, publish_url) as speaker:
            publisher, _ = await speaker.publish("s", Tone(LOW))
            await speaker.ask("StreamStatusNotify", {"mic_status": 0, "camera_status": 2}, publisher)
            await house.calls.announce(amy.session, "s", "")
            (play_url,) = await house.calls.play_urls(bob.session, "s", "webrtc", house.base)
            async with MediaClient.of(bob, play_url) as listener:
                player, ear = await listener.play("s")
                await until(lambda: ear.hears(LOW) >= ENOUGH)
                yield Call(house, amy, bob, speaker, listener, publisher, player, ear)


async def goes_on(ear: Ear, hertz: float = LOW) -> None:
    """The tone is still coming, not what a buffer had left."""
    before = ear.hears(hertz)
    await until(lambda: ear.hears(hertz) >= before + 50)


def media_of(c: Call, number: int) -> MediaSession:
    (found,) = [media for media in c.house.calls._live.all() if media.media_session_id == number]
    return found


def off_the_air(member: Member) -> list[StreamEnd]:
    return [event.reason for event in member.events if isinstance(event, StreamRemoved)]


async def test_a_tone_reaches_the_player_with_the_state_of_the_microphone() -> None:
    async with call() as c:
        await until(lambda: c.listener.pushed("StreamStatusNotifyPush", c.player))
        assert c.listener.pushed("StreamStatusNotifyPush", c.player) == [{"stream_id": "s", "mic_status": 0, "camera_status": 2}]
        assert c.listener.pushed("PlayEventPush", c.player) == [{"event": 0, "stream_id": "s"}]
        assert [type(event) for event in c.bob.events if isinstance(event, StreamAdded)] == [StreamAdded]


async def test_muting_stops_the_packets_and_unmuting_brings_them_back() -> None:
    async with call() as c:
        sent = c.house.sfu.statistics
        await c.listener.ask("ActivateAudioPlayStreamReq", {"active": 0, "layer": 0}, c.player)
        muted = sent(c.player)
        publisher = sent(c.publisher)
        assert muted is not None and publisher is not None
        came = publisher.peer.packets_in
        await until(lambda: (now := sent(c.publisher)) is not None and now.peer.packets_in > came + 25)
        still = sent(c.player)
        assert still is not None and still.peer.packets_out == muted.peer.packets_out
        await c.listener.ask("ActivateAudioPlayStreamReq", {"active": 1, "layer": 0}, c.player)
        await goes_on(c.ear)


async def test_the_second_publisher_is_refused_twice_and_the_first_is_not_disturbed() -> None:
    async with call() as c:
        with pytest.raises(StreamTaken):
            await c.house.calls.publish_urls(c.bob.session, "s", "webrtc", c.house.base)
        answer = await c.listener.offer(PUBLISH, "s")
        (closed,) = await until(lambda: c.listener.pushed("CloseSessionPush", answer["session_id"]))
        assert (closed["reason"], json.loads(closed["err_info"])) == (15, {"action": 1, "err": 1011})
        await goes_on(c.ear)


async def test_playing_before_publishing_starts_once_there_is_something() -> None:
    async with open_house() as house:
        amy, bob = await house.enter("amy"), await house.enter("bob")
        (url,) = await house.calls.play_urls(bob.session, "s", "webrtc", house.base)
        async with MediaClient.of(bob, url) as listener:
            assert (await listener.offer(PLAY, "s"))["result"] == 1004
            (publish_url,) = await house.calls.publish_urls(amy.session, "s", "webrtc", house.base)
            # Reserved: the player may come first and hears it from the first packet.
            player, ear = await listener.play("s")
            async with MediaClient.of(amy, publish_url) as speaker:
                await speaker.publish("s", Tone(HIGH))
                await until(lambda: ear.hears(HIGH) >= ENOUGH)
                assert len(listener.pushed("PlayEventPush", player)) == 1


async def test_a_kick_ends_the_kicked_users_media_and_stream() -> None:
    async with call() as c:
        await c.house.rooms.kick(APP_ID, ROOM, "amy", message="out")
        assert c.house.sfu.statistics(c.publisher) is None
        await until(lambda: c.speaker.pushed("CloseSessionPush", c.publisher))
        assert off_the_air(c.bob) == [StreamEnd.OWNER_LEFT]
        assert c.house.sfu.statistics(c.player) is not None
        await c.house.rooms.kick(APP_ID, ROOM, "bob")
        assert c.house.sfu.statistics(c.player) is None
        # Nor does the old address open anything again.
        answer = await c.speaker.offer(PUBLISH, "s")
        await until(lambda: c.speaker.pushed("CloseSessionPush", answer["session_id"]))
        assert c.house.sfu.totals().publishers == 0


async def test_leaving_the_room_ends_media() -> None:
    async with call() as c:
        await c.house.calls.leave(c.amy.session, whole_login=True)
        assert c.house.sfu.statistics(c.publisher) is None
        assert off_the_air(c.bob) == [StreamEnd.OWNER_LEFT]


async def test_sound_goes_on_while_the_media_sockets_are_cut_and_after_they_are_back() -> None:
    async with call() as c:
        await c.speaker.cut()
        await c.listener.cut()
        await goes_on(c.ear)
        assert (await c.listener.connect())["result"] == 0
        assert (await c.speaker.connect())["result"] == 0
        await goes_on(c.ear)
        # The new sockets are in charge of the old sessions.
        await c.speaker.ask("StreamStatusNotify", {"mic_status": 2, "camera_status": 2}, c.publisher)
        await until(lambda: len(c.listener.pushed("StreamStatusNotifyPush", c.player)) == 2)
        assert not c.listener.pushed("SessionResetPush", 0) and not c.speaker.pushed("SessionResetPush", 0)
        assert not off_the_air(c.bob)


async def test_a_client_that_does_not_come_back_loses_its_media_and_its_stream() -> None:
    async with call() as c:
        await c.speaker.cut()
        await until(lambda: media_of(c, c.publisher).login is None)
        await c.house.pass_time(CallSettings().socket_grace - 1)
        assert not off_the_air(c.bob)
        await c.house.pass_time(1)
        await until(lambda: off_the_air(c.bob))
        assert off_the_air(c.bob) == [StreamEnd.MEDIA_LOST]
        assert c.house.sfu.statistics(c.publisher) is None


async def test_the_publishers_newer_session_takes_over_and_the_room_hears_nothing_of_it() -> None:
    async with call() as c:
        newer, _ = await c.speaker.publish("s", Tone(HIGH))
        await until(lambda: c.ear.hears(HIGH) >= ENOUGH)
        await until(lambda: c.house.sfu.statistics(c.publisher) is None)
        assert c.house.sfu.statistics(newer) is not None
        assert not c.speaker.pushed("CloseSessionPush", c.publisher)
        assert not off_the_air(c.bob)
        assert len(c.listener.pushed("PlayEventPush", c.player)) == 1


async def test_a_publisher_that_vanishes_goes_off_the_air_after_the_grace_and_its_return_is_heard() -> None:
    async with call() as c:
        await c.speaker._connections[0].close()
        await until(lambda: c.house.sfu.statistics(c.publisher) is None)
        await c.house.pass_time(CallSettings().publisher_grace - 1)
        assert not off_the_air(c.bob)
        await c.house.pass_time(1)
        await until(lambda: off_the_air(c.bob))
        assert off_the_air(c.bob) == [StreamEnd.MEDIA_LOST]
        await c.house.calls.publish_urls(c.amy.session, "s", "webrtc", c.house.base)
        await c.speaker.publish("s", Tone(HIGH))
        await until(lambda: c.ear.hears(HIGH) >= ENOUGH)


async def test_a_publisher_that_returns_within_the_grace_stays_on_the_air() -> None:
    async with call() as c:
        await c.speaker.ask("CloseSessionReq", {"reason": 1}, c.publisher)
        await c.speaker.publish("s", Tone(HIGH))
        await until(lambda: c.ear.hears(HIGH) >= ENOUGH)
        assert not off_the_air(c.bob)


async def test_a_stranger_cannot_open_a_media_socket() -> None:
    async with open_house() as house:
        amy, bob = await house.enter("amy"), await house.enter("bob")
        (url,) = await house.calls.publish_urls(amy.session, "s", "webrtc", house.base)
        async with MediaClient.of(bob, url) as thief:
            assert (await thief.connect())["result"] != 0
            assert (await thief.offer(PUBLISH, "s"))["result"] == 3
        assert house.sfu.totals().publishers == 0
