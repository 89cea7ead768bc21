"""Publishers hear of the loss of their players, through every plane (``media.player_loss``)."""

from __future__ import annotations

import pytest

from media import rtcp
from media.feedback import EARLY_MS, WORSE
from tests.unit.media.memory_network import RemotePeer
from tests.unit.media.network import Network


def loses(player: RemotePeer, fraction: int, *, lost: int = 0) -> None:
    """The player reports on what comes to it; ``fraction`` in 256ths."""
    player.send_rtcp(rtcp.receiver_report(9, (rtcp.ReportBlock(5_000 + player.number, fraction, lost, 1, 0, 0, 0),), "them"))


def reported(network: Network, publisher: RemotePeer) -> rtcp.ReportBlock:
    network.tick(3_000)
    ((block,),) = [compound.reports for compound in publisher.received_rtcp()]
    return block


@pytest.mark.parametrize(("players", "losing", "told"), [(1, 1, 32), (9, 1, 32), (10, 1, 0), (10, 2, 32), (25, 2, 0), (25, 3, 32)])
def test_the_worst_tenth_of_a_big_room_does_not_decide(network: Network, players: int, losing: int, told: int) -> None:
    publisher = network.publisher()
    everybody = [network.player() for _ in range(players)]
    publisher.send(1, 960, b"x")
    for player in everybody[:losing]:
        loses(player, 32, lost=10)
    for player in everybody[losing:]:
        loses(player, 0)
    block = reported(network, publisher)
    assert (block.fraction_lost, block.lost) == (told, 0)
    assert network.statistics(publisher).players_fraction_lost == told / 256


def test_both_ways_add_up(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    for sequence in (0, 2):
        publisher.send(sequence, 960 * sequence, b"x")
    loses(player, 64)
    # A third of all lost on the way in, a quarter of the rest on the way out.
    block = reported(network, publisher)
    assert block.fraction_lost == 85 + (256 - 85) * 64 // 256
    assert block.lost == 1


def test_no_player_can_claim_any_loss(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    publisher.send(1, 960, b"x")
    loses(player, 255)
    assert reported(network, publisher).fraction_lost == 64


def test_players_that_are_muted_gone_better_or_silent_do_not_count(network: Network) -> None:
    publisher = network.publisher()
    muted, gone, better, silent, loud = (network.player() for _ in range(5))
    publisher.send(1, 960, b"x")
    for player, fraction in ((muted, 60), (gone, 55), (better, 50), (silent, 45), (loud, 9)):
        loses(player, fraction)
    network.plane.set_forwarding(muted.number, False)
    network.plane.remove_peer(gone.number)
    loses(better, 0)
    assert reported(network, publisher).fraction_lost == 45
    loses(loud, 9)
    network.clock.now += 12_001
    assert reported(network, publisher).fraction_lost == 0
    loses(loud, 9)
    assert reported(network, publisher).fraction_lost == 9


def test_a_report_on_another_source_counts_for_nothing(network: Network) -> None:
    publisher, player = network.publisher(), network.player()
    publisher.send(1, 960, b"x")
    player.send_rtcp(rtcp.receiver_report(9, (rtcp.ReportBlock(4_242, 99, 9, 1, 0, 0, 0),), "them"))
    assert reported(network, publisher).fraction_lost == 0


# --- before it is due


def told(network: Network, publisher: RemotePeer, after: int) -> list[int]:
    """What the publisher hears of loss until then (ms from now), in steps of the plane's ticks."""
    heard: list[int] = []
    for _ in range(after // 100):
        network.tick(100)
        heard += [block.fraction_lost for compound in publisher.received_rtcp() for block in compound.reports]
    return heard


def just_told(network: Network) -> tuple[RemotePeer, RemotePeer]:
    """A publisher that has had its report a moment ago, and its player."""
    publisher, player = network.publisher(), network.player()
    publisher.send(1, 960, b"x")
    while not told(network, publisher, 100):
        pass
    return publisher, player


def test_a_publisher_hears_of_a_lossy_network_at_once(network: Network) -> None:
    publisher, player = just_told(network)
    told(network, publisher, EARLY_MS)
    loses(player, 40)
    assert told(network, publisher, 100) == [40]


def test_it_hears_no_more_often_than_it_can_be_told_a_share(network: Network) -> None:
    publisher, player = just_told(network)
    loses(player, 40)
    assert told(network, publisher, EARLY_MS - 100) == []
    assert told(network, publisher, 100) == [40]
    for fraction in (41, 42, 43, 44):
        loses(player, fraction)
    assert told(network, publisher, EARLY_MS - 100) == []


@pytest.mark.parametrize("fraction", [WORSE - 1, 0])
def test_a_little_more_loss_waits_for_the_next_report(network: Network, fraction: int) -> None:
    publisher, player = just_told(network)
    told(network, publisher, EARLY_MS - 100)
    loses(player, fraction)
    assert told(network, publisher, 200) == []


def test_loss_that_is_told_while_the_source_is_away_is_passed_on_when_it_is_back(network: Network) -> None:
    publisher, player = just_told(network)
    told(network, publisher, EARLY_MS)
    publisher.send_rtcp(rtcp.goodbye(77, "them"))
    loses(player, 40)
    assert told(network, publisher, 100) == []
    publisher.send(1, 960, b"x", ssrc=78)
    assert told(network, publisher, 100) == [40]
