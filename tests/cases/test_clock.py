"""Proves that a clock counts its budget and its limit apart, each from the moment when it started."""

from __future__ import annotations

import threading
import time

import pytest

from pytest_tsexport.cases.clock import Clock


@pytest.mark.parametrize(
    ("cpu", "wall", "left", "limit_left"),
    [
        (0.0, 0.0, 5.0, 30.0),
        (2.0, 9.0, 3.0, 21.0),
        (6.0, 9.0, -1.0, 21.0),
        (1.0, 28.0, 2.0, 2.0),
        (1.0, 31.0, -1.0, -1.0),
    ],
)
def test_what_is_left_is_what_the_budget_has_and_never_more_than_the_limit_has(
    cpu: float, wall: float, left: float, limit_left: float
) -> None:
    ticks = {"cpu": 100.0, "wall": 7000.0}
    clock = Clock.start(budget=5.0, limit=30.0, now=lambda: ticks["cpu"], wall=lambda: ticks["wall"])
    ticks.update(cpu=100.0 + cpu, wall=7000.0 + wall)
    assert (clock.left, clock.limit_left) == (left, limit_left)
    assert clock.allows(essential=False) is (left > 0)
    assert clock.allows(essential=True) is (limit_left > 0)


@pytest.mark.slow
def test_by_default_a_thread_that_waits_spends_none_of_its_budget() -> None:
    """As a thread does that a neighbour keeps from running. What another thread does meanwhile is not counted."""
    until = time.monotonic() + 0.3

    def keep_busy() -> None:
        while time.monotonic() < until:
            pass

    clock = Clock.start(budget=0.2, limit=0.1)
    neighbour = threading.Thread(target=keep_busy)
    neighbour.start()
    time.sleep(0.01)
    neighbour.join()
    assert clock.started + clock.budget - clock.now() > 0.1
    assert clock.limit_left < 0
