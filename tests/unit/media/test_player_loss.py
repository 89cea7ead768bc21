"""The rule by which many players' losses become one number; what the plane does with it: ``plane/test_loss_of_players.py``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.player_loss import MOST, combined


@pytest.mark.parametrize(("own", "players", "told"), [(0, 0, 0), (0, 64, 64), (64, 0, 64), (128, 64, 160), (255, 64, 255), (26, 26, 49)])
def test_losses_of_two_ways_add_up_as_chances_do(own: int, players: int, told: int) -> None:
    assert combined(own, players) == told


@given(st.integers(0, 255), st.integers(0, MOST))
def test_the_whole_way_never_loses_less_than_a_part_of_it(own: int, players: int) -> None:
    assert max(own, players - 1) <= combined(own, players) <= 255
