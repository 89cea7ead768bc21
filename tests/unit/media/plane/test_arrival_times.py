"""Arrival times to publishers, and the probes that they send for them, through every plane."""

from __future__ import annotations

import pytest

from media import rtcp, rtp
from media.plane import SourceFormat
from tests.unit.media.memory_network import RemotePeer
from tests.unit.media.network import Network

WANTS_TIMES = SourceFormat(payload_type=111, audio_level_id=1, transport_sequence_id=3, reduced_size=True)


def feedback(publisher: RemotePeer) -> list[bytes]:
    """The compound packets with transport-wide feedback that came since the last call."""
    packets = [publisher.receiving.unprotect_rtcp(data) for data in publisher.received_raw() if rtp.is_rtcp(data[1])]
    head = bytes((0x80 | rtcp.TRANSPORT_WIDE, rtcp.TRANSPORT_FEEDBACK))
    return [packet for packet in packets if head in packet or bytes((head[0] | rtcp.PADDING, head[1])) in packet]


def test_a_publisher_is_told_of_every_number_ten_times_a_second(network: Network) -> None:
    publisher = network.publisher(source=WANTS_TIMES)
    for sequence in range(5):
        publisher.send(sequence, 960 * sequence, b"x", transport=70 + sequence)
    network.tick(100)
    (packet,) = feedback(publisher)
    # Base number 70 and five statuses, all received.
    assert packet[12:16] == (70).to_bytes(2, "big") + (5).to_bytes(2, "big")
    network.tick(100)
    assert feedback(publisher) == []


@pytest.mark.parametrize("reduced_size", [True, False])
def test_feedback_is_a_compound_packet_where_reduced_size_was_not_offered(network: Network, reduced_size: bool) -> None:
    source = SourceFormat(payload_type=111, transport_sequence_id=3, reduced_size=reduced_size)
    publisher = network.publisher(source=source)
    publisher.send(1, 960, b"x", transport=1)
    network.tick(100)
    (packet,) = feedback(publisher)
    assert packet[1] == (rtcp.TRANSPORT_FEEDBACK if reduced_size else rtcp.RECEIVER_REPORT)
    rtcp.parse(packet)


def test_a_publisher_that_did_not_ask_is_told_nothing(network: Network) -> None:
    publisher = network.publisher()
    publisher.send(1, 960, b"x", transport=1)
    network.tick(100)
    assert feedback(publisher) == []


def test_probes_are_told_of_and_take_no_number_of_the_players(network: Network) -> None:
    publisher, player = network.publisher(source=WANTS_TIMES), network.player()
    publisher.send(65_534, 0, b"a", transport=1)
    for sequence in (65_535, 0, 1):
        publisher.send(sequence, 0, b"", padding=200, transport=sequence + 3 & 0xFF)
    publisher.send(2, 960, b"b", transport=5)
    packets = player.received()
    assert [(packet.sequence - packets[0].sequence, packet.payload) for packet in packets] == [(0, b"a"), (1, b"b")]
    network.tick(3_000)
    assert len(feedback(publisher)) == 1
    assert (network.statistics(publisher).lost, network.statistics(player).packets_out) == (0, 2)


def test_what_comes_late_across_probes_keeps_its_place(network: Network) -> None:
    publisher, player = network.publisher(source=WANTS_TIMES), network.player()
    late = publisher.protect(rtp.packet(111, 3, 2_880, 77, b"3"))
    publisher.send(1, 960, b"1")
    publisher.send(2, 1_920, b"2")
    publisher.send(4, 0, b"", padding=9)
    publisher.send(5, 3_840, b"5")
    publisher.deliver(late)
    packets = player.received()
    assert [(packet.sequence - packets[0].sequence, packet.payload) for packet in packets] == [(0, b"1"), (1, b"2"), (3, b"5"), (2, b"3")]


def test_a_packet_overtaken_by_a_probe_is_not_lost(network: Network) -> None:
    publisher, player = network.publisher(source=WANTS_TIMES), network.player()
    publisher.send(1, 960, b"1")
    publisher.send(3, 0, b"", padding=9)
    publisher.send(2, 1_920, b"2")
    publisher.send(4, 2_880, b"4")
    first, *others = player.received()
    assert [(packet.sequence - first.sequence, packet.payload) for packet in others] == [(1, b"2"), (2, b"4")]
    assert network.statistics(player).packets_out == 3


def test_a_probe_that_comes_late_moves_nothing(network: Network) -> None:
    publisher, player = network.publisher(source=WANTS_TIMES), network.player()
    publisher.send(1, 960, b"1")
    publisher.send(3, 1_920, b"3")
    publisher.send(2, 0, b"", padding=9)
    publisher.send(4, 2_880, b"4")
    first, *others = player.received()
    assert [(packet.sequence - first.sequence, packet.payload) for packet in others] == [(2, b"3"), (3, b"4")]
