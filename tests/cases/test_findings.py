"""Proves what is counted, what is worst, and what is said about tie-breaks."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pytest_tsexport.cases.case import at
from pytest_tsexport.cases.findings import CaseResult, Difference, Findings, Status
from tests.cases.small_subjects import BOTH


def result(status: Status, value: float | None = None, *, tie_break: bool = False) -> CaseResult:
    difference = None
    if value is not None:
        difference = Difference(kind="value", leaf="output", text="", value=value, allowed=0.0)
    breach = status == "wrong"
    return CaseResult(case=at(BOTH, {}), status=status, breach=breach, difference=difference, tie_break=tie_break)


def findings(*judged: CaseResult) -> Findings:
    return Findings(judged=judged, planned=len(judged))


def test_what_eager_refuses_and_what_is_unsettled_is_not_counted() -> None:
    seen = [result(status) for status in ("eager raises", "equal", "unsettled", "both raise", "raises", "wrong")]
    found = findings(*seen)
    assert [one.status for one in found.counted] == ["equal", "raises", "wrong"]
    assert found.breaches == (seen[5],)
    assert found.first_breach == 3


def test_without_a_breach_there_is_no_first_and_no_worst() -> None:
    found = findings(result("equal"), result("raises"))
    assert found.first_breach is None
    assert found.worst is None


@pytest.mark.parametrize(
    ("values", "worst"), [((1.0, 3.0, 2.0), 1), ((3.0, math.nan, 9.0), 1), ((3.0, math.inf), 1), ((None, 1.0), 1)]
)
def test_the_breach_with_the_largest_difference_is_the_worst(values: tuple[float | None, ...], worst: int) -> None:
    breaches = [result("wrong", value) for value in values]
    assert findings(*breaches).worst is breaches[worst]


def test_tie_breaks_are_counted_among_the_counted_cases() -> None:
    seen = [result("equal", tie_break=True), result("equal"), result("eager raises")]
    assert findings(*seen).tie_break_notes == ("1 of 2 cases differ only by a tie-break decided by rounding",)
    assert findings(result("equal")).tie_break_notes == ()


def test_a_result_without_a_comparison_came_near_nothing() -> None:
    one = result("raises")
    assert (one.nearest, one.hidden, one.tie_break, one.text) == ((0.0, 0.0, ""), {}, False, "")


def test_a_breach_whose_difference_is_unknown_is_the_least() -> None:
    """A raise where the contract is dynamic has no difference."""
    unknown, small = result("wrong"), result("wrong", 1e-9)
    assert findings(unknown, small).worst is small
    assert findings(unknown).worst is unknown


def test_what_both_refuse_has_a_count_of_its_own() -> None:
    found = findings(result("equal"), result("both raise"), result("eager raises"), result("both raise"))
    assert len(found.both_raise) == 2
    assert found.both_raise_notes == ("in 2 of 4 cases both raise, so nothing was compared",)
    assert findings(result("equal")).both_raise_notes == ()


def test_where_the_contract_is_a_raise_both_raise_is_what_was_asked() -> None:
    wanted = replace(result("both raise"), wanted_raise=True)
    found = findings(wanted, result("both raise"))
    assert found.counted == (wanted,)
    assert len(found.both_raise) == 1
