"""Sound from and to other parts of the process, through every plane."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from media.plane import Drop
from tests.unit.media.network import Network


@dataclass
class Tapped:
    """A tap that keeps what it gets."""

    packets: list[tuple[int, int, bool, bytes]] = field(default_factory=list)

    def __call__(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> None:
        self.packets.append((sequence, timestamp, marker, payload))


def test_a_tap_gets_each_packet_once_numbered_as_for_players(network: Network) -> None:
    tap = Tapped()
    network.plane.open_tap(1 << 32, "s", tap)
    first = network.publisher()
    for sequence in (65_534, 65_535, 1, 0):
        first.send(sequence, 960 * ((sequence - 65_534) & 0xFFFF), b"%d" % sequence)
    network.plane.remove_peer(first.number)
    network.clock.now += 100
    network.publisher().send(7, 5, b"next", ssrc=88)
    start = tap.packets[0][0]
    assert [(sequence - start, timestamp, payload) for sequence, timestamp, _, payload in tap.packets] == [
        (0, 0, b"65534"),
        (1, 960, b"65535"),
        (3, 2_880, b"1"),
        (2, 1_920, b"0"),
        (4, 2_880 + 4_800, b"next"),
    ]
    assert [marker for _, _, marker, _ in tap.packets] == [True, False, False, False, True]
    network.plane.close_tap(1 << 32)
    network.plane.close_tap(1 << 32)
    assert len(tap.packets) == 5


def test_a_tap_that_fails_costs_the_players_nothing(network: Network) -> None:
    publisher, player, other = network.publisher(), network.player(), Tapped()

    def fails(sequence: int, timestamp: int, marker: bool, payload: bytes) -> None:
        raise ValueError("its own mistake")

    network.plane.open_tap(1 << 32, "s", fails)
    network.plane.open_tap((1 << 32) + 1, "s", other)
    publisher.send(1, 960, b"a")
    publisher.send(2, 1_920, b"b")
    assert [packet.payload for packet in player.received()] == [b"a", b"b"]
    assert len(other.packets) == 2
    assert network.dropped(Drop.TAP_FAILED) == 2


def test_a_feed_is_a_publisher_like_any_other(network: Network) -> None:
    remote, player, tap = network.publisher(), network.player(), Tapped()
    network.plane.open_tap(1 << 32, "s", tap)
    remote.send(40_000, 1_000_000, b"remote")
    feed = (1 << 32) + 1
    network.plane.open_feed(feed, "s")
    network.clock.now += 60
    remote.send(40_001, 1_000_960, b"not heard any more")
    network.plane.feed_packet(feed, 77, b"fed")
    network.plane.feed_packet(feed, 77 + 960, b"fed", marker=True)
    network.clock.now += 40
    again = network.publisher()
    again.send(3, 5, b"again", ssrc=88)
    network.plane.feed_packet(feed, 77 + 1_920, b"too late")
    packets = player.received()
    assert [packet.payload for packet in packets] == [b"remote", b"fed", b"fed", b"again"] == [payload for *_, payload in tap.packets]
    assert [(packet.sequence - packets[0].sequence) & 0xFFFF for packet in packets] == [0, 1, 2, 3]
    assert [packet.timestamp - 1_000_000 for packet in packets] == [0, 60 * 48, 60 * 48 + 960, 60 * 48 + 960 + 40 * 48]
    assert [packet.marker for packet in packets] == [True, True, True, True]
    assert network.dropped(Drop.FEED_UNEXPECTED) == 1


def test_sequence_numbers_of_a_feed_wrap(network: Network) -> None:
    player = network.player()
    network.plane.open_feed(1 << 32, "s")
    for number in range(66_000):
        network.plane.feed_packet(1 << 32, 960 * number & 0xFFFFFFFF, b"x")
        if number % 10_000 == 9_999:
            assert len(player.received()) == 10_000
    sequences = [packet.sequence for packet in player.received()]
    assert all((after - before) & 0xFFFF == 1 for before, after in itertools.pairwise(sequences))


def test_players_of_a_feed_are_told_its_clock(network: Network) -> None:
    player = network.player()
    network.plane.open_feed(1 << 32, "s")
    network.plane.feed_packet(1 << 32, 5_000, b"x")
    player.received()
    network.clock.now += 3_000
    network.plane.tick(network.clock.now)
    (compound,) = player.received_rtcp()
    assert compound.sender is not None and compound.sender.timestamp == 5_000 + 3_000 * 48


def test_taps_and_feeds_keep_their_stream_and_leave_none_behind(network: Network) -> None:
    tap, player = Tapped(), network.player()
    network.plane.open_feed(1 << 32, "s")
    network.plane.feed_packet(1 << 32, 0, b"x")
    network.plane.close_feed(1 << 32)
    network.plane.close_feed(1 << 32)
    network.plane.feed_packet(1 << 32, 960, b"closed")
    assert len(player.received()) == 1
    network.plane.open_tap((1 << 32) + 1, "s", tap)
    network.plane.remove_peer(player.number)
    assert network.plane.totals().streams == 1
    network.publisher().send(1, 960, b"y")
    assert [payload for *_, payload in tap.packets] == [b"y"]
    network.plane.remove_peer(102)
    network.plane.close_tap((1 << 32) + 1)
    assert network.plane.totals().streams == 0
