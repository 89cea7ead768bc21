"""Who may publish and play over RTMP and FLV, and how the room and the connection end each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from auth import AppKeys
from auth.rtmp_credential import RtmpGrant, sign_rtmp
from calls.live_access import ConnectedMedia
from media.errors import LiveRefused
from media.figures import MediaFigures
from rooms.errors import RoomUnknown
from rooms.events import EndReason, StreamEnd
from rooms.model import Session, Verdict
from tests.unit.calls.fakes import APP_ID, BASE, NOW, SECRET, House


@dataclass
class Connection:
    silent_ms: int | None = None
    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    audio: bool = True

    def open(self, stream: str) -> None:
        self.opened.append(stream)

    def close(self, reason: str) -> None:
        self.closed.append(reason)

    def set_forwarding(self, *, audio: bool) -> None:
        self.audio = audio

    def figures(self) -> MediaFigures | None:
        return None


@pytest.fixture
def house() -> House:
    made = House()
    made.calls.stream_addresses.rtmp_port = 1935
    return made


async def address(house: House, session: Session, stream: str = "s", *, play: bool = False) -> str:
    """As the room answers it, with what the SDK appends."""
    urls = house.calls.play_urls if play else house.calls.publish_urls
    (url,) = await urls(session, stream, "rtmp", BASE)
    return urlsplit(url).path.lstrip("/") + f"?zgseq=1&zgdid={session.session_id}"


async def publish(house: House, where: str, connection: Connection | None = None) -> tuple[ConnectedMedia, Connection]:
    connection = connection or Connection()
    return await house.calls.live_admission.publish(where, "192.0.2.9", connection), connection


async def play(house: House, where: str) -> tuple[ConnectedMedia, Connection]:
    connection = Connection()
    return await house.calls.live_admission.play(where, "192.0.2.9", connection), connection


async def test_the_holder_of_a_stream_publishes_it_and_members_play_it(house: House) -> None:
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    _, publisher = await publish(house, await address(house, amy))
    _, player = await play(house, await address(house, bob, play=True))
    _, of_the_new_sdk = await play(house, f"{APP_ID}/s?zgseq=1&zgdid={bob.session_id}")
    assert publisher.opened == player.opened == of_the_new_sdk.opened == [f"{APP_ID}/s"]


async def test_everybody_else_is_refused(house: House) -> None:
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    own = await address(house, amy)
    await house.calls.announce(amy, "s", "")
    for wrong in (
        own.replace(amy.media_key, bob.media_key),
        own.replace(f"{APP_ID}/", "7/"),
        (await address(house, bob, "t")).replace("/t?", "/s?"),  # bob's right, amy's stream
        f"{APP_ID}/s?zgdid=12345",
        f"{APP_ID}/s",
    ):
        with pytest.raises(LiveRefused):
            await publish(house, wrong)
    with pytest.raises(LiveRefused) as unknown:
        await play(house, await address(house, bob, "nothing", play=True))
    assert unknown.value.unknown
    house.rooms.verdicts["s"] = Verdict(forbidden=True)
    with pytest.raises(LiveRefused, match="forbidden"):
        await publish(house, own)


async def test_a_second_connection_is_refused_until_the_first_is_silent(house: House) -> None:
    amy = house.rooms.enter("amy")
    where = await address(house, amy)
    _, first = await publish(house, where, Connection(silent_ms=20))
    with pytest.raises(LiveRefused, match="being published"):
        await publish(house, where)
    assert first.closed == []
    first.silent_ms = 3_000
    _, second = await publish(house, where)
    assert first.closed == ["superseded"] and second.closed == []


@pytest.mark.parametrize("reason", [EndReason.LOGOUT, EndReason.KICKED])
async def test_who_leaves_or_is_kicked_is_disconnected_and_so_are_the_players(house: House, reason: EndReason) -> None:
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    _, publisher = await publish(house, await address(house, amy))
    await house.calls.announce(amy, "s", "")
    _, player = await play(house, await address(house, bob, play=True))
    house.rooms.gone(amy, reason)
    assert publisher.closed == ["left" if reason is EndReason.LOGOUT else "kicked"] and player.closed == ["stream ended"]


async def test_the_room_learns_of_a_lost_publisher_after_the_grace_and_then_its_players_end(house: House) -> None:
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    session, publisher = await publish(house, await address(house, amy))
    await house.calls.announce(amy, "s", "")
    _, player = await play(house, await address(house, bob, play=True))
    session.ended(lost=True)
    await house.calls.tick(house.clock.forward(9_999))
    assert house.rooms.ended == [] and player.closed == []
    await house.calls.tick(house.clock.forward(1))
    assert house.rooms.ended == [("s", StreamEnd.MEDIA_LOST)] and player.closed == ["stream ended"]
    assert publisher.closed == []  # it was gone by itself


async def test_a_publisher_that_is_back_in_time_is_on_the_air_as_before(house: House) -> None:
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    where = await address(house, amy)
    session, _ = await publish(house, where)
    await house.calls.announce(amy, "s", "")
    _, player = await play(house, await address(house, bob, play=True))
    session.ended(lost=True)
    await house.calls.tick(house.clock.forward(5_000))
    await publish(house, where)
    await house.calls.tick(house.clock.forward(60_000))
    assert house.rooms.ended == [] and player.closed == []


async def test_the_operator_mutes_a_stream_at_its_players(house: House) -> None:
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    house.rooms.verdicts["s"] = Verdict(audio_muted_until=NOW + 1_000)
    await publish(house, await address(house, amy))
    _, player = await play(house, await address(house, bob, play=True))
    assert not player.audio
    await house.calls.tick(house.clock.forward(1_000))
    assert player.audio


def dispatched(stream: str, grant: RtmpGrant) -> str:
    return f"{APP_ID}/{stream}?{sign_rtmp(AppKeys(APP_ID, (SECRET,)), stream, grant)}"


PUSH = RtmpGrant("push", NOW // 1000 + 60, "r", "obs", "OBS")


async def test_what_the_operator_lets_in_is_on_the_air_when_its_media_comes_and_there_is_a_room(house: House) -> None:
    bob = house.rooms.enter("bob")
    session, _ = await publish(house, dispatched("stage", PUSH))
    await house.calls.tick(house.clock())
    assert not house.rooms.held
    house.rooms.add_refusal = RoomUnknown("no such room")
    session.media_arrived()
    await house.calls.tick(house.clock())
    assert not house.rooms.held
    house.rooms.add_refusal = None
    await house.calls.tick(house.clock.forward(2_000))
    stream = house.rooms.held[APP_ID, "stage"]
    assert (stream.room_id, stream.user_id, stream.user_name, stream.node_id) == ("r", "obs", "OBS", "here")
    _, member = await play(house, await address(house, bob, "stage", play=True))
    _, outsider = await play(house, dispatched("stage", RtmpGrant("pull", PUSH.expires_at)))
    session.ended(lost=False)
    await house.calls.tick(house.clock.forward(10_000))
    assert not house.rooms.held and member.closed == outsider.closed == ["stream ended"]


async def test_in_no_room_it_is_played_by_who_knows_its_id_until_it_is_gone(house: House) -> None:
    session, _ = await publish(house, dispatched("quiet", RtmpGrant("push", PUSH.expires_at)))
    session.media_arrived()
    _, player = await play(house, dispatched("quiet", RtmpGrant("pull", PUSH.expires_at)))
    session.ended(lost=True)
    await house.calls.tick(house.clock.forward(10_000))
    assert player.closed == ["stream ended"] and not house.rooms.held


async def test_the_operators_leave_takes_nobodys_stream(house: House) -> None:
    amy = house.rooms.enter("amy")
    await house.calls.announce(amy, "stage", "")
    with pytest.raises(LiveRefused, match="somebody else"):
        await publish(house, dispatched("stage", PUSH))
    with pytest.raises(LiveRefused, match="signature"):
        await publish(house, dispatched("other", PUSH).replace("/other?", "/another?"))
    with pytest.raises(LiveRefused, match="expired"):
        await publish(house, dispatched("late", RtmpGrant("push", NOW // 1000)))
