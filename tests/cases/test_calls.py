"""Proves which cases have calls with other values in between, and that this follows from the case alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_tsexport.cases.calls import CALLS, EVERY, calls_between, equal_calls
from pytest_tsexport.cases.case import Case, at
from pytest_tsexport.cases.listed import edge_cases, traced_cases
from tests.cases.small_subjects import BOTH

FIRST = at(BOTH, {})


def test_equal_calls_come_first_then_larger_values_and_the_case_again() -> None:
    *equal, other, last = calls_between(FIRST)
    assert tuple(equal) == equal_calls(FIRST) == (FIRST,) * CALLS
    assert other == replace(FIRST, seed=1, values="extremes")
    assert last == FIRST


def test_the_examples_own_values_stay_its_own_in_between() -> None:
    case = replace(FIRST, values="permuted")
    assert calls_between(case)[-2] == replace(case, seed=1)


@pytest.mark.parametrize(
    "case",
    [
        replace(FIRST, seed=1),
        replace(FIRST, seed=EVERY + 1),
        replace(FIRST, values="nan"),
        replace(FIRST, values="extremes"),
        replace(FIRST, example=0),
    ],
)
def test_most_cases_have_equal_calls_only(case: Case) -> None:
    assert calls_between(case) == ()


def test_some_cases_at_the_traced_size_and_off_it_have_calls_in_between() -> None:
    traced = [case for case in traced_cases(BOTH) if calls_between(case)]
    assert traced[0] == FIRST
    assert len(traced) < 5
    assert any(calls_between(case) for case in edge_cases(BOTH))
