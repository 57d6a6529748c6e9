"""Proves that the text claims exactly what was visited: the right, the raising and the wrong sizes of each axis."""

from __future__ import annotations

import pytest

from pytest_tsexport.cases.bisection import by_size
from pytest_tsexport.cases.case import at
from pytest_tsexport.cases.envelope import raising, right_for
from pytest_tsexport.cases.findings import CaseResult, Findings, Status
from tests.cases.small_subjects import BOTH, LENGTH

Seen = tuple[tuple[dict[str, int], Status], ...]


def findings(*seen: tuple[dict[str, int], Status]) -> Findings:
    judged = tuple(CaseResult(case=at(BOTH, sizes), status=status, breach=status == "wrong") for sizes, status in seen)
    return Findings(judged=judged, planned=len(judged))


def test_the_traced_size_is_right_and_each_other_size_has_its_status() -> None:
    found = findings(({"length": 3}, "equal"), ({"length": 9}, "wrong"), ({"length": 1}, "raises"))
    assert by_size(found.judged, BOTH, LENGTH) == {1: "raises", 3: "equal", 7: "equal", 9: "wrong"}


@pytest.mark.parametrize(
    ("one", "other", "worse"),
    [
        ("equal", "wrong", "wrong"),
        ("raises", "equal", "raises"),
        ("raises", "wrong", "wrong"),
        ("both raise", "equal", "equal"),
        ("both raise", "eager raises", "both raise"),
        ("both raise", "unsettled", "both raise"),
        ("eager raises", "equal", "equal"),
        ("unsettled", "unsettled", "eager raises"),
    ],
)
def test_the_worse_of_two_cases_of_one_size_counts(one: Status, other: Status, worse: Status) -> None:
    assert by_size(findings(({"length": 9}, one), ({"length": 9}, other)).judged, BOTH, LENGTH)[9] == worse
    assert by_size(findings(({"length": 9}, other), ({"length": 9}, one)).judged, BOTH, LENGTH)[9] == worse


def test_a_case_off_two_axes_says_nothing_about_one_of_them() -> None:
    assert by_size(findings(({"length": 9, "batch": 3}, "wrong")).judged, BOTH, LENGTH) == {7: "equal"}


def test_the_text_names_right_raising_and_wrong_sizes() -> None:
    found = findings(
        ({"batch": 1}, "raises"),
        ({"batch": 3}, "wrong"),
        ({"length": 1}, "equal"),
        ({"length": 8}, "equal"),
        ({"length": 9}, "wrong"),
        ({"length": 33}, "wrong"),
    )
    assert right_for(found, BOTH) == (
        "batch 2 with length 1 … 8        raises for batch 1; wrong from batch 3, and from length 9"
    )


def test_the_text_ends_there_if_all_sizes_are_right() -> None:
    assert right_for(findings(({"batch": 1}, "equal")), BOTH) == "batch 1-2 with length 7"


@pytest.mark.parametrize(
    ("seen", "notes"),
    [
        ([({"batch": 1}, "raises"), ({"batch": 3}, "raises")], ("batch ≠ 2 raises",)),
        ([({"batch": 1}, "equal"), ({"batch": 3}, "raises"), ({"batch": 4}, "raises")], ("batch 3-4 raises",)),
        ([({"length": 33}, "raises"), ({"length": 9}, "equal")], ("length 33 raises",)),
        ([({"length": 9}, "equal"), ({"batch": 3}, "both raise")], ()),
        ([({"batch": 3, "length": 9}, "raises")], ("(batch=3, length=9) raises",)),
        ([({"batch": 3, "length": 9}, "raises"), ({"batch": 3}, "raises")], ("batch ≠ 2 raises",)),
        ([({"batch": 3, "length": 9}, "equal"), ({"batch": 3}, "equal")], ()),
        (
            [({"length": size}, "raises" if size in (3, 5, 8, 11) else "equal") for size in range(1, 13)],
            ("length 3, 5, 8 … raises",),
        ),
        ([], ()),
    ],
)
def test_the_notes_say_where_it_raises(seen: list[tuple[dict[str, int], Status]], notes: tuple[str, ...]) -> None:
    assert raising(findings(*seen), BOTH) == notes


def test_what_is_wrong_only_in_combination_is_listed_separately() -> None:
    seen: Seen = (({"length": 9}, "equal"), ({"batch": 3}, "equal"), ({"batch": 3, "length": 9}, "wrong"))
    assert right_for(findings(*seen), BOTH) == (
        "batch 2-3 with length 7 … 9        wrong in combination from (batch=3, length=9)"
    )
    implied: Seen = (({"length": 9}, "wrong"), ({"batch": 3}, "equal"), ({"batch": 3, "length": 12}, "wrong"))
    assert "combination" not in right_for(findings(*implied), BOTH)


def test_of_several_wrong_combinations_the_smallest_is_listed() -> None:
    seen: Seen = (({"batch": 9, "length": 9}, "wrong"), ({"batch": 3, "length": 8}, "wrong"), ({"length": 9}, "equal"))
    assert right_for(findings(*seen), BOTH).endswith("wrong in combination from (batch=3, length=8)")


def test_a_combination_is_implied_by_the_nearest_visited_size_below_it() -> None:
    below: Seen = (({"batch": 1, "length": 1}, "wrong"), ({"length": 5}, "wrong"), ({"length": 6}, "equal"))
    assert "combination" not in right_for(findings(*below), BOTH)
    right: Seen = (({"batch": 1, "length": 1}, "wrong"), ({"length": 5}, "equal"), ({"length": 6}, "wrong"))
    assert right_for(findings(*right), BOTH).endswith("; wrong in combination from (batch=1, length=1)")


def test_a_range_of_wrong_sizes_is_given_with_its_end() -> None:
    seen: Seen = (({"length": 9}, "wrong"), ({"length": 10}, "wrong"), ({"length": 11}, "equal"))
    assert right_for(findings(*seen), BOTH) == "batch 2 with length 7, 11        wrong at length 9-10"


def test_wrong_sizes_up_to_the_end_of_eager_have_no_end() -> None:
    seen: Seen = (({"length": 9}, "wrong"), ({"length": 48}, "wrong"), ({"length": 49}, "both raise"))
    assert right_for(findings(*seen), BOTH) == "batch 2 with length 7        wrong from length 9"


def test_only_the_first_ranges_are_listed() -> None:
    seen: list[tuple[dict[str, int], Status]] = [
        ({"length": size}, "wrong" if size % 2 == 0 else "equal") for size in range(1, 14)
    ]
    assert right_for(findings(*seen), BOTH) == (
        "batch 2 with length 1, 3, 5 …        wrong at length 2, and at length 4"
    )


def test_sizes_that_were_not_visited_are_not_claimed() -> None:
    seen: list[tuple[dict[str, int], Status]] = [({"length": size}, "equal") for size in (5, 6, 8, 9, 33, 65)]
    assert right_for(findings(*seen), BOTH) == "batch 2 with length 5-9 … 65"


def test_sizes_between_visited_ones_of_which_one_is_wrong_may_be_wrong_alone() -> None:
    found = findings(({"length": 8}, "equal"), ({"length": 20}, "wrong"), ({"batch": 3, "length": 12}, "wrong"))
    assert "in combination" not in right_for(found, BOTH)
    found = findings(({"length": 20}, "equal"), ({"batch": 4}, "equal"), ({"batch": 3, "length": 12}, "wrong"))
    assert right_for(found, BOTH).endswith("wrong in combination from (batch=3, length=12)")
