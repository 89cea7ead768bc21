"""What waits for a slow player is bounded, whatever the publisher sends."""

from __future__ import annotations

from media.flv import Tag, TagKind, aac_config_tag, aac_frame_tag
from media.flv_player import FlvPlayer
from media.rtmp.backlog import OVERHEAD, Backlog
from media.rtmp.config import PlayerLimits
from media.rtmp.live import LiveHub

LIMITS = PlayerLimits(queue_ms=1_000, queue_bytes=10_000)


class Publisher:
    def replaced(self) -> None: ...


def metadata(size: int) -> Tag:
    return Tag(TagKind.DATA, 0, bytes(size))


def test_a_beginning_that_is_longer_than_a_queue_harms_nobody() -> None:
    hub = LiveHub(lambda: 1_000)
    feed = hub.publish("a", Publisher())
    small, large = (FlvPlayer(hub, PlayerLimits(queue_bytes=size), "192.0.2.1") for size in (10_000, 100_000))
    small.open("a")
    large.open("a")
    feed.message(metadata(20_000))
    feed.message(aac_config_tag(b"\x12\x10"))
    feed.message(aac_frame_tag(b"sound", 20))
    assert [tag.body[2:] for tag in (large.backlog.take(), large.backlog.take(), large.backlog.take())][1:] == [b"\x12\x10", b"sound"]
    assert [small.backlog.take().body[2:] for _ in range(len(small.backlog))] == [b"\x12\x10", b"sound"]


def test_many_small_messages_count_for_the_memory_that_they_take() -> None:
    backlog = Backlog(LIMITS)
    puts = 0
    while backlog.put(aac_frame_tag(b"", 0)):
        puts += 1
    assert puts == LIMITS.queue_bytes // (OVERHEAD + 2)
    assert (len(backlog), backlog.bytes, backlog.dropped) == (0, 0, puts + 1)


def test_its_time_is_from_the_oldest_to_the_newest_message_that_has_one() -> None:
    backlog = Backlog(LIMITS)
    for tag in (metadata(10), aac_frame_tag(b"a", 2**32 - 20), aac_frame_tag(b"b", 10), metadata(10)):
        assert backlog.put(tag)
    assert backlog.ms == 30
    backlog.take()
    assert backlog.ms == 30
    backlog.take()
    assert backlog.ms == 0
    backlog.take()
    backlog.take()
    assert (backlog.ms, backlog.bytes) == (0, 0)
