"""How every plane moves packets from publishers to players."""

from __future__ import annotations

import pytest

from media import rtp
from media.plane import Drop, SrtpProfile
from tests.unit.media.network import Network


@pytest.mark.parametrize("source_profile", list(SrtpProfile))
@pytest.mark.parametrize("sink_profile", list(SrtpProfile))
def test_packets_arrive_with_the_players_header(network: Network, source_profile: SrtpProfile, sink_profile: SrtpProfile) -> None:
    publisher = network.publisher(profile=source_profile)
    player = network.player(payload_type=109, profile=sink_profile)
    for number in range(5):
        publisher.send(10 + number, 960 * number, bytes([number]) * 80)
    packets = player.received()
    assert [packet.payload for packet in packets] == [bytes([number]) * 80 for number in range(5)]
    assert {packet.ssrc for packet in packets} == {5_000 + player.number}
    assert {packet.payload_type for packet in packets} == {109}
    assert [packet.timestamp for packet in packets] == [960 * number for number in range(5)]
    assert [packet.sequence - packets[0].sequence for packet in packets] == list(range(5))
    assert {packet.flags for packet in packets} == {0x80}
    assert [packet.marker for packet in packets] == [True, False, False, False, False]


def test_extensions_and_padding_stay_behind_and_the_level_is_read(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    header = rtp.HEADER.pack(0x80 | 0x20 | 0x10, 111, 1, 960, 77)
    publisher.deliver(publisher.protect(header + bytes.fromhex("BEDE0001") + bytes([0x10, 0x80 | 23, 0, 0]) + b"sound" + b"\0\0\3"))
    (packet,) = player.received()
    assert packet.payload == b"sound" and packet.flags == 0x80
    statistics = network.plane.peer_statistics(publisher.number)
    assert statistics is not None and statistics.audio_level == 23


def test_a_gap_stays_a_gap(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    for sequence in (1, 2, 5):
        publisher.send(sequence, 960 * sequence, b"x")
    first, second, third = player.received()
    assert (second.sequence - first.sequence, third.sequence - second.sequence) == (1, 3)


def test_a_late_packet_keeps_its_place_and_does_not_reach_who_came_later(network: Network) -> None:
    publisher, early = network.publisher(), network.player()
    for sequence in (1, 3):
        publisher.send(sequence, 960 * sequence, b"x")
    later = network.player()
    publisher.send(4, 960 * 4, b"x")
    publisher.send(2, 960 * 2, b"late")
    packets = early.received()
    assert [(packet.sequence - packets[0].sequence, packet.payload) for packet in packets] == [
        (0, b"x"),
        (2, b"x"),
        (3, b"x"),
        (1, b"late"),
    ]
    assert packets[3].timestamp == 960 * 2
    assert [packet.payload for packet in later.received()] == [b"x"]


def test_the_sequence_may_wrap_again_and_again_for_whoever_came_when(network: Network) -> None:
    """Three wraps of the numbers and one of the clock; players come before, between and after them, one mutes itself over a wrap."""
    publisher = network.publisher()
    players = [network.player()]
    muted = network.player(profile=SrtpProfile.AES128_CM_SHA1_80)
    heard: dict[int, list[int]] = {}
    for number in range(60_000, 60_000 + 3 * 65_536, 16):
        for step in range(2):
            # Gaps as of a bad network make the way round quick.
            publisher.send((number + step) & 0xFFFF, 960 * 20 * (number + step) & 0xFFFFFFFF, b"%d" % (number + step))
        if number % 32_768 == 0:
            players.append(network.player())
        network.plane.set_forwarding(muted.number, not 64_000 < number < 200_000)
        if number % 4_096 == 0:
            for player in players:
                for packet in player.received():
                    assert packet.timestamp == 960 * 20 * int(packet.payload) & 0xFFFFFFFF
                    heard.setdefault(player.number, []).append(packet.sequence - int(packet.payload) & 0xFFFF)
            network.port.outgoing = [(data, to) for data, to in network.port.outgoing if to == muted.address]
    assert len(players) == 7 and all(len(set(offsets)) == 1 and len(offsets) > 3_000 for offsets in heard.values())
    sequences = [(packet.sequence, int(packet.payload)) for packet in muted.received()]
    assert {(sequence - payload) & 0xFFFF for sequence, payload in sequences if payload < 64_000} != {
        (sequence - payload) & 0xFFFF for sequence, payload in sequences if payload > 200_000
    }
    assert sequences[-1][1] > 250_000


def test_a_player_that_joins_at_the_wrap_and_misses_its_first_packets_still_decrypts(network: Network) -> None:
    publisher = network.publisher()
    for sequence in range(65_530, 65_535):
        publisher.send(sequence, 960, b"x")
    player = network.player()
    publisher.send(65_535, 960, b"lost on the way")
    network.port.take(player.address)
    publisher.send(0, 1_920, b"heard")
    publisher.send(1, 2_880, b"too")
    assert [packet.payload for packet in player.received()] == [b"heard", b"too"]


def test_a_muted_player_gets_nothing_and_sees_no_loss(network: Network) -> None:
    publisher, player, other = network.publisher(), network.player(), network.player()
    publisher.send(1, 960, b"a")
    network.plane.set_forwarding(player.number, False)
    for sequence in range(2, 10):
        publisher.send(sequence, 960 * sequence, b"muted")
    (before,) = player.received()
    network.plane.set_forwarding(player.number, True)
    publisher.send(10, 9_600, b"b")
    (after,) = player.received()
    assert after.payload == b"b" and after.marker
    assert (after.sequence - before.sequence) & 0xFFFF == 1
    assert after.timestamp - before.timestamp == 9 * 960
    assert len(other.received()) == 10
    statistics = network.plane.peer_statistics(player.number)
    assert statistics is not None and (statistics.packets_out, statistics.bytes_out, statistics.forwarding) == (2, 2, True)


def test_a_stream_goes_on_with_a_new_publisher(network: Network) -> None:
    first, player = network.publisher(), network.player()
    for sequence in range(3):
        first.send(40_000 + sequence, 1_000_000 + 960 * sequence, b"first")
    network.plane.remove_peer(first.number)
    network.clock.now += 2_000
    second = network.publisher()
    for sequence in range(3):
        second.send(7 + sequence, 5 + 960 * sequence, b"second", ssrc=88)
    packets = player.received()
    assert [packet.payload for packet in packets] == [b"first"] * 3 + [b"second"] * 3
    assert [(packet.sequence - packets[0].sequence) & 0xFFFF for packet in packets] == list(range(6))
    assert [packet.timestamp - 1_000_000 for packet in packets] == [0, 960, 1_920, 97_920, 98_880, 99_840]
    assert [packet.marker for packet in packets] == [True, False, False, True, False, False]
    assert len({packet.ssrc for packet in packets}) == 1


def test_a_packet_overtaken_by_the_first_of_a_new_publisher_does_not_get_a_number_of_the_old_one(network: Network) -> None:
    first, player = network.publisher(), network.player()
    for sequence in range(3):
        first.send(40_000 + sequence, 960 * sequence, b"first")
    network.plane.remove_peer(first.number)
    second = network.publisher()
    for sequence in (8, 7, 9):
        second.send(sequence, 960 * sequence, bytes([sequence]), ssrc=88)
    packets = player.received()
    assert [(packet.sequence - packets[0].sequence, packet.payload) for packet in packets[3:]] == [(3, b"\x08"), (4, b"\x09")]
    statistics = network.plane.peer_statistics(player.number)
    assert statistics is not None and statistics.send_failures == 0


def test_a_straggler_that_srtp_accepts_is_no_restart(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    straggler = publisher.protect(rtp.packet(111, 1, 960, 77, b"straggler"))
    publisher.send(0, 0, b"x")
    for sequence in range(2, 1_024):
        publisher.send(sequence, 960 * sequence, b"x")
    publisher.deliver(straggler)
    publisher.send(1_024, 960 * 1_024, b"next")
    first, *_, late, last = player.received()
    assert (late.payload, late.sequence - first.sequence, late.timestamp - first.timestamp) == (b"straggler", 1, 960)
    assert (last.sequence - first.sequence, last.timestamp - first.timestamp) == (1_024, 960 * 1_024)


def test_of_two_publishers_the_newer_is_heard(network: Network) -> None:
    older, player = network.publisher(), network.player()
    newer = network.publisher()
    older.send(1, 960, b"older")
    newer.send(1, 960, b"newer")
    network.plane.remove_peer(older.number)
    newer.send(2, 1_920, b"newer")
    assert [packet.payload for packet in player.received()] == [b"newer", b"newer"]


def test_streams_do_not_mix(network: Network) -> None:
    one, two = network.publisher("one"), network.publisher("two")
    first, second = network.player("one"), network.player("two")
    one.send(1, 960, b"one")
    two.send(1, 960, b"two")
    assert [packet.payload for packet in first.received()] == [b"one"]
    assert [packet.payload for packet in second.received()] == [b"two"]


def test_other_payload_types_are_not_forwarded(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    publisher.send(1, 960, b"comfort noise", payload_type=13)
    assert player.received() == []
    assert network.dropped(Drop.RTP_UNEXPECTED) == 1


def test_a_player_cannot_publish(network: Network) -> None:
    network.publisher()
    player, other = network.player(), network.player()
    player.send(1, 960, b"intruder")
    assert other.received() == []
    assert network.dropped(Drop.RTP_UNEXPECTED) == 1


def test_what_the_socket_does_not_take_is_queued(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    network.port.full = True
    publisher.send(1, 960, b"x")
    assert [to for _, to in network.port.queued] == [player.address]


def test_an_unreachable_player_does_not_disturb_the_others(network: Network) -> None:
    publisher, gone, player = network.publisher(), network.player(), network.player()
    network.port.unreachable.add(gone.address)
    publisher.send(1, 960, b"x")
    assert len(player.received()) == 1
    statistics = network.plane.peer_statistics(gone.number)
    assert statistics is not None and (statistics.send_failures, statistics.packets_out) == (1, 0)


def test_one_wake_does_a_bounded_amount_of_work(network: Network) -> None:
    publisher = network.publisher()
    players = [network.player() for _ in range(20)]
    for sequence in range(10):
        network.port.incoming.append((publisher.protect(rtp.packet(111, sequence, 960, 77, b"x")), publisher.address))
    network.plane.datagrams_waiting()
    # The budget of 40 copies is spent by two packets to 20 players.
    assert len(network.port.incoming) == 8
    for _ in range(4):
        network.plane.datagrams_waiting()
    assert [len(player.received()) for player in players] == [10] * 20


def test_a_removed_player_gets_nothing_more(network: Network) -> None:
    publisher, player, other = network.publisher(), network.player(), network.player()
    publisher.send(1, 960, b"x")
    network.plane.remove_peer(player.number)
    network.plane.remove_peer(player.number)
    network.port.outgoing.clear()
    publisher.send(2, 1_920, b"x")
    assert [to for _, to in network.port.outgoing] == [other.address]
    assert network.plane.peer_statistics(player.number) is None
