"""What no datagram may do to any plane."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pylibsrtp import Error as SrtpError

from media import rtp
from media.plane import Drop, SourceFormat
from tests.unit.media.network import Network


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


def test_packets_with_a_wrong_key_or_from_an_unknown_address_reach_nobody(network: Network) -> None:
    publisher, player, stranger = network.publisher(), network.player(), network.peer()
    packet = stranger.protect(rtp.packet(111, 1, 960, 77, b"forged"))
    stranger.deliver(packet)
    assert network.dropped(Drop.UNKNOWN_ADDRESS) == 1
    publisher.deliver(packet)
    assert network.dropped(Drop.SRTP_REJECTED) == 1
    genuine = publisher.protect(rtp.packet(111, 1, 960, 77, b"genuine"))
    stranger.deliver(genuine)
    assert network.dropped(Drop.UNKNOWN_ADDRESS) == 2
    # What a stranger could not use is still good from the right address.
    publisher.deliver(genuine)
    assert [packet.payload for packet in player.received()] == [b"genuine"]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=80)), max_size=12))
def test_authentic_packets_of_any_shape_are_counted_or_forwarded(network: Network, packets: list[tuple[int, int, bytes]]) -> None:
    """A client with the right keys that writes nonsense: headers, extensions, RED and padding of any form."""
    source = SourceFormat(payload_type=111, audio_level_id=1, red_payload_type=63, transport_sequence_id=3, nack=True)
    publisher = network.publisher("odd", source=source)
    players = [network.player("odd", audio_level_id=2, red_payload_type=121, nack=True), network.player("odd")]
    for number, (flags, kind, rest) in enumerate(packets):
        packet = bytes((0x80 | flags & 0x3F, kind)) + number.to_bytes(2, "big") + bytes(4) + (77).to_bytes(4, "big") + rest
        try:
            protected = publisher.sending.protect_rtcp(packet) if rtp.is_rtcp(kind) else publisher.protect(packet)
        except SrtpError:
            # libsrtp itself reads the header, and will not protect one that does not fit.
            continue
        publisher.deliver(protected)
    network.tick(3_000)
    for peer in (publisher, *players):
        peer.received()
        network.plane.remove_peer(peer.number)
    assert network.plane.totals().streams == 0
