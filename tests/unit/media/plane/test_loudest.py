"""Only the loudest of a group are forwarded, through every plane (``media.loudest``)."""

from __future__ import annotations

import itertools

from media import rtcp, rtp
from media.plane import Loudest, SourceFormat
from tests.unit.media.memory_network import RemotePeer
from tests.unit.media.network import Network

QUIET, VOICE, SHOUT = 90, 40, 15
ONE = Loudest("room", 1)


class Talk:
    """People of one room who each publish a stream, and a player of each."""

    def __init__(self, network: Network, people: int, loudest: Loudest = ONE) -> None:
        self.network = network
        self.publishers = [network.publisher(f"{loudest.group}/{number}", loudest=loudest) for number in range(people)]
        self.players = [network.player(f"{loudest.group}/{number}", nack=True) for number in range(people)]
        self._sequence = 65_500

    def go_on(self, ms: int, *levels: int) -> None:
        for _ in range(ms // 20):
            self._sequence += 1
            self.network.clock.now += 20
            for publisher, level in zip(self.publishers, levels, strict=True):
                timestamp = 960 * self._sequence & 0xFFFFFFFF
                publisher.send(self._sequence & 0xFFFF, timestamp, b"%d" % self._sequence, level=level)
            if self.network.clock.now % 100 == 0:
                self.network.plane.tick(self.network.clock.now)

    def forwarded(self) -> list[bool]:
        return [self.network.statistics(publisher).forwarding for publisher in self.publishers]


def media(player: RemotePeer) -> list[tuple[int, int, bool, bytes]]:
    return [(packet.sequence, packet.timestamp, packet.marker, packet.payload) for packet in player.received()]


def test_the_loudest_is_heard_and_the_change_leaves_no_gap_in_anybodys_numbers(network: Network) -> None:
    talk = Talk(network, 3)
    talk.go_on(2_000, VOICE, QUIET, QUIET)
    assert talk.forwarded() == [True, False, False]
    heard = [media(player) for player in talk.players]
    assert [len(packets) for packets in heard] == [100, 0, 0]
    talk.go_on(2_000, QUIET, VOICE, QUIET)
    assert talk.forwarded() == [False, True, False]
    talk.go_on(2_000, VOICE, QUIET, QUIET)
    again = media(talk.players[0])
    first = next(packet for packet in again if packet[3] > b"65700")
    numbers = [packet[0] for packet in heard[0] + again]
    assert all((after - before) & 0xFFFF == 1 for before, after in itertools.pairwise(numbers))
    # The clock ran on while it was not heard, and what begins is marked as a talkspurt.
    assert (first[1] - heard[0][0][1]) & 0xFFFFFFFF == 960 * (int(first[3]) - int(heard[0][0][3]))
    assert first[2]


def test_the_clock_told_to_players_is_right_after_a_pause(network: Network) -> None:
    talk = Talk(network, 2)
    talk.go_on(2_000, VOICE, QUIET)
    talk.go_on(2_000, QUIET, VOICE)
    talk.go_on(1_000, VOICE, QUIET)
    (*_, last) = talk.players[0].received()
    network.tick(3_000)
    reports = [compound.sender for compound in talk.players[0].received_rtcp() if compound.sender is not None]
    assert (reports[-1].timestamp - last.timestamp) & 0xFFFFFFFF == 3_000 * 48
    assert reports[-1].ntp == rtcp.ntp_from_ms(network.clock.now)


def test_who_does_not_tell_a_level_is_always_heard_and_takes_nobodys_place(network: Network) -> None:
    talk = Talk(network, 2)
    mute = network.publisher("mute", source=SourceFormat(payload_type=111), loudest=ONE)
    player = network.player("mute")
    talk.go_on(1_000, QUIET, VOICE)
    mute.send(1, 960, b"no level")
    assert len(player.received()) == 1
    assert talk.forwarded() == [False, True]


def test_groups_do_not_compete_with_each_other(network: Network) -> None:
    here, there = Talk(network, 2), Talk(network, 2, Loudest("other room", 1))
    here.go_on(2_000, QUIET, QUIET)
    there.go_on(2_000, VOICE, SHOUT)
    assert sum(here.forwarded()) == sum(there.forwarded()) == 1


def test_the_place_of_a_publisher_that_is_gone_is_free(network: Network) -> None:
    talk = Talk(network, 3)
    talk.go_on(2_000, SHOUT, QUIET, VOICE)
    assert talk.forwarded() == [True, False, False]
    network.plane.remove_peer(talk.publishers.pop(0).number)
    talk.go_on(400, QUIET, VOICE)
    assert talk.forwarded() == [False, True]


def test_a_late_packet_from_a_time_without_forwarding_is_for_nobody(network: Network) -> None:
    talk = Talk(network, 2)
    talk.go_on(1_000, QUIET, SHOUT)
    talk.go_on(2_000, QUIET, VOICE)
    talk._sequence += 1
    late = talk.publishers[0].protect(rtp.packet(111, talk._sequence & 0xFFFF, 0, 77, b"late"))
    talk.go_on(2_000, VOICE, QUIET)
    before = len(talk.players[0].received())
    talk.publishers[0].deliver(late)
    assert before > 50 and talk.players[0].received() == []


def test_lost_packets_can_be_asked_for_after_a_pause(network: Network) -> None:
    talk = Talk(network, 2)
    talk.go_on(1_000, QUIET, SHOUT)
    talk.go_on(2_000, VOICE, QUIET)
    sent = talk.players[0].received_raw()
    player = talk.players[0]
    packet = sent[-3]
    player.send_rtcp(
        rtcp.receiver_report(9, (), "them") + rtcp.generic_nack(9, 5_000 + player.number, [int.from_bytes(packet[2:4], "big")])
    )
    assert player.received_raw() == [packet]
