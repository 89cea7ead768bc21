"""The handshake as old and new clients do it."""

from __future__ import annotations

import hashlib
import hmac
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtmp import handshake
from media.rtmp.handshake import PACKET, HandshakeRefused, ServerHandshake, digest_scheme, put_digest

RNG = random.Random(7)
C2 = bytes(PACKET)


def answer(c1: bytes, rest: bytes = b"") -> tuple[bytes, ServerHandshake]:
    server = ServerHandshake(random.Random(3))
    got = server.receive(b"\x03" + c1 + C2 + rest)
    assert len(got) == 1 + 2 * PACKET and got[0] == 3 and server.done
    return got, server


def test_a_plain_client_gets_its_own_bytes_back() -> None:
    c1 = bytes(8) + RNG.randbytes(PACKET - 8)
    got, server = answer(c1, b"behind")
    assert got[1 + PACKET :] == c1 and server.rest == b"behind"


@pytest.mark.parametrize("scheme", [0, 1])
def test_a_client_with_a_digest_gets_one_of_the_same_scheme_and_its_own_signed(scheme: int) -> None:
    c1 = put_digest(bytes(4) + b"\x09\x00\x7c\x02" + RNG.randbytes(PACKET - 8), scheme)
    got, _ = answer(c1)
    s1, s2 = got[1 : 1 + PACKET], got[1 + PACKET :]
    assert digest_scheme(s1) == scheme
    base = (772, 8)[scheme]
    at = sum(c1[base : base + 4]) % 728 + base + 4
    key = hmac.digest(handshake._SERVER_KEY + handshake._CRUD, c1[at : at + 32], hashlib.sha256)
    assert s2[-32:] == hmac.digest(key, s2[:-32], hashlib.sha256)


def test_a_digest_that_fits_nowhere_is_a_plain_handshake() -> None:
    c1 = bytes(4) + b"\x09\x00\x7c\x02" + RNG.randbytes(PACKET - 8)
    assert answer(c1)[0][1 + PACKET :] == c1


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n", b"\x06", b"\x16\x03\x01"])
def test_what_is_no_rtmp_is_refused_with_its_first_byte(first: bytes) -> None:
    with pytest.raises(HandshakeRefused):
        ServerHandshake(RNG).receive(first)


@given(st.lists(st.integers(1, 2 * PACKET), max_size=12), st.binary(max_size=50))
def test_it_does_not_matter_how_the_bytes_arrive(cuts: list[int], rest: bytes) -> None:
    data = b"\x03" + bytes(PACKET) + C2
    server = ServerHandshake(random.Random(3))
    out, at = b"", 0
    for cut in sorted(cuts):
        out += server.receive(data[at:cut])
        at = max(at, cut)
    out += server.receive(data[at:] + rest)
    assert server.done and server.rest == rest and len(out) == 1 + 2 * PACKET
