"""The RTCP reports of every plane."""

from __future__ import annotations

import pytest
from aiortc.rtp import RtcpPacket

from media import rtcp, rtp
from tests.unit.media.network import Network


def test_the_publisher_is_told_loss_jitter_and_when_its_report_came(network: Network) -> None:
    publisher = network.publisher()
    for sequence in (65_534, 65_535, 0, 2):
        publisher.send(sequence, 960, b"x")
    ntp = rtcp.ntp_from_ms(network.clock.now)
    publisher.send_rtcp(rtcp.sender_report(rtcp.SenderInfo(77, ntp, 960, 4, 4), "them"))
    network.clock.now += 3_000
    network.plane.tick(network.clock.now)
    (compound,) = publisher.received_rtcp()
    (report,) = compound.reports
    assert (report.ssrc, report.lost, report.fraction_lost) == (77, 1, 256 // 5)
    assert report.highest_sequence == 65_536 + 2
    assert report.last_sender_report == rtcp.middle(ntp)
    assert report.delay_since == 3 * 65_536


def test_the_players_sender_report_maps_the_publishers_clock(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    publisher.send(1, 1_000, b"12345")
    # The publisher's clock is an hour off; its report says which timestamp belongs to the instant it was sent at.
    theirs = rtcp.ntp_from_ms(network.clock.now - 3_600_000)
    publisher.send_rtcp(rtcp.sender_report(rtcp.SenderInfo(77, theirs, 1_480, 1, 5), "them"))
    player.received()
    network.clock.now += 3_000
    network.plane.tick(network.clock.now)
    (compound,) = player.received_rtcp()
    assert compound.sender == rtcp.SenderInfo(
        ssrc=5_000 + player.number, ntp=rtcp.ntp_from_ms(network.clock.now), timestamp=1_480 + 3_000 * 48, packets=1, octets=5
    )


def test_the_mapping_of_the_clock_follows_a_new_publisher(network: Network) -> None:
    first, player = network.publisher(), network.player()
    first.send(1, 1_000, b"x")
    network.plane.remove_peer(first.number)
    network.clock.now += 1_000
    second = network.publisher()
    second.send(1, 9_000_000, b"y", ssrc=88)
    second.send_rtcp(rtcp.sender_report(rtcp.SenderInfo(88, rtcp.ntp_from_ms(network.clock.now), 9_000_000, 1, 1), "them"))
    player.received()
    network.clock.now += 3_000
    network.plane.tick(network.clock.now)
    (compound,) = player.received_rtcp()
    assert compound.sender is not None
    assert compound.sender.timestamp == 1_000 + 1_000 * 48 + 3_000 * 48


def test_a_sender_report_that_was_held_up_does_not_shift_the_clock(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    publisher.send(1, 0, b"x")
    for seconds, delay in ((1, 0), (2, 400)):
        network.clock.now += delay
        told = rtcp.ntp_from_ms(network.clock.now - delay)
        publisher.send_rtcp(rtcp.sender_report(rtcp.SenderInfo(77, told, seconds * 48_000, 1, 1), "them"))
        network.clock.now += 1_000 - delay
    player.received()
    # Three seconds on the publisher's clock; the second report may move it by a millisecond, not by its delay.
    network.clock.now += 3_000
    network.plane.tick(network.clock.now)
    (compound,) = player.received_rtcp()
    assert compound.sender is not None
    assert compound.sender.timestamp == pytest.approx(6 * 48_000, abs=2 * 48)


def test_round_trip_and_loss_come_from_the_players_report(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    publisher.send(1, 960, b"x")
    network.clock.now += 3_000
    network.plane.tick(network.clock.now)
    (compound,) = player.received_rtcp()
    assert compound.sender is not None
    network.clock.now += 140
    block = rtcp.ReportBlock(5_000 + player.number, 64, 7, 1, 480, rtcp.middle(compound.sender.ntp), 100 * 65_536 // 1000)
    player.send_rtcp(rtcp.receiver_report(9, (block,), "them"))
    statistics = network.plane.peer_statistics(player.number)
    assert statistics is not None and statistics.rtt_ms is not None
    assert statistics.rtt_ms == pytest.approx(40, abs=1.5)
    assert (statistics.lost, statistics.fraction_lost, statistics.jitter_ms) == (7, 0.25, 10.0)


def test_a_removed_peer_is_told_goodbye_before_its_farewell(network: Network) -> None:
    network.publisher().send(1, 960, b"x")
    player = network.player()
    network.plane.remove_peer(player.number, farewell=b"\x15bye")
    goodbye, farewell = network.port.take(player.address)
    assert rtcp.parse(player.receiving.unprotect_rtcp(goodbye)).goodbye == (5_000 + player.number,)
    assert farewell == b"\x15bye"


def test_our_reports_are_compound_packets_that_others_can_read(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    publisher.send(1, 960, b"x")
    network.clock.now += 3_000
    network.plane.tick(network.clock.now)
    for peer in (publisher, player):
        data = next(data for data in network.port.take(peer.address) if rtp.is_rtcp(data[1]))
        assert len(RtcpPacket.parse(peer.receiving.unprotect_rtcp(data))) == 2


def test_a_stream_is_forgotten_with_its_last_peer(network: Network) -> None:
    publisher, player, muted = network.publisher(), network.player(), network.player()
    publisher.send(1, 960, b"x")
    network.plane.set_forwarding(muted.number, False)
    for peer in (publisher, player):
        network.plane.remove_peer(peer.number)
    assert network.plane.totals().streams == 1
    network.plane.remove_peer(muted.number)
    assert network.plane.totals().streams == 0
    network.plane.remove_peer(network.publisher().number)
    assert network.plane.totals().streams == 0


def test_totals_add_up(network: Network) -> None:
    publisher, _, _ = network.publisher(), network.player(), network.player()
    for sequence in range(5):
        publisher.send(sequence, 960 * sequence, b"four")
    totals = network.plane.totals()
    assert (totals.packets_in, totals.bytes_in, totals.packets_out, totals.bytes_out) == (5, 20, 10, 40)
    statistics = network.plane.peer_statistics(publisher.number)
    assert statistics is not None and (statistics.packets_in, statistics.bytes_in) == (5, 20)
    assert (statistics.last_packet, statistics.forwarding) == (network.clock.now, True)


def test_a_publisher_whose_source_says_goodbye_is_not_reported_on_until_the_next(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    publisher.send(40_000, 1_000, b"a")
    publisher.send_rtcp(rtcp.goodbye(4_242, "somebody else"))
    network.tick(3_000)
    assert [report.ssrc for compound in publisher.received_rtcp() for report in compound.reports] == [77]
    (first,) = player.received()
    publisher.send_rtcp(rtcp.goodbye(77, "them"))
    network.tick(3_000)
    assert [compound.reports for compound in publisher.received_rtcp()] == []
    # The same SSRC anew, from other numbers: for the player it goes on, as much later as time has passed.
    publisher.send(7, 5, b"b")
    (second,) = player.received()
    assert (second.sequence - first.sequence, second.timestamp - first.timestamp, second.marker) == (1, 6_000 * 48, True)
    network.tick(3_000)
    assert [report.ssrc for compound in publisher.received_rtcp() for report in compound.reports] == [77]


def test_a_players_goodbye_is_no_end(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    player.send_rtcp(rtcp.goodbye(9, "them"))
    publisher.send(1, 960, b"x")
    assert len(player.received()) == 1


def test_feedback_that_sound_has_no_use_for_is_ignored(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    publisher.send(1, 960, b"x")
    ssrc = (5_000 + player.number).to_bytes(4, "big")
    for kind, count, body in (
        (206, 1, bytes(4) + ssrc),  # PLI
        (206, 4, bytes(8) + ssrc + bytes(4)),  # FIR
        (206, 15, bytes(8) + b"REMB\x01\x0f\xff\xff" + ssrc),
        (207, 0, bytes(4) + b"\x04\x00\x00\x02" + bytes(8)),  # XR, receiver reference time
        (204, 0, bytes(4) + b"HRTH"),  # APP
        (205, 15, bytes(4) + ssrc + bytes(12)),  # arrival times
        (205, 1, bytes(4) + ssrc),  # NACK of nothing
    ):
        player.send_rtcp(rtcp.receiver_report(9, (), "them") + bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big") + body)
    assert network.plane.totals().dropped == {}
    publisher.send(2, 1_920, b"y")
    assert [packet.payload for packet in player.received()] == [b"x", b"y"]


def test_the_clock_told_to_a_player_holds_over_mute_and_source_change(network: Network) -> None:
    """Every sender report puts the player's timestamps where the wall clock is, whatever happened in between."""
    publisher, player = network.publisher(), network.player()
    publisher.send(1, 0, b"a")
    start = network.clock.now

    def told() -> int:
        network.port.take(player.address)
        network.tick(3_000)
        (compound,) = player.received_rtcp()
        assert compound.sender is not None and compound.sender.ntp == rtcp.ntp_from_ms(network.clock.now)
        return compound.sender.timestamp

    assert told() == (network.clock.now - start) * 48
    network.plane.set_forwarding(player.number, False)
    network.tick(3_000)
    assert player.received_rtcp() == []
    network.clock.now += 1_000
    network.plane.set_forwarding(player.number, True)
    publisher.send(2, (network.clock.now - start) * 48, b"b")
    assert told() == (network.clock.now - start) * 48
    network.plane.remove_peer(publisher.number)
    network.clock.now += 700
    network.publisher().send(50_000, 123, b"c", ssrc=88)
    assert told() == (network.clock.now - start) * 48


def test_lost_packets_before_a_wrap_are_counted_over_it(network: Network) -> None:
    publisher = network.publisher()
    for number in range(140_000):
        network.clock.now += not number % 10
        if number % 10:
            publisher.send(number & 0xFFFF, 960 * number & 0xFFFFFFFF, b"x")
    network.tick(3_000)
    ((report,),) = [compound.reports for compound in publisher.received_rtcp()]
    assert report.highest_sequence == 139_999
    assert network.statistics(publisher).lost == report.lost == 13_999
