"""A map of sizes shows each visit at its place, and never calls a size right that nobody looked at."""

from __future__ import annotations

from dataclasses import replace

from pytest_tsexport.reports.size_map import NOT_LOOKED_AT, STATUSES, SizeMap, beyond, size_maps
from pytest_tsexport.verdict import Verdict, Visit
from tests.reports.test_json_report import FAILED

TWO = replace(
    FAILED,
    axes={"batch": 2, "sequence": 7},
    counterexample={"sizes": {"batch": 3, "sequence": 2}},
    visits=(
        Visit(sizes=(2, 1), status="equal"),
        Visit(sizes=(2, 9), status="wrong"),
        Visit(sizes=(3, 2), status="wrong"),
        Visit(sizes=(1, 7), status="raises"),
        Visit(sizes=(6, 7), status="eager raises"),
    ),
)
SIGNS = {"right": ".", "raises": "r", "wrong": "x", "eager raises": "-", "unsettled": "?", NOT_LOOKED_AT: " "}


def drawn(size_map: SizeMap) -> list[str]:
    """A line for the columns and for each row: a gap is in parentheses, the traced size has a T beside it."""

    def signs(row: object) -> str:
        assert isinstance(row, tuple)
        marks = ("T" if cell.is_traced else "C" if cell.is_counterexample else "" for cell in row)
        return "|".join(SIGNS[cell.status] + mark for cell, mark in zip(row, marks, strict=True))

    heads = [str(one) if one.visited else f"({one})" for one in size_map.columns]
    rows = [f"{head if head.visited else f'({head})'}: {signs(cells)}" for head, cells in size_map.rows]
    return [f"{size_map.down}/{size_map.across}: {' '.join(heads)}", *rows]


def test_two_axes_make_one_map_with_gaps_where_nothing_was_visited() -> None:
    (one,) = size_maps(TWO, "right")
    assert drawn(one) == [
        "batch/sequence: 1 2 (3-6) 7 (8) 9",
        "1:  | | |r| | ",
        "2: .| | |.T| |x",
        "3:  |xC| | | | ",
        "(4-5):  | | | | | ",
        "6:  | | |-| | ",
    ]


def test_one_axis_makes_one_row() -> None:
    (one,) = size_maps(FAILED)
    assert drawn(one) == ["/batch: 1 2 3", "2: .| T|xC"]
    assert one.others == ""


def test_the_traced_size_is_not_called_right_unless_its_own_check_says_so() -> None:
    for said in ("right", "wrong", NOT_LOOKED_AT):
        (one,) = size_maps(TWO, said)
        (traced,) = [cell for _, cells in one.rows for cell in cells if cell.is_traced]
        assert traced.status == said


def test_three_axes_make_a_map_for_each_pair_at_the_traced_size_of_the_third() -> None:
    three = replace(
        TWO,
        axes={"batch": 2, "a": 3, "b": 4},
        counterexample={"sizes": {"batch": 1, "a": 3, "b": 5}},
        visits=(
            Visit(sizes=(1, 3, 5), status="wrong"),
            Visit(sizes=(2, 5, 4), status="equal"),
            Visit(sizes=(1, 2, 3), status="wrong"),
        ),
    )
    maps = size_maps(three, "right")
    assert [(one.down, one.across, one.others) for one in maps] == [
        ("batch", "a", "b=4"),
        ("batch", "b", "a=3"),
        ("b", "a", "batch=2"),
    ]
    assert sum(cell.status == "wrong" for one in maps for _, cells in one.rows for cell in cells) == 1
    assert beyond(three) == ("batch=1, a=2, b=3",)


def test_a_verdict_that_varied_nothing_has_no_map() -> None:
    assert size_maps(replace(FAILED, axes={}, visits=())) == ()


def test_every_status_of_a_visit_has_a_word() -> None:
    documented = Visit.__doc__ or ""
    assert all(f'"{status}"' in documented for status in STATUSES)
    assert documented.count('"') == 2 * len(STATUSES)


def test_an_unknown_axis_of_a_counterexample_is_at_its_traced_size() -> None:
    kept: Verdict = replace(TWO, counterexample={"sizes": {"sequence": 9}})
    (one,) = size_maps(kept)
    assert [cell.is_counterexample for _, cells in one.rows for cell in cells].count(True) == 1
