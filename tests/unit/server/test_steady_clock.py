"""The clock of media: packets and silences are measured by it."""

from __future__ import annotations

import time

import pytest

from server.app import steady_clock


def test_it_starts_at_the_machines_time() -> None:
    assert abs(steady_clock()() - time.time_ns() // 1_000_000) < 1_000


@pytest.mark.parametrize("step_seconds", [-3_600, 3_600])
def test_setting_the_machines_clock_does_not_move_it(monkeypatch: pytest.MonkeyPatch, step_seconds: int) -> None:
    now, monotonic = 1_700_000_000_000_000_000, 5_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: now)
    monkeypatch.setattr(time, "monotonic_ns", lambda: monotonic)
    clock = steady_clock()
    now += step_seconds * 1_000_000_000
    monotonic += 20_000_000
    assert clock() == 1_700_000_000_020
