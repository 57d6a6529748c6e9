"""Proves that a slow machine makes nothing green and nothing wrong: what is essential is judged, or nothing is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import exporters, right_padding, right_sizes, wrong_values
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_routing as routing
from pytest_tsexport.testing import wrong_sizes as sizes
from pytest_tsexport.testing.specimen import Inputs, masked_ids, rows
from pytest_tsexport.verdict import Outcome, Verdict

SEARCHING = ("parity", "shapes", "padding")


def judged(check: str, model: nn.Module, inputs: Inputs, *, timeout: float | None = None, **keywords: Any) -> Verdict:
    policy = from_keywords({"inputs": inputs, "checks": check, **keywords})
    policy = replace(policy, options=replace(policy.options, seed=0, timeout=timeout))
    one = export(model, policy, name="it")
    try:
        return one.check(check)
    finally:
        one.close()


@pytest.fixture
def stop_watch(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets the wall clock of every search move by so many seconds each time that it is read."""

    def moves_by(seconds: float) -> None:
        ticks = count()
        clock = SimpleNamespace(monotonic=lambda: seconds * next(ticks), thread_time=lambda: 0.0)
        monkeypatch.setattr("pytest_tsexport.comparison.evidence.time", clock)

    return moves_by


@pytest.mark.parametrize("check", SEARCHING)
def test_the_essential_cases_are_judged_whatever_the_budget_is(check: str) -> None:
    found = judged(check, wrong_values.MaskedMean(), masked_ids()(), budget=1e-9)
    assert found.outcome is Outcome.PASSED
    assert found.judged >= 8
    assert any("no time left in the budget" in line for line in found.not_covered)


def test_what_there_was_no_time_for_is_counted() -> None:
    found = judged("parity", made.Plain(), rows()(), budget=1e-9)
    assert (found.outcome, found.judged, found.planned) == (Outcome.PASSED, 22, 100)
    assert "78 of 100 cases: no time left in the budget" in found.not_covered


def test_with_time_for_all_nothing_is_said_about_time() -> None:
    found = judged("parity", made.Plain(), rows()(), max_examples=20)
    assert not any("no time" in line for line in found.not_covered)


@pytest.mark.parametrize(
    ("check", "done", "essential"), [("parity", 0, 17), ("parity", 3, 17), ("shapes", 2, 14), ("padding", 5, 16)]
)
def test_a_check_whose_essential_cases_do_not_end_in_time_says_nothing(
    check: str, done: int, essential: int, stop_watch: Callable[[float], None]
) -> None:
    """The clock is read once at the start, and then once before each case."""
    stop_watch(1.0)
    reads = 2 * done + 1 if check == "padding" else done
    found = judged(check, wrong_values.MaskedMean(), masked_ids()(), timeout=reads + 0.5)
    assert found.outcome is Outcome.TOO_SLOW
    assert found.headline.startswith(f"too slow: {found.judged} of ")
    assert found.headline.endswith(f" essential cases in {reads + 0.5:g} s (--ts-timeout); not judged")
    if check != "padding":
        assert found.headline.startswith(f"too slow: {done} of {essential} ")
    assert found.rows == (
        ("traced at", "ids, mask (batch=2, dim1=7)"),
        ("fix", "raise --ts-timeout, trace with smaller inputs=, or see what else keeps this machine busy"),
    )
    assert "wrong" not in found.headline


@pytest.mark.parametrize(("check", "model"), [("parity", routing.ConstantFromExample), ("shapes", sizes.BakesLength)])
def test_what_was_found_wrong_before_the_time_limit_is_wrong(
    check: str, model: type[nn.Module], stop_watch: Callable[[float], None]
) -> None:
    stop_watch(1.0)
    found = judged(check, model(), rows()(), timeout=1.5)
    assert found.outcome is Outcome.FAILED
    assert not found.headline.startswith("too slow")


def test_sizes_above_the_traced_one_are_seen_on_the_slowest_machine() -> None:
    """Before, the smallest cases came first, and ten of them were enough for a green check."""

    class WrongWhenLong(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 3 if x.shape[1] > 7 else x * 2

    found = judged("shapes", WrongWhenLong(), rows()(), budget=1e-9)
    assert (found.outcome, found.headline) == (Outcome.FAILED, "silently wrong outside the traced size")


@pytest.mark.slow
def test_a_frozen_mask_is_seen_on_the_slowest_machine() -> None:
    """Before, masks were not among the first cases."""
    found = judged("parity", wrong_values.FrozenMask(), masked_ids()(), budget=1e-9)
    assert found.outcome is Outcome.FAILED


@pytest.mark.slow
@pytest.mark.parametrize("check", ["parity", "shapes"])
def test_tie_breaks_of_essential_cases_are_settled_whatever_the_budget_is(check: str) -> None:
    """Else the first one would spend all time, and a real difference after it would pass as one that may be another."""
    last: dict[str, Any] = {"export": exporters.instead(right_padding.PicksLast)}
    found = judged(check, right_padding.TiedMeans(), masked_ids()(), budget=1e-9, **last)
    assert (found.outcome, found.judged) == (Outcome.PASSED, 17 if check == "parity" else 14)
    assert found.notes[0] == f"{found.judged} of {found.judged} cases differ only by a tie-break decided by rounding"


@pytest.mark.parametrize("cases", [1, 5_000_000])
def test_the_essential_cases_do_not_depend_on_the_number_of_examples(cases: int) -> None:
    found = judged("shapes", right_sizes.PositionsFromShape(), rows()(), max_examples=cases, budget=1e-9)
    assert (found.outcome, found.judged) == (Outcome.PASSED, 14)
