"""What every plane must do with ICE checks and DTLS datagrams."""

from __future__ import annotations

from media import rtp, stun
from media.plane import RELAYED, Address, Drop, SourceFormat
from tests.unit.media.network import Network


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


def test_a_flood_of_checks_with_a_wrong_password_is_answered_a_few_times_a_second(network: Network) -> None:
    """From whatever addresses it seems to come: an answer may be for somebody who never asked."""
    peer = network.peer().add()
    for port in range(1_000):
        peer.address = ("198.51.100.1", 1_024 + port)
        peer.check(password="wrong-password-wrong-password")
    assert len(network.port.outgoing) == 50 and network.dropped(Drop.STUN_UNAUTHORISED) == 1_000
    network.port.outgoing.clear()
    peer.address = ("10.0.0.1", 10_000)
    peer.check()
    (data,) = network.port.take(peer.address)
    assert stun.parse(data).kind == stun.BINDING_SUCCESS
    network.clock.now += 1_000
    peer.check(password="wrong-password-wrong-password")
    assert len(network.port.outgoing) == 1


def test_a_peer_that_floods_with_right_checks_is_bounded_and_alone_in_it(network: Network) -> None:
    flooding, other = network.peer().add(), network.peer().add()
    for port in range(1_000):
        flooding.address = ("10.0.0.9", 1_024 + port)
        flooding.check()
    assert len(network.port.outgoing) == 200
    assert network.dropped(Drop.RATE_LIMITED) == network.statistics(flooding).rate_limited == 800
    other.check()
    assert len(network.port.take(other.address)) == 1
    network.clock.now += 1_000
    network.port.outgoing.clear()
    flooding.check()
    assert len(network.port.take(flooding.address)) == 1


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
