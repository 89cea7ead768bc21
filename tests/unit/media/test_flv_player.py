"""A player of FLV: what its file begins with, and what becomes of one that does not read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from media.errors import LiveRefused
from media.flv import Tag, TagKind, aac_config_tag, aac_frame_tag, file_header, read_file
from media.flv_player import PART, FlvPlayer
from media.rtmp.config import PlayerLimits
from media.rtmp.live import Feed, LiveHub

LIMITS = PlayerLimits(queue_ms=1_000, queue_bytes=5_000)
CONFIG = aac_config_tag(b"\x12\x10")
KEY_FRAME = Tag(TagKind.VIDEO, 0, b"\x17\x01\0\0\0key")


class Publisher:
    def replaced(self) -> None: ...


class Session:
    def __init__(self) -> None:
        self.told: list[str] = []

    def media_arrived(self) -> None:
        self.told.append("arrived")

    def ended(self, *, lost: bool) -> None:
        self.told.append("lost" if lost else "ended")


class House:
    """One stream, published, and one player of it."""

    def __init__(self, limits: PlayerLimits = LIMITS) -> None:
        self.hub = LiveHub(lambda: 1_000_000)
        self.feed: Feed = self.hub.publish("a", Publisher())
        self.player = FlvPlayer(self.hub, limits, "192.0.2.1")
        self.session = Session()
        self.player.open("a")
        self.player.session = self.session
        self.parts: AsyncIterator[bytes] = self.player.parts()

    def send(self, *tags: Tag) -> None:
        for tag in tags:
            self.feed.message(tag)

    async def part(self) -> bytes:
        async with asyncio.timeout(20):
            return await anext(self.parts)


@pytest.fixture
def house() -> House:
    return House()


async def test_the_file_begins_with_a_header_and_its_user_learns_that_media_came(house: House) -> None:
    house.send(Tag(TagKind.DATA, 0, b"\x02\x00\x0aonMetaData"), CONFIG)
    assert await house.part() == file_header(audio=True, video=False)
    assert house.session.told == []  # it is told when the header has been taken
    frame = aac_frame_tag(b"x", 20)
    house.send(frame)
    assert [tag.kind for tag in read_file(file_header(audio=True, video=False) + await house.part())] == [TagKind.DATA, TagKind.AUDIO]
    assert await house.part() == frame.flv
    assert house.session.told == ["arrived"]


async def test_metadata_alone_begins_no_file(house: House) -> None:
    house.send(Tag(TagKind.DATA, 0, b"\x02\x00\x0aonMetaData"))
    beginning = asyncio.ensure_future(house.part())
    await asyncio.sleep(0)
    house.send(KEY_FRAME)
    assert await beginning == file_header(audio=True, video=True)


async def test_a_player_that_does_not_read_costs_no_more_than_its_limits_and_begins_anew(house: House) -> None:
    house.send(CONFIG, *(aac_frame_tag(bytes(50), 20 * number) for number in range(200)))
    backlog = house.player.backlog
    assert backlog.dropped > 100 and backlog.ms <= LIMITS.queue_ms and backlog.bytes <= LIMITS.queue_bytes
    header, rest = await house.part(), await house.part()
    times = [tag.timestamp for tag in read_file(header + rest)]
    assert CONFIG.body in rest and times == sorted(times)
    assert times[0] > 1_000 and times[-1] == 199 * 20  # what it missed it missed; it is live
    figures = house.player.figures()
    assert figures is not None and (figures.transport, figures.dropped) == ("flv", backlog.dropped)


async def test_large_messages_are_bounded_in_bytes(house: House) -> None:
    for _ in range(20):
        house.send(aac_frame_tag(bytes(2_000), 0))
        assert house.player.backlog.bytes <= LIMITS.queue_bytes


async def test_a_player_that_is_to_hear_nothing_gets_pictures_and_configurations(house: House) -> None:
    house.player.set_forwarding(audio=False)
    house.send(CONFIG, aac_frame_tag(b"x", 0), KEY_FRAME)
    header, rest = await house.part(), await house.part()
    assert [tag.body for tag in read_file(header + rest)] == [CONFIG.body, KEY_FRAME.body]


async def test_a_publisher_that_comes_back_goes_on_in_the_same_file(house: House) -> None:
    house.send(CONFIG, aac_frame_tag(b"x", 500))
    header = await house.part()
    first = await house.part()
    house.feed.end()
    house.feed = house.hub.publish("a", Publisher())
    house.send(CONFIG, aac_frame_tag(b"y", 0))
    times = [tag.timestamp for tag in read_file(header + first + await house.part())]
    assert times == sorted(times) and len(times) == 4


@pytest.mark.parametrize("end", ["the right to it", "the client"])
async def test_the_file_ends_with_the_right_to_it_or_the_client_and_nothing_stays(house: House, end: str) -> None:
    house.send(CONFIG)
    await house.part()
    await house.part()
    waiting = asyncio.ensure_future(house.part())
    await asyncio.sleep(0)
    if end == "the client":
        house.player.left(lost=False)
        house.player.left(lost=False)
    else:
        house.player.close("kicked")
    with pytest.raises(StopAsyncIteration):
        await waiting
    # Who ended it is told nothing.
    assert house.session.told == (["arrived", "ended"] if end == "the client" else ["arrived"])
    assert house.hub.players == 0
    house.feed.end()
    assert not list(house.hub.streams())
    with pytest.raises(LiveRefused):
        house.player.open("a")


async def test_who_reads_slowly_is_handed_little_at_a_time_and_the_rest_can_still_be_left_out() -> None:
    house = House(PlayerLimits(queue_ms=60_000, queue_bytes=400_000))
    house.send(CONFIG, *(aac_frame_tag(bytes(1_000), 20 * number) for number in range(100)))
    file = await house.part() + await house.part()
    assert PART <= len(file) < PART + 2_000
    house.send(*(aac_frame_tag(bytes(1_000), 20 * number) for number in range(100, 500)))
    assert house.player.backlog.dropped > 0
    while not file.endswith(aac_frame_tag(bytes(1_000), 499 * 20).flv):
        part = await house.part()
        assert len(part) < PART + 2_000
        file += part
    times = [tag.timestamp for tag in read_file(file)]
    assert times == sorted(times) and len(times) < 400


async def test_metadata_that_comes_before_the_file_begins_is_in_it(house: House) -> None:
    metadata = Tag(TagKind.DATA, 0, b"\x02\x00\x0aonMetaData")
    house.send(metadata)
    beginning = asyncio.ensure_future(house.part())
    await asyncio.sleep(0)
    house.send(KEY_FRAME)
    assert [tag.kind for tag in read_file(await beginning + await house.part())] == [TagKind.DATA, TagKind.VIDEO]
