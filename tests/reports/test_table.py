"""The table shows, for a folded export, the difference that takes up most of its tolerance."""

from __future__ import annotations

import math

import pytest

from pytest_tsexport.reports.grouping import gather
from pytest_tsexport.reports.table import table_lines
from pytest_tsexport.verdict import Outcome, Verdict, Worst


def verdict(subject: str, check: str, worst: Worst) -> Verdict:
    return Verdict(
        subject=subject,
        backend="jit",
        check=check,
        outcome=Outcome.PASSED,
        headline="",
        judged=1,
        planned=1,
        worst=worst,
    )


def folded(*worst: tuple[float, float]) -> str:
    """The line of an export whose checks met these differences, each with what was allowed."""
    quiet = Worst(leaf="logits", difference=0.0, allowed=1.0)
    others = [verdict(f"test_{name}", "parity", quiet) for name in "abc"]
    met = [Worst(leaf="logits", difference=one, allowed=allowed) for one, allowed in worst]
    ours = [verdict("test_x", f"check {number}", one) for number, one in enumerate(met)]
    return list(table_lines(gather([*others, *ours]), 80))[-1]


@pytest.mark.parametrize("others", [[(2.0, 1.0)], [(2.0, 1.0), (0.0, 1.0)]])
def test_nan_takes_up_more_than_any_number(others: list[tuple[float, float]]) -> None:
    for worst in ([*others, (math.nan, 1.0)], [(math.nan, 1.0), *others]):
        assert " nan of 1.0e+00 " in folded(*worst)


def test_the_share_of_the_tolerance_counts_and_not_the_difference() -> None:
    assert " 2.0e-03 of 1.0e-03 " in folded((5.0, 10.0), (0.002, 0.001))


def test_without_a_tolerance_the_difference_itself_counts() -> None:
    assert " 3.0e+00 of 0 " in folded((2.0, 1.0), (3.0, 0.0))
    assert " 2.0e+00 of 1.0e+00 " in folded((2.0, 1.0), (1.0, 0.0))
