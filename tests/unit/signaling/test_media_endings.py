"""How each end of media is told, and what the SDKs make of it according to their packages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from calls.media_session import MediaEnd, MediaRole
from signaling.media_endings import AFTER_CLOSE, BAD_OFFER, CLOSES, EXPIRED, FULL, Action, after_close

GUIDE = Path(__file__).parents[3] / "docs" / "troubleshooting.md"

VERSIONS = ("1.4.0", "1.12.0", "1.19.0", "2.5.0", "2.9.1", "2.13.0", "2.14.0", "2.16.1", "2.17.0", "2.22.0", "2.25.1", "2.26.2", "3.12.0")

COMES_BACK = {
    MediaEnd.MEDIA_LOST,
    MediaEnd.SOCKET_LOST,
    MediaEnd.SESSION_LOST,
    MediaEnd.STREAM_LOST,
    MediaEnd.STREAM_MOVED,
    MediaEnd.NODE_STOPPED,
}
"""Accidents, and the ends that have the client go elsewhere. All others are somebody's will."""


def test_every_end_has_its_form() -> None:
    assert set(CLOSES) == set(MediaEnd)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("role", MediaRole)
def test_every_version_comes_back_after_an_accident_and_stays_away_after_a_refusal(version: str, role: MediaRole) -> None:
    rules = after_close(version)
    back = {end for end, close in CLOSES.items() if rules.tries_again(role, close.understood_by(version))}
    assert back == COMES_BACK
    assert rules.tries_again(role, FULL.understood_by(version))
    assert not rules.tries_again(role, BAD_OFFER.understood_by(version))
    assert not rules.tries_again(role, EXPIRED.understood_by(version))


@pytest.mark.parametrize(
    ("version", "since"),
    [
        ("1.4.0", (1, 4, 0)),
        ("1.12.0", (1, 4, 0)),
        ("2.14.0", (2, 5, 0)),
        ("2.16.1", (2, 5, 0)),
        ("2.26.2", (2, 25, 1)),
        ("3.12.0.1234", (2, 25, 1)),
        ("0.1.0", (1, 4, 0)),
        ("", (1, 4, 0)),
        ("99999999999999999999.1.1", (1, 4, 0)),
    ],
)
def test_a_version_is_found_among_the_rules(version: str, since: tuple[int, int, int]) -> None:
    assert after_close(version).since == since


def test_only_clients_that_know_how_are_sent_to_ask_the_room_again() -> None:
    away = CLOSES[MediaEnd.NODE_STOPPED]
    assert away.understood_by("1.19.0").action is Action.NEXT_ADDRESS
    assert away.understood_by("2.5.0") is away
    assert json.loads(away.err_info) == {"action": 6}


def test_the_guide_has_the_actions_of_every_version() -> None:
    rows = re.findall(r"^\| (?:from )?(\d+\.\d+\.\d+) \| ([\d, ]+) \| ([\d, ]+) \| ([\d, ]+) \|$", GUIDE.read_text("utf-8"), re.MULTILINE)
    numbers = [tuple(frozenset(int(number) for number in cell.split(",")) for cell in cells) for _, *cells in rows]
    assert [tuple(map(int, version.split("."))) for version, *_ in rows] == [rules.since for rules in AFTER_CLOSE]
    assert numbers == [(rules.actions, rules.publisher_reasons, rules.player_reasons) for rules in AFTER_CLOSE]
