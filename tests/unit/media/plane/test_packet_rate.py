"""No peer has more than its share of any plane."""

from __future__ import annotations

from media.plane import Drop
from tests.unit.media.network import PACKETS_PER_SECOND, Network


def test_who_sends_too_much_is_cut_and_the_others_keep_talking(network: Network) -> None:
    flooder, flooded = network.publisher("flood"), network.player("flood")
    publisher, player = network.publisher(), network.player()
    excess = 500
    packet = flooder.protect(b"\x80\x6f" + bytes(10) + b"x")
    for number in range(PACKETS_PER_SECOND + excess):
        network.port.incoming.append((packet, flooder.address))
        if number % 1_000 == 0:
            publisher.send(number // 1_000, 960 * number & 0xFFFFFFFF, b"through")
        network.plane.datagrams_waiting()
    # One of them was authentic, the others replays of it: whatever they are, they count.
    assert len(flooded.received()) == 1
    assert len(player.received()) == (PACKETS_PER_SECOND + excess) // 1_000 + 1
    assert network.statistics(flooder).rate_limited == network.dropped(Drop.RATE_LIMITED) == excess
    assert network.statistics(publisher).rate_limited == 0
    network.clock.now += 1_000
    flooder.send(7, 960, b"again")
    assert len(flooded.received()) == 1


def test_garbage_for_dtls_and_rtcp_counts_too_and_checks_do_not(network: Network) -> None:
    peer = network.peer().add().connect()
    for number in range(PACKETS_PER_SECOND):
        peer.deliver(b"\x16dtls" if number % 2 else b"\x80\xc8" + bytes(30))
    handed_up = len(network.recorder.dtls)
    peer.deliver(b"\x16dtls", b"\x80\xc8" + bytes(30))
    assert network.statistics(peer).rate_limited == 2
    assert len(network.recorder.dtls) == handed_up == PACKETS_PER_SECOND // 2
    network.port.outgoing.clear()
    peer.check()
    assert len(network.port.take(peer.address)) == 1
