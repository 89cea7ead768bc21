"""The TURN server without a socket: what a client may do, and what it may not."""

from __future__ import annotations

import struct

import pytest

from media import stun
from media.turn import access
from media.turn import message as turn
from media.turn.config import TurnConfig
from media.turn.server import Answer, Client, Refused, Relayed
from tests.unit.media.turn.turn_client import CANDIDATE, LOCAL, NOW, SECOND, TurnClient, error, lifetime, new_server

STRANGERS = [("192.0.2.1", 7001), ("192.0.2.2", 7000), ("127.0.0.1", 7000), ("10.0.0.1", 22), ("2001:db8::2", 7000)]


def test_the_way_of_a_client() -> None:
    server = new_server()
    client = TurnClient(server)
    allocated = client.allocate()
    assert error(allocated) is None
    assert allocated.integrity_valid(client.key)
    assert lifetime(allocated) == 600
    assert stun.address_of_xor(allocated.attributes[stun.XOR_MAPPED_ADDRESS], allocated.transaction) == ("198.51.100.5", 40_000)
    host, port = stun.address_of_xor(allocated.attributes[turn.XOR_RELAYED_ADDRESS], allocated.transaction)
    relayed = client.relayed()
    assert (host, port) == relayed[:2]
    assert host == CANDIDATE[0]

    sent = server.sent(relayed, LOCAL, b"from the SFU", client.now)
    assert sent is not None
    indication = stun.parse(sent[0])
    assert indication.kind == turn.DATA_INDICATION
    assert stun.address_of_xor(indication.attributes[turn.XOR_PEER_ADDRESS], indication.transaction) == CANDIDATE
    assert indication.attributes[turn.DATA] == b"from the SFU"

    assert error(client.bind(0x4000, CANDIDATE)) is None
    assert client.give(turn.channel_data(0x4000, b"sound")) == Relayed(relayed, LOCAL, b"sound")
    assert server.sent(relayed, LOCAL, b"sound", client.now) == (turn.channel_data(0x4000, b"sound"), client.client)

    assert lifetime(client.refresh(0)) == 0
    assert server.allocations == 0
    assert client.give(turn.channel_data(0x4000, b"sound")) is None
    assert server.sent(relayed, LOCAL, b"sound", client.now) is None


def test_a_binding_request_tells_the_address() -> None:
    outcome = new_server().received(stun.serialise(stun.BINDING_REQUEST, b"t" * 12, [], None), Client(("2001:db8::9", 5, 0, 0)), NOW)
    assert isinstance(outcome, Answer)
    answer = stun.parse(outcome.datagram)
    assert stun.address_of_xor(answer.attributes[stun.XOR_MAPPED_ADDRESS], answer.transaction) == ("2001:db8::9", 5)


# --- no open relay


@pytest.mark.parametrize("peer", STRANGERS)
def test_no_address_but_the_nodes_own_is_a_peer(peer: tuple[str, int]) -> None:
    server = new_server()
    client = TurnClient(server)
    client.allocate()
    assert error(client.bind(0x4000, peer)) == 403
    if peer[0] != CANDIDATE[0]:
        assert error(client.permit(peer)) == 403
        assert error(client.permit(CANDIDATE, peer)) == 403
        assert client.send(CANDIDATE, b"one forbidden, none permitted") is None
    client.permit(CANDIDATE)
    assert client.send(peer, b"hello?") is None
    assert client.give(turn.channel_data(0x4000, b"hello?")) is None
    assert server.refused[Refused.FORBIDDEN_PEER] >= 1


def test_nothing_passes_before_permission_in_either_direction() -> None:
    server = new_server()
    client = TurnClient(server)
    client.allocate()
    assert client.send(CANDIDATE, b"early") is None
    relayed = client.relayed()
    client.now += 300_000
    assert client.send(CANDIDATE, b"late") is None
    assert server.sent(relayed, LOCAL, b"late", client.now) is None


def test_no_answer_is_much_longer_than_its_request() -> None:
    client = TurnClient(new_server())
    request = stun.serialise(turn.ALLOCATE, b"t" * 12, [], None)
    outcome = client.give(request)
    assert isinstance(outcome, Answer)
    assert len(outcome.datagram) < 140


# --- credentials


def test_a_guessed_password_is_challenged_again() -> None:
    client = TurnClient(new_server(), granted=False)
    client.challenge()
    assert error(client.allocate()) == 401


@pytest.mark.parametrize("username", ["", "1", "a:1", "1:a", "99999999999999999999:1", "1:1:1", "٣:1", "\x00:1"])
def test_other_names_are_strangers(username: str) -> None:
    client = TurnClient(new_server())
    client.access = access.RelayAccess((), username, "x")
    client.challenge()
    assert error(client.allocate()) == 401


def test_a_credential_ends_with_its_session() -> None:
    server = new_server()
    client = TurnClient(server, session=5)
    client.allocate()
    other = TurnClient(server, session=6, address=("198.51.100.5", 40_001))
    other.allocate()
    server.revoke(5)
    assert server.allocations == 1
    assert error(client.refresh(600)) == 401
    assert error(TurnClient.allocate(client)) == 401
    assert error(other.refresh(600)) is None


def test_a_credential_of_another_session_is_refused_on_ones_allocation() -> None:
    server = new_server()
    client = TurnClient(server, session=5)
    client.allocate()
    client.access = server.grant(6, (), NOW)
    assert error(client.refresh(600)) == 441


def test_an_old_credential_begins_nothing_but_a_call_may_be_longer() -> None:
    server = new_server(TurnConfig(credential_ms=60_000, nonce_ms=10**9))
    client = TurnClient(server)
    client.allocate()
    client.now += 120_000
    assert error(client.refresh(600)) is None
    late = TurnClient(server, session=1, address=("198.51.100.5", 40_001))
    late.access, late.now = client.access, client.now
    assert error(late.allocate()) == 401


def test_a_stale_nonce_is_replaced() -> None:
    server = new_server(TurnConfig(nonce_ms=60_000, lifetime_ms=600_000))
    client = TurnClient(server)
    client.allocate()
    client.now += 60_000
    assert error(client.refresh(600)) == 438
    assert error(client.refresh(600)) is None


def test_a_nonce_is_for_one_address() -> None:
    server = new_server()
    client = TurnClient(server)
    client.challenge()
    other = TurnClient(server, address=("198.51.100.6", 40_000))
    other.nonce = client.nonce
    assert error(other.allocate()) == 438
    other.nonce = b"\xff.zz"
    assert error(other.allocate()) == 438


# --- allocations


def test_a_repeated_request_gets_the_same_allocation_and_a_new_one_does_not() -> None:
    server = new_server()
    client = TurnClient(server)
    first = client.allocate(transaction=b"t" * 12)
    again = client.allocate(transaction=b"t" * 12)
    assert first.attributes[turn.XOR_RELAYED_ADDRESS] == again.attributes[turn.XOR_RELAYED_ADDRESS]
    assert error(client.allocate()) == 437
    assert server.allocations == 1


@pytest.mark.parametrize(("wanted", "granted"), [(1, 600), (1_800, 1_800), (90_000, 3_600)])
def test_lifetimes_are_bounded(wanted: int, granted: int) -> None:
    client = TurnClient(new_server())
    assert lifetime(client.allocate((turn.LIFETIME, struct.pack("!I", wanted)))) == granted
    assert lifetime(client.refresh(wanted)) == granted


def test_an_allocation_ends_by_itself() -> None:
    server = new_server()
    client = TurnClient(server)
    client.allocate()
    server.tick(NOW + 599_999)
    assert server.allocations == 1
    server.tick(NOW + 600_000)
    assert server.allocations == 0
    client.now += 600_000
    assert error(client.refresh(600)) == 437


def test_limits_in_total_per_address_and_per_session() -> None:
    server = new_server(TurnConfig(max_allocations=4, max_allocations_per_address=3, max_allocations_per_session=2))

    def allocate(host: str, port: int, session: int) -> int | None:
        return error(TurnClient(server, session=session, address=(host, port)).allocate())

    assert [allocate("198.51.100.1", port, 1) for port in range(3)] == [None, None, 486]
    assert [allocate("198.51.100.1", port, 2) for port in range(10, 13)] == [None, 486, 486]
    assert [allocate("198.51.100.2", port, 3) for port in range(2)] == [None, 508]
    server.revoke(1)
    assert allocate("198.51.100.2", 9, 3) is None
    assert server.refused[Refused.LIMIT] == 4


def test_who_left_makes_room_without_waiting_for_the_tick() -> None:
    server = new_server(TurnConfig(max_allocations=1))
    TurnClient(server).allocate()
    late = TurnClient(server, session=2, address=("198.51.100.9", 1))
    late.now += 600_000
    assert error(late.allocate()) is None


def test_families() -> None:
    server = new_server()
    six = TurnClient(server)
    answer = six.allocate((turn.REQUESTED_ADDRESS_FAMILY, b"\x02\0\0\0"))
    assert stun.address_of_xor(answer.attributes[turn.XOR_RELAYED_ADDRESS], answer.transaction)[0] == SECOND[0]
    assert error(six.request(turn.REFRESH, (turn.REQUESTED_ADDRESS_FAMILY, b"\x01\0\0\0"))) == 443
    only_four = new_server(candidates=(CANDIDATE,))
    assert error(TurnClient(only_four).allocate((turn.REQUESTED_ADDRESS_FAMILY, b"\x02\0\0\0"))) == 440


def test_what_is_not_served_is_named() -> None:
    client = TurnClient(new_server())
    client.challenge()
    assert error(client.request(turn.ALLOCATE)) == 400
    assert error(client.request(turn.ALLOCATE, (turn.REQUESTED_TRANSPORT, struct.pack("!Bxxx", 6)))) == 442
    even_port = client.allocate((0x0018, b"\x80\0\0\0"))
    assert error(even_port) == 420
    assert even_port.attributes[stun.UNKNOWN_ATTRIBUTES] == b"\x00\x18"
    assert error(client.refresh(600)) == 437


def test_channels_are_one_to_one() -> None:
    client = TurnClient(new_server())
    client.allocate()
    assert error(client.bind(0x3FFF, CANDIDATE)) == 400
    assert error(client.bind(0x5000, CANDIDATE)) == 400
    assert error(client.bind(0x4000, CANDIDATE)) is None
    assert error(client.bind(0x4000, CANDIDATE)) is None
    assert error(client.bind(0x4000, SECOND)) == 400
    assert error(client.bind(0x4001, CANDIDATE)) == 400
    client.now += 600_000 - 1
    client.refresh(600)
    client.now += 1
    assert client.give(turn.channel_data(0x4000, b"late")) is None
    assert error(client.bind(0x4000, SECOND)) is None


@pytest.mark.parametrize("datagram", [b"", b"\0", b"\x40\0\0\x05abc", b"\x40\x00", b"\x00\x03\0\0" + bytes(16), b"\xff" * 40])
def test_garbage_gets_no_answer(datagram: bytes) -> None:
    server = new_server()
    assert TurnClient(server).give(datagram) is None
    assert server.refused[Refused.MALFORMED] == 1


def test_secrets_are_not_shown() -> None:
    server = new_server()
    given = server.grant(3, ("turn:x",), NOW)
    assert given.password not in repr(given)


def test_an_ipv6_subscriber_is_limited_as_one() -> None:
    server = new_server(TurnConfig(max_allocations_per_address=1))
    hosts = ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:1:1::1", "::ffff:198.51.100.1", "198.51.100.1"]
    clients = [TurnClient(server, session=n, address=(host, 1, 0, 0)) for n, host in enumerate(hosts)]
    assert [error(client.allocate()) for client in clients] == [None, 486, None, None, 486]
