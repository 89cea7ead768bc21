"""Header extensions from publishers to players, through every plane."""

from __future__ import annotations

from media.plane import SourceFormat
from tests.unit.media.network import Network


def test_the_level_goes_to_each_player_under_its_own_id(network: Network) -> None:
    publisher = network.publisher()
    one, fourteen, none = network.player(audio_level_id=1), network.player(audio_level_id=14), network.player()
    publisher.send(1, 960, b"loud", level=0x80 | 23)
    publisher.send(2, 1_920, b"unknown")
    for player, elements in ((one, {1: b"\x97"}), (fourteen, {14: b"\x97"}), (none, {})):
        with_level, without = player.received()
        assert (with_level.payload, with_level.elements) == (b"loud", elements)
        assert (without.payload, without.elements) == (b"unknown", {})
    assert network.statistics(publisher).audio_level == 23


def test_octet_counts_are_of_the_payload_alone(network: Network) -> None:
    publisher, player = network.publisher(), network.player(audio_level_id=1)
    publisher.send(1, 960, b"four", level=5)
    assert network.statistics(player).bytes_out == 4


def test_what_players_did_not_ask_for_stays_behind(network: Network) -> None:
    source = SourceFormat(payload_type=111, audio_level_id=1, transport_sequence_id=3)
    publisher, player = network.publisher(source=source), network.player(audio_level_id=2)
    publisher.send(1, 960, b"x", level=9, transport=77)
    (packet,) = player.received()
    assert packet.elements == {2: b"\x09"}
