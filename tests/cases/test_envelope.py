"""Proves that the envelope claims exactly what was visited: right, raising and wrong sizes, axis by axis."""

from __future__ import annotations

import pytest

from pytest_tsexport.cases.bisection import by_size
from pytest_tsexport.cases.cases import at
from pytest_tsexport.cases.envelope import raising, right_for
from pytest_tsexport.cases.findings import Findings, Judged, Status
from tests.cases.test_cases import BOTH, LENGTH

Seen = tuple[tuple[dict[str, int], Status], ...]


def findings(*seen: tuple[dict[str, int], Status]) -> Findings:
    judged = tuple(Judged(case=at(BOTH, sizes), status=status, breach=status == "wrong") for sizes, status in seen)
    return Findings(judged=judged, planned=len(judged))


def test_the_traced_size_is_right_and_the_others_are_what_they_were() -> None:
    found = findings(({"length": 3}, "equal"), ({"length": 9}, "wrong"), ({"length": 1}, "raises"))
    assert by_size(found.judged, BOTH, LENGTH) == {1: "raises", 3: "equal", 7: "equal", 9: "wrong"}


@pytest.mark.parametrize(
    ("one", "other", "worse"),
    [("equal", "wrong", "wrong"), ("raises", "equal", "raises"), ("raises", "wrong", "wrong")],
)
def test_of_two_cases_of_one_size_the_worse_counts(one: Status, other: Status, worse: Status) -> None:
    assert by_size(findings(({"length": 9}, one), ({"length": 9}, other)).judged, BOTH, LENGTH)[9] == worse
    assert by_size(findings(({"length": 9}, other), ({"length": 9}, one)).judged, BOTH, LENGTH)[9] == worse


def test_a_case_that_leaves_two_axes_says_nothing_of_one() -> None:
    assert by_size(findings(({"length": 9, "batch": 3}, "wrong")).judged, BOTH, LENGTH) == {7: "equal"}


def test_right_for_in_words() -> None:
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


def test_all_right_has_no_tail() -> None:
    assert right_for(findings(({"batch": 1}, "equal")), BOTH) == "batch 1-2 with length 7"


@pytest.mark.parametrize(
    ("seen", "notes"),
    [
        ([({"batch": 1}, "raises"), ({"batch": 3}, "raises")], ("batch ≠ 2 raises",)),
        ([({"batch": 1}, "equal"), ({"batch": 3}, "raises"), ({"batch": 4}, "raises")], ("batch 3-4 raises",)),
        ([({"length": 33}, "raises"), ({"length": 9}, "equal")], ("length 33 raises",)),
        ([({"length": 9}, "equal"), ({"batch": 3}, "both raise")], ()),
        ([({"batch": 3, "length": 9}, "raises")], ("(batch=3, length=9) raises",)),
        ([], ()),
    ],
)
def test_where_it_raises(seen: list[tuple[dict[str, int], Status]], notes: tuple[str, ...]) -> None:
    assert raising(findings(*seen), BOTH) == notes


def test_what_is_wrong_together_alone_is_listed_apart() -> None:
    seen: Seen = (({"length": 9}, "equal"), ({"batch": 3}, "equal"), ({"batch": 3, "length": 9}, "wrong"))
    assert right_for(findings(*seen), BOTH) == (
        "batch 2-3 with length 7 … 9        wrong together from (batch=3, length=9)"
    )
    implied: Seen = (({"length": 9}, "wrong"), ({"batch": 3}, "equal"), ({"batch": 3, "length": 12}, "wrong"))
    assert "together" not in right_for(findings(*implied), BOTH)


def test_wrong_sizes_that_end_are_told_with_their_end() -> None:
    seen: Seen = (({"length": 9}, "wrong"), ({"length": 10}, "wrong"), ({"length": 11}, "equal"))
    assert right_for(findings(*seen), BOTH) == "batch 2 with length 7, 11        wrong at length 9-10"


def test_where_eager_ends_wrong_sizes_do_not() -> None:
    seen: Seen = (({"length": 9}, "wrong"), ({"length": 48}, "wrong"), ({"length": 49}, "both raise"))
    assert right_for(findings(*seen), BOTH) == "batch 2 with length 7        wrong from length 9"


def test_too_many_stretches_are_cut_short() -> None:
    seen: list[tuple[dict[str, int], Status]] = [
        ({"length": size}, "wrong" if size % 2 == 0 else "equal") for size in range(1, 14)
    ]
    assert right_for(findings(*seen), BOTH) == (
        "batch 2 with length 1, 3, 5 …        wrong at length 2, and at length 4"
    )


def test_sizes_between_that_were_not_visited_are_not_claimed() -> None:
    seen: list[tuple[dict[str, int], Status]] = [({"length": size}, "equal") for size in (5, 6, 8, 9, 33, 65)]
    assert right_for(findings(*seen), BOTH) == "batch 2 with length 5-9 … 65"


def test_borders_are_read_off_the_noise_floor_where_something_is_wrong() -> None:
    noisy = Judged(case=at(BOTH, {"length": 9}), status="equal", breach=False, above_noise=True)
    wrong = Judged(case=at(BOTH, {"length": 20}), status="wrong", breach=True)
    assert by_size([noisy], BOTH, LENGTH)[9] == "equal"
    assert by_size([noisy, wrong], BOTH, LENGTH)[9] == "wrong"
