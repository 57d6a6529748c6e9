"""Proves that on a machine so slow that the budget pays for nothing, no right export is red and no wrong one green."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest

from pytest_tsexport.testing import Specimen, judge_specimen, right, wrong
from pytest_tsexport.verdict import Outcome
from tests.quality.turns import one_in

SEARCHING = ("parity", "shapes", "padding")
CASES = 60

NEED_MORE = {
    *("OneIdInFifty", "SkipsIdleExperts", "CapsBatch", "CapsRows"),
    *("FileCountsElements", "FileCuts", "GainOfHundreds", "MatchesOneLength", "TunedBatches"),
}
"""Faults of rare values, and of sizes that only the source or the file names: the budget pays for more cases."""

ELSEWHERE = {"source", "ties"}
"""Families that no check that searches is about."""


@pytest.fixture
def crawling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which an hour of CPU time passes between any two looks at the clock, and no wall time at all."""
    ticks = count()
    clock = SimpleNamespace(monotonic=lambda: 0.0, thread_time=lambda: 3600.0 * next(ticks))
    monkeypatch.setattr("pytest_tsexport.comparison.evidence.time", clock)


def outcomes(specimen: Specimen) -> dict[str, Outcome]:
    verdicts = judge_specimen(specimen, checks=SEARCHING, max_examples=CASES)
    return {check: verdict.outcome for check, verdict in verdicts.items()}


FOUND = [one for one in wrong() if not one.refused and set(one.fails) & set(SEARCHING) and one.title not in NEED_MORE]
RIGHT = [one for one in right() if one.family not in ELSEWHERE]


@pytest.mark.slow
@pytest.mark.usefixtures("crawling")
@one_in(8, "specimen", FOUND, lambda one: one.title)
def test_a_wrong_one_is_found_by_its_essential_cases(specimen: Specimen) -> None:
    found = outcomes(specimen)
    for check in set(specimen.fails) & set(SEARCHING):
        assert found[check] is Outcome.FAILED


@pytest.mark.slow
@pytest.mark.usefixtures("crawling")
@one_in(12, "specimen", RIGHT, lambda one: one.title)
def test_a_right_one_is_green_and_not_only_unaccused(specimen: Specimen) -> None:
    assert set(outcomes(specimen).values()) <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}


def test_what_needs_more_than_the_essential_cases_is_a_fault_of_rare_values() -> None:
    assert {one.family for one in wrong() if one.title in NEED_MORE} == {"routing", "named size", "coupled axes"}
