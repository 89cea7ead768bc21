"""Quality of media sessions as it is sampled, kept and told."""

from __future__ import annotations

import dataclasses

from calls.figures import QualityReport
from calls.media_session import MediaRole
from calls.statistics import MOST_SAMPLES, MediaStatistics, Subject
from media.bridge.statistics import BridgeStatistics, Direction
from media.figures import MediaFigures, MediaTransport
from rooms.model import Client
from tests.unit.calls.fakes import APP_ID, Clock, House

INTERVAL = 5_000
PUBLISHER, PLAYER = MediaRole.PUBLISHER, MediaRole.PLAYER


class Watched:
    """Statistics and the counters that its sessions are read from."""

    def __init__(self, points: int = 3) -> None:
        self.clock = Clock()
        self.statistics = MediaStatistics(interval=INTERVAL, points=points, clock=self.clock)
        self.counters: dict[int, MediaFigures] = {}

    def follow(self, number: int, role: MediaRole = PUBLISHER, stream_id: str = "s") -> None:
        self.counters[number] = MediaFigures(MediaTransport.WEBRTC, packets=0, bytes=0, connected=True)
        subject = Subject(number, role, APP_ID, "r", f"user-{number}", stream_id, Client("web", "2.14.0"), self.clock())
        self.statistics.follow(subject, lambda: self.counters.get(number))

    def count(self, number: int, **values: object) -> None:
        self.counters[number] = dataclasses.replace(self.counters[number], **values)  # type: ignore[arg-type]

    def pass_interval(self) -> None:
        self.statistics.tick(self.clock.forward(INTERVAL))


def test_a_stream_is_told_with_its_publisher_and_the_worst_players_first() -> None:
    watched = Watched()
    watched.follow(1)
    for number, lost in ((2, 0), (3, 30), (4, 10)):
        watched.follow(number, PLAYER)
        watched.count(number, packets=100, bytes=10_000, lost=lost)
    watched.count(1, packets=250, bytes=25_000, jitter_ms=4.5, audio_level=31, srtp_profile="SRTP_AEAD_AES_128_GCM")
    watched.pass_interval()
    told = watched.statistics.stream(APP_ID, "s", history=True)
    assert told.publisher is not None and told.publisher.history is not None
    assert (told.publisher.user_id, told.publisher.client, told.publisher.version) == ("user-1", "web", "2.14.0")
    assert (told.publisher.bitrate, told.publisher.loss, told.publisher.jitter_ms, told.publisher.audio_level) == (40_000, 0, 4.5, 31)
    assert told.publisher.srtp_profile == "SRTP_AEAD_AES_128_GCM" and told.publisher.silent is False
    assert told.publisher.history.at == [watched.clock()] and told.publisher.history.rtt_ms == [None]
    assert [(player.user_id, player.loss) for player in told.players] == [("user-3", 0.3), ("user-4", 0.1), ("user-2", 0)]
    assert told.player_count == 3
    cut = watched.statistics.stream(APP_ID, "s", history=False, most_players=1)
    assert (cut.player_count, [player.user_id for player in cut.players], cut.players[0].history) == (3, ["user-3"], None)


def test_a_stream_that_crosses_over_is_told_with_its_conversion() -> None:
    watched = Watched()
    running = {
        f"{APP_ID}/s": [BridgeStatistics(f"{APP_ID}/s", Direction.WEBRTC_TO_RTMP, 5, frames_in=100, delay_ms=31.26, codec_seconds=0.12345)]
    }
    watched.statistics.bridges = lambda name: running.get(name, [])
    (told,) = watched.statistics.stream(APP_ID, "s", history=False).bridges
    assert (told.direction, told.began_at, told.frames_in, told.delay_ms, told.codec_seconds) == ("webrtc_to_rtmp", 5, 100, 31.3, 0.123)
    assert watched.statistics.stream(APP_ID, "other", history=False).bridges == []


def test_the_series_holds_so_many_points_and_ends_with_the_session() -> None:
    watched = Watched(points=3)
    watched.follow(1)
    for step in range(1, 6):
        watched.count(1, packets=step, bytes=step * 1_000)
        watched.pass_interval()
    told = watched.statistics.stream(APP_ID, "s", history=True).publisher
    assert told is not None and told.history is not None
    assert told.history.at == [watched.clock() - 2 * INTERVAL, watched.clock() - INTERVAL, watched.clock()]
    watched.statistics.forget(1)
    watched.statistics.forget(1)
    watched.pass_interval()
    assert watched.statistics.stream(APP_ID, "s", history=True).publisher is None
    assert len(watched.statistics) == 0 and not watched.statistics._streams and not watched.statistics._due


def test_sessions_are_looked_at_once_per_interval_and_not_all_in_one_tick() -> None:
    watched = Watched()
    seen: list[int] = []
    watched.statistics.on_sample = lambda subject, sample: seen.append(subject.media_session_id)
    watched.follow(1)
    watched.clock.forward(1_000)
    watched.follow(2)
    watched.statistics.tick(watched.clock.forward(4_000))
    assert seen == [1]
    watched.statistics.tick(watched.clock.forward(999))
    assert seen == [1]
    watched.statistics.tick(watched.clock.forward(1))
    assert seen == [1, 2]
    for number in range(10, 10 + MOST_SAMPLES + 5):
        watched.follow(number, stream_id=f"s{number}")
    seen.clear()
    watched.pass_interval()
    assert len(seen) == MOST_SAMPLES
    watched.statistics.tick(watched.clock())
    assert len(seen) == MOST_SAMPLES + 5 + 2


def test_a_session_that_is_not_connected_has_no_samples() -> None:
    watched = Watched()
    watched.follow(1)
    watched.count(1, connected=False)
    watched.pass_interval()
    told = watched.statistics.stream(APP_ID, "s", history=True).publisher
    assert told is not None and (told.connected, told.bitrate, told.silent) == (False, None, None)
    assert not watched.statistics.loads()


def test_what_an_sdk_reports_stands_beside_what_the_node_sees() -> None:
    watched = Watched(points=2)
    watched.follow(1, PLAYER)
    for loss in (0.1, 0.2, 0.3):
        watched.statistics.reported(1, QualityReport(at=watched.clock.forward(1), bitrate=30_000, loss=loss))
    watched.statistics.reported(99, QualityReport(at=1))
    (player,) = watched.statistics.stream(APP_ID, "s", history=True).players
    assert player.reported is not None and (player.reported.loss, player.reported.rtt_ms) == (0.3, None)
    assert player.reported_history is not None and player.reported_history.loss == [0.2, 0.3]
    assert player.loss is None


async def test_media_sessions_are_followed_from_their_answer_to_their_end() -> None:
    house = House()
    amy = house.rooms.enter("amy")
    login, _ = await house.media(amy)
    opened = await house.calls.open_publisher(login, "s", "offer")
    number = opened.media_session_id
    house.plane.counters[number] = MediaFigures(MediaTransport.WEBRTC, packets=250, bytes=25_000, connected=True, audio_level=127)
    await house.tick(house.settings.statistics_interval)
    told = house.calls.statistics.stream(APP_ID, "s", history=False).publisher
    assert told is not None and (told.user_id, told.bitrate, told.silent) == ("amy", 40_000, True)
    ((kind, load),) = house.calls.statistics.loads().items()
    assert (kind.app_id, kind.role, kind.transport, load.sessions, load.silent) == (APP_ID, PUBLISHER, "webrtc", 1, 1)
    house.calls.close_media(login, number)
    assert len(house.calls.statistics) == 0
