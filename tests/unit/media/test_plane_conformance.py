"""What every forwarding plane must do. Runs against each plane that there is."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from aiortc.rtp import RtcpPacket

from media import rtcp, rtp, stun
from media.plane import RELAYED, Address, Drop, MediaPlane, SinkFormat, SourceFormat, SrtpProfile
from media.plane import Clock as ClockFunction
from media.python_plane import PythonPlane
from tests.unit.media.memory_network import Clock, MemoryPort, Recorder, RemotePeer

MakePlane = Callable[[MemoryPort, Recorder, ClockFunction], MediaPlane]


def python_plane(port: MemoryPort, recorder: Recorder, clock: ClockFunction) -> MediaPlane:
    return PythonPlane(port, recorder, clock=clock, rng=random.Random(3), receive_budget=64, copy_budget=40, rtcp_interval_ms=2_000)


@dataclass
class Network:
    plane: MediaPlane
    port: MemoryPort
    recorder: Recorder
    clock: Clock
    _numbers: list[int] = field(default_factory=lambda: [100])

    def peer(self, profile: SrtpProfile = SrtpProfile.AEAD_AES_128_GCM) -> RemotePeer:
        self._numbers[0] += 1
        return RemotePeer(self.plane, self.port, self._numbers[0], profile=profile)

    def publisher(self, stream: str = "s", **options: SrtpProfile) -> RemotePeer:
        peer = self.peer(**options).add().connect()
        self.plane.publish(peer.number, stream, SourceFormat(payload_type=111, audio_level_id=1))
        return peer

    def player(self, stream: str = "s", *, payload_type: int = 111, **options: SrtpProfile) -> RemotePeer:
        peer = self.peer(**options).add()
        self.plane.subscribe(peer.number, stream, SinkFormat(payload_type, ssrc=5_000 + peer.number, cname="cname"))
        return peer.connect()

    def dropped(self, reason: Drop) -> int:
        return self.plane.totals().dropped.get(reason.value, 0)


@pytest.fixture(params=[python_plane])
def network(request: pytest.FixtureRequest) -> Network:
    make: MakePlane = request.param
    port, recorder, clock = MemoryPort(), Recorder(), Clock()
    return Network(make(port, recorder, clock), port, recorder, clock)


# --- ICE


def test_a_valid_check_is_answered_with_the_address_it_came_from(network: Network) -> None:
    peer = network.peer().add()
    peer.check()
    (data,) = network.port.take(peer.address)
    answer = stun.parse(data)
    assert answer.kind == stun.BINDING_SUCCESS
    assert answer.integrity_valid(peer.ice.password)
    assert answer.attributes[stun.XOR_MAPPED_ADDRESS] == stun.xor_address("10.0.0.1", int(peer.address[1]), answer.transaction)


def test_a_relayed_peer_is_one_like_any_other(network: Network) -> None:
    """What the TURN server brings comes from a ``RELAYED`` address, and what is sent there goes out by the port's route to it."""
    player, publisher = network.player(), network.peer().add()
    relayed: Address = ("192.0.2.1", 50_000, 0, RELAYED)
    name = f"{publisher.ice.ufrag}:{publisher.ice.remote_ufrag}"
    network.plane.datagram_relayed(stun.binding_request(bytes(12), name, publisher.ice.password), relayed, b"\xc0\x00\x02\x01")
    answer = stun.parse(network.port.take(relayed)[0])
    assert answer.kind == stun.BINDING_SUCCESS
    assert answer.attributes[stun.XOR_MAPPED_ADDRESS] == stun.xor_address("192.0.2.1", 50_000, answer.transaction)
    network.plane.set_keys(publisher.number, publisher.keys)
    network.plane.publish(publisher.number, "s", SourceFormat(payload_type=111))
    network.plane.datagram_relayed(publisher.protect(rtp.packet(111, 1, 960, 77, b"sound")), relayed, b"\xc0\x00\x02\x01")
    assert [packet.payload for packet in player.received()] == [b"sound"]
    network.plane.datagram_relayed(b"\x80" * 4_000, relayed, b"\xc0\x00\x02\x01")
    assert network.dropped(Drop.OVERSIZED) == 1


def test_a_wrong_password_is_refused_and_teaches_no_address(network: Network) -> None:
    peer = network.peer().add()
    peer.check(password="wrong-password-wrong-password")
    (data,) = network.port.take(peer.address)
    answer = stun.parse(data)
    assert answer.kind == stun.BINDING_ERROR
    assert answer.attributes[stun.ERROR_CODE][2:4] == bytes([4, 1])
    assert network.dropped(Drop.STUN_UNAUTHORISED) == 1
    network.plane.send_dtls(peer.number, b"\x16hello")
    assert network.port.outgoing == []


def test_a_wrong_remote_user_name_is_refused(network: Network) -> None:
    peer = network.peer().add()
    peer.check(username=f"{peer.ice.ufrag}:somebody")
    assert stun.parse(network.port.take(peer.address)[0]).kind == stun.BINDING_ERROR


def test_a_check_for_nobody_is_not_answered(network: Network) -> None:
    peer = network.peer().add()
    peer.check(username="nobody:theirs")
    assert network.port.outgoing == []
    assert network.dropped(Drop.STUN_UNKNOWN_PEER) == 1


def test_a_check_without_credentials_is_a_bad_request(network: Network) -> None:
    peer = network.peer().add()
    bare = stun.binding_request(bytes(12), "x", "y")
    # The same message without its USERNAME and MESSAGE-INTEGRITY: header, then FINGERPRINT alone.
    message = bare[:2] + (8).to_bytes(2, "big") + bare[4:20]
    message += stun.FINGERPRINT.to_bytes(2, "big") + (4).to_bytes(2, "big") + stun._fingerprint(message).to_bytes(4, "big")
    peer.deliver(message)
    answer = stun.parse(network.port.take(peer.address)[0])
    assert answer.attributes[stun.ERROR_CODE][2:4] == bytes([4, 0])


def test_a_controlled_client_is_told_of_the_role_conflict(network: Network) -> None:
    peer = network.peer().add()
    peer.check(controlling=False)
    answer = stun.parse(network.port.take(peer.address)[0])
    assert answer.attributes[stun.ERROR_CODE][2:4] == bytes([4, 87])
    assert answer.integrity_valid(peer.ice.password)


def test_checks_are_not_answered_before_their_time(network: Network) -> None:
    peer = network.peer().add(answer_checks_from=network.clock.now + 50)
    peer.check()
    network.clock.now += 49
    peer.check()
    assert network.port.outgoing == []
    network.clock.now += 1
    peer.check()
    assert len(network.port.take(peer.address)) == 1
    assert network.dropped(Drop.STUN_EARLY) == 2


def test_a_nominated_address_takes_over_and_an_unnominated_one_does_not(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    home = player.address
    player.address = ("10.9.9.9", 4_000)
    player.check(nominate=False)
    network.port.outgoing.clear()
    publisher.send(1, 960, b"a")
    assert [to for _, to in network.port.outgoing] == [home]
    network.port.outgoing.clear()
    player.check()
    network.port.outgoing.clear()
    publisher.send(2, 1_920, b"b")
    assert [packet.payload for packet in player.received()] == [b"b"]


def test_a_check_of_another_of_our_addresses_does_not_move_the_nominated_pair(network: Network) -> None:
    # A client with one socket checks both of our candidates from it, and goes on checking the one that it does not use.
    network.port.arrived_at = b"\x0a\0\0\1"
    publisher, player = network.publisher(), network.player()
    network.port.arrived_at = b"\x0a\0\0\2"
    player.check(nominate=False)
    assert network.port.left_from == b"\x0a\0\0\2"
    publisher.send(1, 960, b"a")
    assert network.port.left_from == b"\x0a\0\0\1"
    player.check()
    publisher.send(2, 1_920, b"b")
    assert network.port.left_from == b"\x0a\0\0\2"


def test_a_client_that_does_not_know_its_new_address_moves_when_the_old_one_is_silent(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    player.address = ("10.9.9.9", 4_000)
    network.clock.now += 3_001
    player.check(nominate=False)
    network.port.outgoing.clear()
    publisher.send(1, 960, b"a")
    assert [packet.payload for packet in player.received()] == [b"a"]


def test_a_publisher_goes_on_from_a_new_address(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    publisher.send(1, 960, b"a")
    publisher.address = ("10.9.9.9", 4_000)
    publisher.send(2, 1_920, b"before its check")
    assert network.dropped(Drop.UNKNOWN_ADDRESS) == 1
    publisher.check()
    publisher.send(3, 2_880, b"c")
    assert [packet.payload for packet in player.received()] == [b"a", b"c"]


def test_addresses_of_one_peer_are_bounded(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    home = publisher.address
    for number in range(50):
        publisher.address = ("10.1.1.1", 2_000 + number)
        publisher.check(nominate=False)
    publisher.address = home
    publisher.send(1, 960, b"a")
    assert [packet.payload for packet in player.received()] == [b"a"]
    publisher.address = ("10.1.1.1", 2_000)
    publisher.send(2, 1_920, b"b")
    assert player.received() == []


# --- DTLS


def test_dtls_is_handed_up_only_from_a_checked_address(network: Network) -> None:
    peer = network.peer().add()
    peer.deliver(b"\x16early")
    assert network.recorder.dtls == []
    peer.check()
    peer.deliver(b"\x16hello")
    assert network.recorder.dtls == [(peer.number, b"\x16hello")]
    network.port.outgoing.clear()
    network.plane.send_dtls(peer.number, b"\x16answer")
    assert network.port.take(peer.address) == [b"\x16answer"]


# --- forwarding


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


def test_the_sequence_may_wrap(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    for number in range(70_000):
        publisher.send(number & 0xFFFF, 960 * number & 0xFFFFFFFF, b"x")
        if number % 10_000 == 9_999:
            packets = player.received()
            assert len(packets) == 10_000


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


# --- inside the process


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


# --- hostile input


def test_a_replayed_packet_is_not_forwarded_again(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    packet = publisher.protect(rtp.packet(111, 1, 960, 77, b"once"))
    publisher.deliver(packet, packet)
    assert len(player.received()) == 1
    statistics = network.plane.peer_statistics(publisher.number)
    assert statistics is not None and statistics.rejected == 1


def test_a_packet_that_comes_within_a_thousand_is_not_taken_for_a_replay(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    late = publisher.protect(rtp.packet(111, 1, 960, 77, b"late"))
    publisher.send(0, 0, b"x")
    for sequence in range(2, 500):
        publisher.send(sequence, 960 * sequence, b"x")
    publisher.deliver(late)
    assert player.received()[-1].payload == b"late"


def test_a_garbled_packet_is_dropped(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    packet = bytearray(publisher.protect(rtp.packet(111, 1, 960, 77, b"garbled")))
    packet[20] ^= 1
    publisher.deliver(bytes(packet))
    assert player.received() == []
    assert network.dropped(Drop.SRTP_REJECTED) == 1


def test_ssrcs_of_one_peer_are_bounded(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    for ssrc in range(100, 200):
        publisher.send(1, 960, b"x", ssrc=ssrc)
    assert len(player.received()) == 8


def test_ten_thousand_random_datagrams_disturb_nobody(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    noise = random.Random(1)
    kinds = [0, 1, 3, 20, 22, 63, 64, 127, 128, 144, 191, 192, 255]
    for number in range(10_000):
        size = noise.choice([0, 1, 2, 4, 8, 12, 19, 20, 40, 200, 1_400, 2_100])
        datagram = bytearray(noise.randbytes(size))
        if size and noise.random() < 0.9:
            datagram[0] = noise.choice(kinds)
        # Every other one comes from the publisher's own address, the worst case.
        address = publisher.address if number % 2 else ("192.0.2.7", noise.randrange(1, 65_536))
        network.port.incoming.append((bytes(datagram), address))
        network.plane.datagrams_waiting()
        if number % 100 == 0:
            publisher.send(number // 100, 960 * number, b"through")
    assert len(player.received()) == 100
    totals = network.plane.totals()
    counted = sum(totals.dropped.values()) + len(network.recorder.dtls)
    assert counted == 10_000


def test_reports_that_are_garbage_are_counted(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    publisher.send_rtcp(bytes([0x9F, 200, 0, 1]) + bytes(4))
    player.send_rtcp(bytes([0x9F, 201, 0, 1]) + bytes(4))
    assert network.dropped(Drop.RTCP_MALFORMED) == 2
    publisher.send(1, 960, b"x")
    assert len(player.received()) == 1


# --- the way out


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


# --- reports


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
