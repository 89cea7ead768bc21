"""The RTMP server on a real port: what publishers send players get, and nobody takes more than is granted or hurts another."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import random
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from media.errors import LiveRefused
from media.flv import Tag, TagKind, aac_config_tag, aac_frame_tag
from media.rtmp.access import LiveConnection
from media.rtmp.config import PlayerLimits, RtmpConfig
from media.rtmp.connection import BURST_MS, RtmpConnection
from media.rtmp.live import LiveHub
from media.rtmp.playing import RtmpPlayer
from media.rtmp.protocol import MESSAGES_AT_ONCE, Code
from media.rtmp.server import RtmpServer
from tests.unit.media.rtmp.rtmp_client import PLAIN_HELLO, RtmpClient
from tests.waiting import until

CONFIG = aac_config_tag(b"\x12\x10")
LIMITS = PlayerLimits(queue_ms=1_000, queue_bytes=200_000, stall_ms=5_000)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


@dataclass
class Allowed:
    """Everybody may, but for the name ``forbidden``."""

    connections: dict[str, LiveConnection] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    breaks: bool = False
    """What is told of an end fails."""

    def serves(self, path: str) -> bool:
        return path.startswith("1/")

    async def publish(self, address: str, client: str, connection: LiveConnection) -> Session:
        return self._admit("publisher", address, connection)

    async def play(self, address: str, client: str, connection: LiveConnection) -> Session:
        return self._admit("player", address, connection)

    def _admit(self, role: str, address: str, connection: LiveConnection) -> Session:
        name = address.rpartition("/")[2].partition("?")[0]
        if name == "forbidden":
            raise LiveRefused("not you")
        connection.open(name)
        self.connections[role] = connection
        return Session(self, role)


@dataclass
class Session:
    allowed: Allowed
    role: str

    def media_arrived(self) -> None:
        self.allowed.told.append(f"{self.role} arrived")

    def ended(self, *, lost: bool) -> None:
        self.allowed.told.append(f"{self.role} {'lost' if lost else 'ended'}")
        if self.allowed.breaks:
            raise RuntimeError("on purpose")


class Peer:
    """A client on a socket."""

    def __init__(self, port: int) -> None:
        self.rtmp = RtmpClient()
        self.closed = False
        self._port = port
        self._reading: asyncio.Task[None] | None = None
        self._hold = asyncio.Event()
        self._hold.set()

    async def open(self) -> Peer:
        connected = socket.socket()
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connected.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", self._port))
        self._reader, self.writer = await asyncio.open_connection(sock=connected, limit=4_096)
        self._reading = asyncio.create_task(self._read())
        return self

    async def connect(self, app: str = "1/k.2") -> Peer:
        await self.open()
        self.writer.write(PLAIN_HELLO)
        await until(lambda: self.rtmp.greeted)
        self.writer.write(self.rtmp.hello_again() + self.rtmp.connect(app))
        await until(lambda: self.rtmp.codes)
        return self

    async def _read(self) -> None:
        with contextlib.suppress(OSError):
            while await self._hold.wait() and (data := await self._reader.read(1_024)):
                self.rtmp.receive(data)
        self.closed = True
        self.writer.close()

    async def has(self, timestamp: int) -> None:
        """Waits for the message of this time."""
        await until(lambda: self.rtmp.media_got and self.rtmp.media_got[-1].timestamp == timestamp)

    def stop_reading(self) -> None:
        self._hold.clear()

    def read_on(self) -> None:
        self._hold.set()

    async def publish(self, name: str = "a") -> Peer:
        await self.connect()
        self.writer.write(self.rtmp.publish(name))
        await until(lambda: len(self.rtmp.codes) > 1)
        return self

    async def play(self, name: str = "a") -> Peer:
        await self.connect()
        self.writer.write(self.rtmp.play(name))
        await until(lambda: len(self.rtmp.codes) > 1)
        return self

    def send(self, *tags: Tag) -> None:
        for tag in tags:
            self.writer.write(self.rtmp.media(tag))

    async def close(self) -> None:
        self.read_on()
        if self._reading is not None:
            self.writer.close()
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)


class House:
    def __init__(self, **config: int) -> None:
        self.clock = Clock()
        self.hub = LiveHub(self.clock)
        self.allowed = Allowed()
        self.config = RtmpConfig(port=0, players=LIMITS, max_message=100_000, **config)
        self.server = RtmpServer(self.config, self.hub, self.allowed, clock=self.clock, rng=random.Random(1))
        self._peers: list[Peer] = []

    def peer(self) -> Peer:
        self._peers.append(Peer(self.server.port))
        return self._peers[-1]

    async def arrived(self, messages: int) -> None:
        """Waits until the stream has so many."""
        await until(lambda: any(stream.messages == messages for stream in self.hub.streams()))

    async def aclose(self) -> None:
        await asyncio.gather(*(peer.close() for peer in self._peers))
        await self.server.aclose()


@pytest_asyncio.fixture
async def house() -> AsyncIterator[House]:
    made = House(max_connections_per_address=210)
    await made.server.start()
    yield made
    await made.aclose()


def frames(first: int, count: int, size: int = 200) -> list[Tag]:
    return [aac_frame_tag(bytes(size), first + 20 * number) for number in range(count)]


async def test_the_log_says_where_it_listens() -> None:
    house = House()
    with capture_logs() as said:
        await house.server.start()
    assert {"event": "rtmp_started", "host": "127.0.0.1", "port": house.server.port, "log_level": "info"} in said
    await house.aclose()


async def test_what_is_published_is_played_and_both_ends_are_told(house: House) -> None:
    publisher, player = await house.peer().publish(), await house.peer().play()
    assert publisher.rtmp.codes[-1] == Code.PUBLISH_START and player.rtmp.codes[-1] == Code.PLAY_START
    publisher.send(CONFIG, *frames(0, 3))
    await until(lambda: len(player.rtmp.media_got) == 4)
    assert [message.timestamp for message in player.rtmp.media_got] == [0, 0, 20, 40]
    figures = [house.allowed.connections[role].figures() for role in ("publisher", "player")]
    assert [each and (each.transport, each.packets, each.bytes) for each in figures] == [("rtmp", 4, 4 + 3 * 202)] * 2
    assert figures[0] is not None and figures[0].drift_ms == 40  # three frames in no time
    publisher.writer.write(publisher.rtmp.command("deleteStream", 0, None, 1))
    player.writer.close()
    await until(lambda: len(house.allowed.told) == 4)
    assert sorted(house.allowed.told) == ["player arrived", "player lost", "publisher arrived", "publisher ended"]
    assert house.hub.publishers == house.hub.players == 0


async def test_who_may_not_is_told_so_and_disconnected(house: House) -> None:
    publisher, player = await house.peer().publish("forbidden"), await house.peer().play("forbidden")
    stranger = await house.peer().connect("2/k.2")
    await until(lambda: publisher.closed and player.closed and stranger.closed)
    told = [peer.rtmp.codes[-1] for peer in (publisher, player, stranger)]
    assert told == [Code.PUBLISH_BAD_NAME, Code.PLAY_FAILED, Code.CONNECT_REJECTED]
    assert house.allowed.told == []


async def test_who_may_no_longer_is_told_so_and_disconnected(house: House) -> None:
    publisher, player = await house.peer().publish(), await house.peer().play()
    house.allowed.connections["player"].close("kicked")
    house.allowed.connections["publisher"].close("kicked")
    await until(lambda: publisher.closed and player.closed)
    assert publisher.rtmp.codes[-1] == Code.PUBLISH_BAD_NAME
    assert player.rtmp.codes[-2:] == [Code.PLAY_UNPUBLISH_NOTIFY, Code.PLAY_STOP]
    assert house.allowed.told == [] and not list(house.hub.streams())


async def test_a_player_that_is_to_hear_nothing_gets_no_sound(house: House) -> None:
    publisher, player = await house.peer().publish(), await house.peer().play()
    house.allowed.connections["player"].set_forwarding(audio=False)
    publisher.send(CONFIG, *frames(0, 3), Tag(TagKind.VIDEO, 60, b"\x17\x01\0\0\0key"))
    await until(lambda: player.rtmp.media_got and player.rtmp.media_got[-1].type == TagKind.VIDEO)
    house.allowed.connections["player"].set_forwarding(audio=True)
    publisher.send(*frames(80, 1))
    await player.has(80)
    assert [message.timestamp for message in player.rtmp.media_got] == [0, 60, 80]


async def test_in_a_crowd_messages_come_together_and_are_the_same(house: House) -> None:
    house.hub.crowd = 1
    publisher, player = await house.peer().publish(), await house.peer().play()
    sent = [CONFIG, *frames(0, 4)]
    publisher.send(*sent)
    await until(lambda: len(player.rtmp.media_got) == 5)
    assert [(message.timestamp, message.body) for message in player.rtmp.media_got] == [(tag.timestamp, tag.body) for tag in sent]


@pytest.mark.parametrize("crowd", [2, 3], ids=["in-twos", "one-by-one"])
async def test_a_slow_player_costs_no_memory_and_is_live_again_when_it_reads(house: House, crowd: int) -> None:
    house.hub.crowd = crowd
    publisher, slow = await house.peer().publish(), await house.peer().play()
    player = house.allowed.connections["player"]
    assert isinstance(player, RtmpPlayer)
    quick = await house.peer().play()
    publisher.send(CONFIG)
    await until(lambda: slow.rtmp.media_got)
    slow.stop_reading()
    last = 0
    while not (player.backlog.dropped and player.backlog.ms > 500):
        publisher.send(*frames(last, 50, 2_000))
        last += 1_000
        await quick.has(last - 20)
        assert player.backlog.bytes <= LIMITS.queue_bytes and player.backlog.ms <= LIMITS.queue_ms
    slow.read_on()
    await slow.has(last - 20)
    times = [message.timestamp for message in slow.rtmp.media_got]
    assert max(after - before for before, after in itertools.pairwise(times)) >= LIMITS.queue_ms  # what it missed, it missed
    assert times == sorted(times) and len(quick.rtmp.media_got) == 1 + last // 20


async def test_a_player_that_reads_nothing_at_all_is_closed_and_the_others_go_on(house: House) -> None:
    publisher, stalled = await house.peer().publish(), await house.peer().play()
    stalled.stop_reading()
    last = 0
    while not any(each.blocked for each in house.server.connections):
        publisher.send(*frames(last, 50, 2_000))
        last += 1_000
        await house.arrived(last // 20)
    house.clock.now += LIMITS.stall_ms
    house.server.tick(house.clock.now)
    await until(lambda: "player lost" in house.allowed.told)
    assert house.hub.players == 0 and house.hub.publishers == 1


async def test_a_publisher_that_falls_silent_is_closed(house: House) -> None:
    publisher = await house.peer().publish()
    house.clock.now += house.config.idle_timeout_ms
    house.server.tick(house.clock.now)
    await until(lambda: publisher.closed)
    assert house.allowed.told == ["publisher lost"]


async def test_a_deadline_that_fails_keeps_no_other_from_being_kept(house: House) -> None:
    publishers = [await house.peer().publish(name) for name in ("a", "b", "c")]
    house.allowed.breaks = True
    house.clock.now += house.config.idle_timeout_ms
    house.server.tick(house.clock.now)
    await until(lambda: all(publisher.closed for publisher in publishers))
    assert house.allowed.told == ["publisher lost"] * 3


async def test_thousands_of_messages_in_one_segment_arrive_all_and_stop_nobody(house: House) -> None:
    publisher, player = await house.peer().publish(), await house.peer().play()
    publisher.send(CONFIG)
    await until(lambda: player.rtmp.media_got)
    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        loop.call_soon(turn)

    loop = asyncio.get_running_loop()
    loop.call_soon(turn)
    tags = frames(20, 3_000, 1)
    publisher.writer.write(b"".join(map(publisher.rtmp.media, tags)) + publisher.rtmp.command("deleteStream", 0, None, 1))
    await house.arrived(1 + len(tags))
    assert turns > len(tags) / MESSAGES_AT_ONCE
    await until(lambda: "publisher ended" in house.allowed.told)


async def test_a_flood_of_messages_is_refused_with_the_reason_and_counted_and_the_others_go_on(house: House) -> None:
    flooder, publisher, player = await house.peer().publish("flood"), await house.peer().publish(), await house.peer().play()
    most = house.config.messages_per_second * BURST_MS // 1000
    flooder.send(*frames(0, most, 1))  # beside its requests, so these are more
    await until(lambda: flooder.closed)
    status = flooder.rtmp.answers[-1][-1]
    assert isinstance(status, dict) and status["code"] == Code.PUBLISH_FAILED and "messages a second" in str(status["description"])
    assert house.server.refused == {"too_many_messages": 1} and "publisher ended" in house.allowed.told
    assert [stream.name for stream in house.hub.streams()] == ["a"]
    publisher.send(CONFIG)
    await until(lambda: player.rtmp.media_got)


async def test_sound_and_pictures_of_the_highest_rates_are_no_flood_nor_is_what_half_a_minute_held_up(house: House) -> None:
    publisher, sent, a_second = await house.peer().publish(), 0, 94 + 60
    for seconds in [*[1] * 40, 30]:
        house.clock.now += seconds * 1_000
        publisher.send(*frames(0, seconds * a_second, 1))
        sent += seconds * a_second
        await house.arrived(sent)
    assert not house.server.refused


def connections_alive() -> int:
    gc.collect()
    return sum(isinstance(each, RtmpConnection) for each in gc.get_objects())


async def test_connections_that_never_speak_are_counted_closed_and_forgotten(house: House) -> None:
    before = connections_alive()
    silent = await asyncio.gather(*(house.peer().open() for _ in range(200)))
    await until(lambda: len(house.server.connections) == 200)
    publisher, player = await house.peer().publish(), await house.peer().play()
    further = await asyncio.gather(*(house.peer().open() for _ in range(20)))
    await until(lambda: sum(peer.closed for peer in further) == 12)
    assert house.server.refused == {"address_full": 12}
    house.clock.now += house.config.handshake_timeout_ms
    house.server.tick(house.clock.now)
    await until(lambda: all(peer.closed for peer in (*silent, *further)))
    publisher.send(CONFIG)
    await until(lambda: player.rtmp.media_got)
    assert len(house.server.connections) == 2
    await until(lambda: connections_alive() == before + 2, what="nothing of the others is kept")


@pytest.mark.parametrize("sound", [b"\x2f\xff\xfb", b"\xb6speex", b"\x90Opus"], ids=["MP3", "Speex", "enhanced"])
async def test_sound_that_nobody_could_play_is_refused_with_a_reason(house: House, sound: bytes) -> None:
    publisher = await house.peer().publish()
    publisher.send(Tag(TagKind.AUDIO, 0, sound))
    await until(lambda: publisher.closed)
    status = publisher.rtmp.answers[-1][-1]
    assert isinstance(status, dict) and status["code"] == Code.PUBLISH_FAILED and "publish AAC" in str(status["description"])
    assert house.allowed.told == ["publisher ended"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        PLAIN_HELLO + bytes(1536) + bytes.fromhex("04 000000 ffffff 08 01000000"),
        PLAIN_HELLO + bytes(1536) + b"\xff" * 100,
    ],
    ids=["HTTP", "a message of 16 MiB", "noise"],
)
async def test_a_client_that_breaks_the_protocol_ends_alone(house: House, garbage: bytes) -> None:
    publisher, player = await house.peer().publish(), await house.peer().play()
    bad = await house.peer().open()
    bad.writer.write(garbage)
    await until(lambda: bad.closed)
    publisher.send(CONFIG)
    await until(lambda: player.rtmp.media_got)
    assert len(house.server.connections) == 2
