"""RED (RFC 2198), in-band correction and pauses, through every plane."""

from __future__ import annotations

import pytest

from media.plane import Drop, SourceFormat
from tests.unit.media.network import Network

RED = SourceFormat(payload_type=111, audio_level_id=1, red_payload_type=63)


def red(primary: bytes, *redundant: bytes, payload_type: int = 111) -> bytes:
    """A RED payload: the redundant blocks, oldest first, then the sound itself."""
    heads = [
        bytes((0x80 | payload_type,)) + ((960 * (len(redundant) - index)) << 10 | len(block)).to_bytes(3, "big")
        for index, block in enumerate(redundant)
    ]
    return b"".join(heads) + bytes((payload_type,)) + b"".join(redundant) + primary


def test_redundancy_goes_to_those_who_negotiated_it_and_the_sound_alone_to_the_others(network: Network) -> None:
    publisher = network.publisher(source=RED)
    with_red, plain = network.player(red_payload_type=63), network.player()
    other_numbers = network.player(payload_type=109, red_payload_type=121)
    publisher.send(1, 960, red(b"one"), payload_type=63)
    publisher.send(2, 1_920, red(b"two", b"one"), payload_type=63)
    publisher.send(3, 2_880, b"three")
    packets = with_red.received()
    assert [(packet.payload_type, packet.payload) for packet in packets] == [
        (63, red(b"one")),
        (63, red(b"two", b"one")),
        (111, b"three"),
    ]
    assert [packet.sequence - packets[0].sequence for packet in packets] == [0, 1, 2]
    assert [(packet.payload_type, packet.payload) for packet in plain.received()] == [(111, b"one"), (111, b"two"), (111, b"three")]
    assert [(packet.payload_type, packet.payload) for packet in other_numbers.received()] == [
        (121, red(b"one", payload_type=109)),
        (121, red(b"two", b"one", payload_type=109)),
        (109, b"three"),
    ]


def test_octets_are_counted_by_what_each_player_gets(network: Network) -> None:
    publisher, with_red, plain = network.publisher(source=RED), network.player(red_payload_type=63), network.player()
    for sequence in range(3):
        publisher.send(sequence, 960 * sequence, red(b"four", b"four"), payload_type=63)
    assert network.statistics(publisher).red and network.statistics(with_red).red and not network.statistics(plain).red
    assert network.statistics(with_red).bytes_out == 3 * len(red(b"four", b"four"))
    assert network.statistics(plain).bytes_out == 3 * 4
    assert network.plane.totals().bytes_out == 3 * (4 + len(red(b"four", b"four")))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"\x6f", id="nothing behind the header"),
        pytest.param(b"\xef\x00\x00", id="truncated header"),
        pytest.param(b"\xef\x0f\x03\xff\x6fsound", id="a block longer than the packet"),
        pytest.param(red(b"sound", b"older", payload_type=0), id="another codec"),
        pytest.param(b"\xef\x0f\x00\x00" * 20 + b"\x6fsound", id="too many blocks"),
    ],
)
def test_redundancy_that_is_malformed_is_dropped_and_leaves_no_gap(network: Network, payload: bytes) -> None:
    publisher, player, plain = network.publisher(source=RED), network.player(red_payload_type=63), network.player()
    publisher.send(1, 960, red(b"one"), payload_type=63)
    publisher.send(2, 1_920, payload, payload_type=63)
    assert network.dropped(Drop.RTP_MALFORMED) == 1
    publisher.send(3, 2_880, red(b"three"), payload_type=63)
    for listener, expected in ((player, [red(b"one"), red(b"three")]), (plain, [b"one", b"three"])):
        assert [packet.payload for packet in listener.received()] == expected


def test_redundancy_that_was_not_negotiated_is_not_forwarded(network: Network) -> None:
    publisher, player = network.publisher(), network.player(red_payload_type=63)
    publisher.send(1, 960, red(b"x"), payload_type=63)
    assert player.received() == []
    assert network.dropped(Drop.RTP_UNEXPECTED) == 1


def test_a_pause_passes_as_it_is(network: Network) -> None:
    """DTX: one byte each 400 ms, then the marker of a new talkspurt."""
    publisher, player = network.publisher(), network.player()
    for sequence, timestamp, payload in ((1, 0, b"speech"), (2, 960, b"\x08"), (3, 20_160, b"\x08"), (4, 39_360, b"speech")):
        publisher.send(sequence, timestamp, payload)
    packets = player.received()
    assert [packet.timestamp for packet in packets] == [0, 960, 20_160, 39_360]
    assert [packet.sequence - packets[0].sequence for packet in packets] == [0, 1, 2, 3]
