"""Figures of a room's streams, whichever nodes hold them, over both stores."""

from __future__ import annotations

from calls.cluster_figures import KIND, ClusterFigures
from calls.media_session import MediaRole
from calls.statistics import MediaStatistics, Subject
from media.figures import MediaFigures, MediaTransport
from rooms.service import RoomService
from tests.integration.rooms.house import APP, ROOM, House

INTERVAL = 5_000


async def node(house: House, name: str) -> tuple[RoomService, MediaStatistics, ClusterFigures]:
    rooms = await house.node(name)
    statistics = MediaStatistics(interval=INTERVAL, points=120, clock=house.clock)
    return rooms, statistics, ClusterFigures(statistics, rooms.node_requests, name)


async def on_air(house: House, rooms: RoomService, statistics: MediaStatistics, user_id: str, players: int) -> None:
    result, _ = await house.enter(rooms, user_id)
    await rooms.publish(result.session, user_id, "")
    for number in range(players + 1):
        role = MediaRole.PLAYER if number else MediaRole.PUBLISHER
        counters = MediaFigures(MediaTransport.WEBRTC, packets=250, bytes=25_000, connected=True, rtt_ms=20.0)
        subject = Subject(number, role, APP, ROOM, user_id, user_id, result.session.client, house.clock())
        statistics.follow(subject, lambda counters=counters: counters)  # type: ignore[misc]


async def test_each_node_tells_of_the_streams_of_all(store_url: str) -> None:
    async with House(store_url) as house:
        first, own, figures = await node(house, "n1")
        second, others, _ = await node(house, "n2")
        await on_air(house, first, own, "amy", 1)
        await on_air(house, second, others, "bob", 150)
        house.clock.forward(INTERVAL)
        own.tick(house.clock())
        others.tick(house.clock())
        streams = await first.streams(APP, ROOM)
        told = dict(zip([stream.user_id for stream in streams], await figures.of(APP, streams, history=True), strict=True))
        for user_id, players in (("amy", 1), ("bob", 150)):
            stream = told[user_id]
            assert stream is not None and stream.publisher is not None and stream.publisher.history is not None
            assert (stream.publisher.user_id, stream.publisher.bitrate, stream.publisher.rtt_ms) == (user_id, 40_000, 20)
            assert stream.publisher.history.at == [house.clock()]
            assert (stream.player_count, len(stream.players)) == (players, min(players, 100))


async def test_a_node_that_does_not_answer_leaves_a_gap_and_no_error(store_url: str) -> None:
    async def garbage(body: bytes) -> bytes:
        return b"another version's answer"

    async with House(store_url) as house:
        first, own, figures = await node(house, "n1")
        second, others, _ = await node(house, "n2")
        await on_air(house, first, own, "amy", 0)
        await on_air(house, second, others, "bob", 0)
        streams = await first.streams(APP, ROOM)
        second.node_requests.serve(KIND, garbage)
        told = dict(zip([stream.user_id for stream in streams], await figures.of(APP, streams, history=False), strict=True))
        assert told["amy"] is not None and told["bob"] is None
        await second.aclose()
        told = dict(zip([stream.user_id for stream in streams], await figures.of(APP, streams, history=False), strict=True))
        assert told["amy"] is not None and told["bob"] is None
