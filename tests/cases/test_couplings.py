"""Proves that every case fits where axes have steps or follow others: listed, drawn, shrunk, bisected and kept ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
import torch

from pytest_tsexport.cases.bisection import bisect_changes, by_size
from pytest_tsexport.cases.case import Case, alone, at, is_allowed, moved_axes, off_size, resized
from pytest_tsexport.cases.clock import Clock
from pytest_tsexport.cases.coverage import coupled, given_up, refused, too_large, unvisited
from pytest_tsexport.cases.envelope import right_for
from pytest_tsexport.cases.findings import CaseResult, Findings, Status
from pytest_tsexport.cases.listed import edge_cases, size_cases, unfitted_cases
from pytest_tsexport.cases.padded_cases import lengths, ways
from pytest_tsexport.cases.search import Plan, search
from pytest_tsexport.cases.shrinking import shrink
from pytest_tsexport.cases.visited_sizes import farthest, number_sizes
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Ids
from pytest_tsexport.subjects.domains.masks import Mask
from pytest_tsexport.subjects.fields import Axis, Field, Rule
from pytest_tsexport.subjects.subject import Subject
from tests.cases.small_subjects import BATCH, LENGTH, subject

CELLS = Rule(terms=((Fraction(1, 14), ("height", "width")),), offset=1)
HEIGHT, WIDTH = Axis(name="height", size=28, step=14), Axis(name="width", size=4)
TOKENS = Axis(name="tokens", size=9, rule=CELLS)
FIELDS = (
    Field("tokens", ("batch", "tokens"), Floats(dtype=torch.float32)),
    Field("grid", ("height", "width"), Floats(dtype=torch.float32)),
)
GRID = subject(BATCH, TOKENS, HEIGHT, WIDTH, fields=FIELDS)


def fits(case: Case) -> bool:
    return case.size("height") % 14 == 0 and case.size("tokens") == case.size("height") * case.size("width") // 14 + 1


def test_listed_cases_fit() -> None:
    listed = [*edge_cases(GRID, {31}), *size_cases(GRID)]
    assert all(map(fits, listed))
    assert {case.size("height") for case in listed} >= {14, 42, 56, 70}
    assert all(moved_axes(case, GRID) for case in listed)
    assert {axis for case in listed for axis in moved_axes(case, GRID)} == {"batch", "height", "width"}


def test_an_axis_that_follows_reaches_its_edges() -> None:
    """The tokens are 31 and 32 where the width is 15 and 16."""
    listed = list(edge_cases(GRID, {31}))
    assert {31, 33} <= {case.size("tokens") for case in listed if moved_axes(case, GRID) == ("width",)}


def test_sizes_that_follow_keep_the_users_bounds() -> None:
    bounded = replace(TOKENS, named=True, high=20)
    one = subject(BATCH, bounded, HEIGHT, WIDTH, fields=FIELDS)
    assert max(case.size("tokens") for case in [*edge_cases(one), *size_cases(one)]) <= 20
    assert not is_allowed(at(one, {"width": 11}), one)


def test_a_case_that_is_resized_fits() -> None:
    case = at(GRID, {"height": 60, "width": 3, "tokens": 1})
    assert dict(case.sizes) == {"batch": 2, "tokens": 13, "height": 56, "width": 3}
    assert dict(resized(case, GRID, HEIGHT, 20).sizes) == {"batch": 2, "tokens": 4, "height": 14, "width": 3}


def test_only_free_axes_are_moved() -> None:
    case = alone(GRID, WIDTH, 5)
    assert off_size(case, GRID) == ("tokens", "width")
    assert moved_axes(case, GRID) == ("width",)


def result(case: Case, status: Status = "equal", text: str = "") -> CaseResult:
    return CaseResult(case=case, status=status, breach=status == "wrong", text=text)


def searched(wrong: object) -> Findings:
    plan = Plan(
        subject=GRID,
        essential=[],
        listed=[],
        total=60,
        off_size=True,
        random=Random(3),
        clock=Clock.start(budget=60.0, limit=60.0),
        progress=lambda _line: None,
    )
    judged: list[Case] = []

    def judge(case: Case) -> CaseResult:
        judged.append(case)
        return result(case, "wrong" if wrong(case) else "equal")  # type: ignore[operator]

    found = search(plan, judge)
    assert all(map(fits, judged))
    return found


@pytest.mark.slow
def test_drawn_and_shrunk_cases_fit() -> None:
    assert searched(lambda case: False).smallest is None
    smallest = searched(lambda case: case.size("height") > 28).smallest
    assert smallest is not None
    assert dict(smallest.case.sizes) == {"batch": 1, "tokens": 4, "height": 42, "width": 1}


def test_a_step_is_shrunk_to_the_smallest() -> None:
    case = alone(GRID, HEIGHT, 14 * 40)
    assert shrink(GRID, case, lambda one: one.size("height") >= 14 * 17).size("height") == 14 * 17


def test_a_change_between_steps_is_bisected() -> None:
    seen = [result(alone(GRID, HEIGHT, 14 * 2 * 2)), result(alone(GRID, HEIGHT, 14 * 36), "wrong")]

    def visit(case: Case) -> bool:
        assert fits(case)
        seen.append(result(case, "wrong" if case.size("height") >= 14 * 11 else "equal"))
        return True

    bisect_changes(GRID, lambda: seen, visit)
    sizes = by_size(seen, GRID, HEIGHT)
    assert (sizes[14 * 10], sizes[14 * 11]) == ("equal", "wrong")
    assert len(seen) < 10


def test_a_case_that_is_kept_is_drawn_again() -> None:
    case = alone(GRID, HEIGHT, 56)
    assert Case.from_dict(case.to_dict(), GRID) == case


def test_sizes_that_do_not_fit_are_asked_of_a_fixed_file() -> None:
    cases = list(unfitted_cases(GRID))
    assert [dict(case.sizes) for case in cases] == [
        {"batch": 2, "tokens": 8, "height": 28, "width": 4},
        {"batch": 2, "tokens": 10, "height": 28, "width": 4},
        {"batch": 2, "tokens": 9, "height": 27, "width": 4},
        {"batch": 2, "tokens": 9, "height": 29, "width": 4},
    ]
    assert list(unfitted_cases(subject(BATCH, LENGTH))) == []


def test_axes_that_follow_have_no_range_of_their_own() -> None:
    found = Findings(judged=(result(alone(GRID, WIDTH, 5)),), planned=1)
    assert right_for(found, GRID) == "batch 2 with height 28 with width 4-5"


def test_what_was_left_out_is_told() -> None:
    assert coupled(TOKENS) == ("tokens other than 1/14 * height * width + 1: eager refuses it",)
    assert coupled(HEIGHT) == ("height between steps of 14: eager refuses it",)
    assert coupled(WIDTH) == ()
    assert unvisited(HEIGHT, [alone(GRID, HEIGHT, 56)]) == ("height above 56 and some of 14-42",)


def test_coupled_axes_are_not_padded_alone() -> None:
    text = Ids(dtype=torch.int64, high=50)
    pair = (
        Field("ids", ("batch", "length"), text),
        Field("mask", ("batch", "other"), Mask(dtype=torch.int64)),
    )
    other = Axis(name="other", size=7, rule=Rule(terms=((Fraction(1), ("length",)),)))
    assert list(ways(subject(BATCH, LENGTH, other, fields=pair))) == []
    assert list(ways(subject(BATCH, LENGTH, Axis(name="other", size=7), fields=pair))) != []
    assert lengths(replace(LENGTH, size=28, step=14)) == [14]


def refusals(*refused_sizes: int) -> Iterator[CaseResult]:
    for size in range(1, 10):
        is_refused = size in refused_sizes
        yield result(alone(GRID, WIDTH, size), "both raise" if is_refused else "equal", f"no {size}")


@pytest.mark.parametrize(
    ("sizes", "line"),
    [
        ((), None),
        ((5, 6, 7), None),
        ((1, 5, 6, 7, 8, 9), "width: eager raises at 6 of 8 sizes: no 5"),
    ],
)
def test_an_axis_that_mostly_raises_is_told(sizes: tuple[int, ...], line: str | None) -> None:
    assert refused(WIDTH, list(refusals(*sizes)), GRID) == line


def test_what_is_given_up_is_told_unless_a_strategy_makes_eager_answer() -> None:
    lines = {"width": "width (4): eager refuses 5: no", "dim3": "dim3 (8): eager refuses 9: no"}
    one = replace(GRID, given_up=lines)
    assert given_up(one, list(refusals(*range(1, 10)))) == tuple(lines.values())
    assert given_up(one, list(refusals(1, 2))) == (lines["dim3"],)
    mostly = "width: eager raises at 6 of 8 sizes: no 5"
    assert given_up(one, list(refusals(1, 5, 6, 7, 8, 9))) == (lines["dim3"], mostly)


def test_sizes_past_the_models_maximum_may_raise() -> None:
    assert refused(replace(WIDTH, high=4), list(refusals(5, 6, 7, 8, 9)), GRID) is None


def sizes_of(axis: Axis, *numbers: int, in_source: tuple[int, ...] = ()) -> list[int]:
    return number_sizes(axis, numbers, in_source)


def test_a_number_is_visited_with_its_neighbours_and_its_double() -> None:
    assert sizes_of(LENGTH, 40) == [39, 40, 41, 80, 81]
    assert sizes_of(BATCH, 25) == [24, 25, 26, 50, 51]
    assert sizes_of(LENGTH, 0, 1, 2) == []
    assert sizes_of(LENGTH, 1200) == [1199, 1200, 1201]


def test_a_number_of_the_source_is_visited_where_a_comparison_changes() -> None:
    assert sizes_of(LENGTH, in_source=(40,)) == [40, 41]
    assert sizes_of(LENGTH, in_source=(5,)) == [4, 5]


def test_numbers_keep_to_bounds_and_steps() -> None:
    assert sizes_of(replace(LENGTH, high=40, named=True), 40) == [39, 40]
    assert sizes_of(replace(LENGTH, high=30), 40) == []
    assert sizes_of(HEIGHT, 60) == [56, 112]


def test_a_number_that_is_too_large_is_told() -> None:
    assert farthest(LENGTH) < 3000
    assert sizes_of(LENGTH, 3000) == [2999, 3000, 3001]
    assert sizes_of(LENGTH, 5000) == []
    assert too_large(LENGTH, {3000, 5000}) == (5000,)
    assert unvisited(LENGTH, [], {5000})[-1] == "length 5000: too large to visit"
    assert too_large(replace(LENGTH, high=512), {5000}) == ()


def test_a_subject_without_rules_is_free() -> None:
    one: Subject = subject(BATCH, LENGTH)
    assert one.free == one.axes
