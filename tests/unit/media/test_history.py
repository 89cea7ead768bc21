"""What is kept of a stream for being sent again."""

from __future__ import annotations

from media.history import PACKETS, History
from media.packet import Sound, StreamPacket


def packet(place: int) -> StreamPacket:
    return StreamPacket(place, 960 * place, 0, Sound(b"%d" % place))


def test_the_last_packets_are_kept_and_a_very_late_one_displaces_none_of_them() -> None:
    history = History()
    for place in range(1, 201):
        history.add(packet(place))
    history.add(packet(200 - PACKETS))
    kept = {place: found.sound.payload for place in range(1, 300) if (found := history.get(place)) is not None}
    assert kept == {place: b"%d" % place for place in range(201 - PACKETS, 201)}
    history.clear()
    assert history.get(200) is None
