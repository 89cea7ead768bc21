"""STUN against the published vectors (RFC 5769) and against noise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import stun

# RFC 5769 §2.1, §2.2.
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36"
    "0006000965767 46a3a68367659202020".replace(" ", "")
    + "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
RESPONSE = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt"


def test_the_published_request_is_understood() -> None:
    message = stun.parse(REQUEST)
    assert message.kind == stun.BINDING_REQUEST
    assert message.username() == "evtj:h6vY"
    assert message.integrity_valid(PASSWORD)
    assert not message.integrity_valid(PASSWORD + "x")


def test_the_published_response_is_understood() -> None:
    message = stun.parse(RESPONSE)
    assert message.kind == stun.BINDING_SUCCESS
    assert message.integrity_valid(PASSWORD)
    assert message.attributes[stun.XOR_MAPPED_ADDRESS] == stun.xor_address("192.0.2.1", 32_853, message.transaction)


def test_the_published_ipv6_address_is_written() -> None:
    # RFC 5769 §2.3.
    transaction = bytes.fromhex("b7e7a701bc34d686fa87dfae")
    expected = bytes.fromhex("0002a1470113a9faa5d3f179bc25f4b5bed2b9d9")
    assert stun.xor_address("2001:db8:1234:5678:11:2233:4455:6677", 32_853, transaction) == expected


def test_an_ipv4_address_on_an_ipv6_socket_is_told_as_ipv4() -> None:
    assert stun.xor_address("::ffff:192.0.2.1", 1, bytes(12)) == stun.xor_address("192.0.2.1", 1, bytes(12))


def test_our_own_messages_are_valid() -> None:
    request = stun.parse(stun.binding_request(bytes(range(12)), "a:b", PASSWORD))
    assert request.integrity_valid(PASSWORD)
    assert stun.USE_CANDIDATE in request.attributes
    success = stun.parse(stun.binding_success(request, "192.0.2.1", 1, PASSWORD))
    assert success.integrity_valid(PASSWORD) and success.transaction == request.transaction


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data[:-1], id="truncated"),
        pytest.param(lambda data: data + b"\0\0\0\0", id="trailing bytes"),
        pytest.param(lambda data: data[:30] + b"x" + data[31:], id="one byte changed"),
        pytest.param(lambda data: data[:4] + b"\0\0\0\0" + data[8:], id="no cookie"),
        pytest.param(lambda data: data[:2] + (len(data) - 28).to_bytes(2, "big") + data[4:-8], id="no fingerprint"),
    ],
)
def test_damaged_messages_are_refused(change) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(stun.StunMalformed):
        stun.parse(change(REQUEST))


def test_what_follows_the_integrity_is_not_believed() -> None:
    signed = stun.binding_request(bytes(12), "a:b", PASSWORD, nominate=False)[:-8]
    forged = signed + stun.USE_CANDIDATE.to_bytes(2, "big") + b"\0\0"
    forged = forged[:2] + (len(forged) - 20 + 8).to_bytes(2, "big") + forged[4:]
    forged += stun.FINGERPRINT.to_bytes(2, "big") + b"\0\4" + stun._fingerprint(forged).to_bytes(4, "big")
    message = stun.parse(forged)
    assert message.integrity_valid(PASSWORD)
    assert stun.USE_CANDIDATE not in message.attributes


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else(data: bytes) -> None:
    with pytest.raises(stun.StunMalformed):
        stun.parse(data)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=8), st.binary(max_size=8))
def test_messages_with_any_attributes_are_parsed_or_refused(attributes: list[tuple[int, bytes]], tail: bytes) -> None:
    body = b"".join(kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4) for kind, value in attributes)
    message = stun._HEADER.pack(stun.BINDING_REQUEST, len(body) + 8, stun.MAGIC_COOKIE, bytes(12)) + body
    message += stun.FINGERPRINT.to_bytes(2, "big") + b"\0\4" + stun._fingerprint(message).to_bytes(4, "big")
    try:
        parsed = stun.parse(message + tail)
    except stun.StunMalformed:
        return
    parsed.username()
    parsed.unknown_required()
    assert not parsed.integrity_valid("password")
