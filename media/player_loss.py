"""What the players of a stream lose, for the receiver reports to its publisher.

Without a node in between, a publisher would hear from its listener what got lost on the whole way, and turn on Opus' in-band error
correction. With one, it hears of the way to the node only: on a lossy last mile it would send sound without correction, and the
node would make that network worse. So the ``fraction lost`` of our reports is that of the whole way: our own reception combined
with the players'.

Players differ, and the publisher encodes once for all of them. Told is the loss that nine of ten players stay below: up to nine
players that is the worst one's, so a small room gets what its weakest member needs; in a larger room the worst tenth does not decide
how everybody sounds. It is capped at a quarter: libwebrtc's Opus encoder has its strongest correction from 20 % on, so more would
tell it nothing, and one broken (or hostile) player must not have the publisher's rate cut to nothing.

The cumulative number of lost packets stays that of our own reception. libwebrtc's error correction follows ``fraction lost``, its
bandwidth estimate follows the cumulative number: the network of one player is no reason for a publisher to send less to all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from media.player import Player

MOST = 64
"""256ths that players add at most."""
FRESH_MS = 15_000
"""A report counts for so long. Browsers report on sound every 5 s at the slowest (RFC 3550 §6.2), and a report may get lost."""


class PlayerLoss:
    """The reports of the players of one stream. Only those who lose something are kept."""

    __slots__ = ("_losing", "fresh")

    def __init__(self) -> None:
        self.fresh = False
        """Somebody has reported a loss since this was last set to False."""
        self._losing: dict[Player, tuple[int, int]] = {}
        """Fraction lost (256ths) and when it was told (epoch ms)."""

    def reported(self, player: Player, fraction_lost: int, now: int) -> None:
        if fraction_lost:
            self._losing[player] = fraction_lost, now
            self.fresh = True
        else:
            self._losing.pop(player, None)

    def forget(self, player: Player) -> None:
        """It is not sent to any more."""
        self._losing.pop(player, None)

    def fraction(self, players: int, now: int) -> int:
        """What to tell (256ths), of ``players`` who are sent to."""
        if not self._losing:
            return 0
        fresh = sorted((lost for lost, told in self._losing.values() if now - told <= FRESH_MS), reverse=True)
        ignored = players // 10
        return min(fresh[ignored], MOST) if len(fresh) > ignored else 0


def combined(own: int, players: int) -> int:
    """Loss of two ways one behind the other, in 256ths."""
    return min(255, own + (256 - own) * players // 256)
