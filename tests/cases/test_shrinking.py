"""Proves that a breach is shrunk along every axis: small sizes one by one, then by bisection."""

from __future__ import annotations

import pytest

from pytest_tsexport.cases.case import Case, at
from pytest_tsexport.cases.shrinking import SHRINKS, corners, shrink
from pytest_tsexport.subjects.fields import Axis
from tests.cases.small_subjects import BATCH, BOTH, LENGTH, subject


class Visits:
    """Breaches at these lengths, and at every length from `start` on."""

    def __init__(self, *lengths: int, start: int) -> None:
        self._lengths = lengths
        self._start = start
        self.seen: list[int] = []

    def breaks(self, case: Case) -> bool:
        length = case.size("length")
        self.seen.append(length)
        return length in self._lengths or length >= self._start


ONLY_LENGTH = subject(LENGTH)


@pytest.mark.parametrize("start", [13, 14, 200, 500])
def test_a_threshold_is_found_exactly_and_in_few_visits(start: int) -> None:
    visits = Visits(start=start)
    assert shrink(ONLY_LENGTH, at(ONLY_LENGTH, {"length": 500}), visits.breaks).size("length") == start
    assert len(visits.seen) <= SHRINKS + 9


@pytest.mark.parametrize(("single", "found"), [(1, 1), (11, 11), (12, 12), (13, 40)])
def test_a_single_small_size_is_found_among_the_first_twelve(single: int, found: int) -> None:
    visits = Visits(single, start=40)
    assert shrink(ONLY_LENGTH, at(ONLY_LENGTH, {"length": 64}), visits.breaks).size("length") == found
    assert visits.seen[: min(single, SHRINKS)] == list(range(1, min(single, 12) + 1))


def test_small_sizes_start_at_the_lowest_that_the_user_allows() -> None:
    bounded = subject(Axis(name="length", size=7, low=5, named=True))
    visits = Visits(start=9)
    assert shrink(bounded, at(bounded, {"length": 30}), visits.breaks).size("length") == 9
    assert min(visits.seen) == 5


def test_the_smallest_size_that_is_allowed_is_not_shrunk() -> None:
    bounded = subject(Axis(name="length", size=7, low=5, named=True))
    visits = Visits(start=1)
    assert shrink(bounded, at(bounded, {"length": 5}), visits.breaks).size("length") == 5
    assert visits.seen == []


def test_every_axis_is_shrunk() -> None:
    case = at(BOTH, {"batch": 8, "length": 33})
    found = shrink(BOTH, case, lambda one: one.size("batch") >= 3 and one.size("length") >= 20)
    assert (found.size("batch"), found.size("length")) == (3, 20)


def test_a_real_example_is_not_shrunk() -> None:
    example = Case(sizes=(("batch", 8), ("length", 33)), example=0)
    assert shrink(BOTH, example, lambda _: True) is example


def test_the_first_breach_of_every_set_of_axes_is_a_corner() -> None:
    alone, both, traced = at(BOTH, {"length": 9}), at(BOTH, {"batch": 3, "length": 9}), at(BOTH, {})
    assert corners(BOTH, [alone, both, at(BOTH, {"length": 8}), traced]) == [alone, both, traced]
    assert BATCH.size == 2
