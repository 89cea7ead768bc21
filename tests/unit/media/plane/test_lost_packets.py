"""Lost packets asked for again, by players and of publishers, through every plane (RFC 4585 §6.2.1)."""

from __future__ import annotations

from aiortc.rtp import RtcpPacket, RtcpRtpfbPacket

from media import rtcp, rtp
from media.plane import SourceFormat
from tests.unit.media.memory_network import RemotePeer
from tests.unit.media.network import Network

NACK = SourceFormat(payload_type=111, audio_level_id=1, nack=True, reduced_size=True)


def ask(player: RemotePeer, sequences: list[int]) -> None:
    player.send_rtcp(rtcp.receiver_report(9, (), "them") + rtcp.generic_nack(9, 5_000 + player.number, sequences))


def asked_for(publisher: RemotePeer) -> list[list[int]]:
    """What the publisher was asked for, as aiortc reads it."""
    found: list[list[int]] = []
    for data in publisher.received_raw():
        if rtp.is_rtcp(data[1]):
            packets = RtcpPacket.parse(publisher.receiving.unprotect_rtcp(data))
            found += [[number & 0xFFFF for number in packet.lost] for packet in packets if isinstance(packet, RtcpRtpfbPacket)]
    return found


def test_a_player_gets_what_it_lost_once_more_with_the_same_bytes(network: Network) -> None:
    publisher, player, other = network.publisher(), network.player(nack=True, audio_level_id=4), network.player(nack=True)
    for sequence in range(65_530, 65_550):
        publisher.send(sequence & 0xFFFF, 960 * sequence & 0xFFFFFFFF, b"%d" % sequence, level=7)
    sent = player.received_raw()
    first = rtp.HEADER.unpack_from(sent[0])[2]
    ask(player, [first, first + 3, first + 19])
    assert player.received_raw() == [sent[0], sent[3], sent[19]]
    assert (network.statistics(player).nacked, network.statistics(player).retransmitted) == (3, 3)
    assert network.statistics(player).packets_out == 23
    assert len(other.received()) == 20


def test_a_packet_that_came_late_can_be_asked_for(network: Network) -> None:
    publisher, player = network.publisher(), network.player(nack=True)
    for sequence in (1, 3, 2):
        publisher.send(sequence, 960 * sequence, b"%d" % sequence)
    sent = player.received_raw()
    ask(player, [rtp.HEADER.unpack_from(sent[2])[2]])
    assert player.received_raw() == [sent[2]]


def test_numbers_that_were_never_sent_or_are_gone_are_not_answered(network: Network) -> None:
    publisher, player = network.publisher(), network.player(nack=True)
    for sequence in range(100):
        publisher.send(sequence, 960 * sequence, b"x")
    first = player.received()[0].sequence
    for wanted in (first, first - 1 & 0xFFFF, first + 100, first + 40_000 & 0xFFFF):
        ask(player, [wanted])
    assert player.received_raw() == []


def test_what_lies_before_a_pause_is_not_mistaken_for_what_comes_after_it(network: Network) -> None:
    publisher, player = network.publisher(), network.player(nack=True)
    publisher.send(1, 960, b"before")
    (before,) = player.received()
    network.plane.set_forwarding(player.number, False)
    publisher.send(2, 1_920, b"muted")
    network.plane.set_forwarding(player.number, True)
    publisher.send(3, 2_880, b"after")
    (after,) = player.received_raw()
    ask(player, [before.sequence, (before.sequence + 1) & 0xFFFF])
    assert player.received_raw() == [after]


def test_a_player_without_the_agreement_is_not_answered(network: Network) -> None:
    publisher, player, _ = network.publisher(), network.player(), network.player(nack=True)
    publisher.send(1, 960, b"x")
    ask(player, [player.received()[0].sequence])
    assert player.received_raw() == []


def test_one_player_cannot_have_any_number_of_packets_sent_again(network: Network) -> None:
    publisher, player = network.publisher(), network.player(nack=True)
    for sequence in range(64):
        publisher.send(sequence, 960 * sequence, b"x")
    first = player.received()[0].sequence
    for _ in range(10):
        ask(player, list(range(first, first + 64)))
    assert len(player.received_raw()) == 100
    assert network.statistics(player).nacked == 640


def test_a_publisher_is_asked_for_what_is_missing_and_the_players_get_it(network: Network) -> None:
    publisher, player = network.publisher(source=NACK), network.player()
    for sequence in (65_534, 1):
        publisher.send(sequence, 960 * (sequence & 0xFF), b"%d" % sequence)
    assert asked_for(publisher) == [[65_535, 0]]
    publisher.send(0, 960 * 3, b"0")
    network.tick(100)
    assert asked_for(publisher) == [[65_535]]
    network.tick(50)
    assert asked_for(publisher) == []
    publisher.send(65_535, 960 * 2, b"65535")
    network.tick(500)
    assert asked_for(publisher) == []
    packets = player.received()
    assert [(packet.sequence - packets[0].sequence, packet.payload) for packet in packets] == [
        (0, b"65534"),
        (3, b"1"),
        (2, b"0"),
        (1, b"65535"),
    ]
    statistics = network.statistics(publisher)
    assert (statistics.nacked, statistics.retransmitted, statistics.lost) == (2, 2, 0)


def test_a_publisher_is_not_asked_for_ever(network: Network) -> None:
    publisher = network.publisher(source=NACK)
    for sequence in (1, 3):
        publisher.send(sequence, 960 * sequence, b"x")
    for _ in range(20):
        network.tick(100)
    assert asked_for(publisher) == [[2]] * 3


def test_a_publisher_without_the_agreement_is_not_asked(network: Network) -> None:
    publisher = network.publisher()
    for sequence in (1, 3):
        publisher.send(sequence, 960 * sequence, b"x")
    network.tick(100)
    assert asked_for(publisher) == []


def test_a_publisher_that_comes_back_is_not_asked_for_the_numbers_between(network: Network) -> None:
    publisher = network.publisher(source=NACK)
    for sequence in (1, 3, 2):
        publisher.send(sequence, 960, b"x")
    assert asked_for(publisher) == [[2]]
    publisher.send(50, 960, b"y", ssrc=78)
    publisher.send(500, 960, b"y", ssrc=78)
    network.tick(100)
    assert asked_for(publisher) == []
    assert (network.statistics(publisher).nacked, network.statistics(publisher).retransmitted) == (1, 1)
