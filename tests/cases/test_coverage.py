"""Proves that what no case held is told, shortly, and that what was looked at is not."""

from __future__ import annotations

import pytest
import torch
from hypothesis import strategies as st

from pytest_tsexport.cases.cases import Case, alone, at, traced_cases
from pytest_tsexport.cases.coverage import unswept, unvaried, unvisited
from pytest_tsexport.subjects.fields import Axis, Domain, Field, Kind
from pytest_tsexport.subjects.subject import Subject
from tests.cases.test_cases import BATCH, BOTH, LENGTH, subject


def integers(low: int, high: int, kind: Kind = "integers", **values: object) -> Subject:
    domain = Domain(kind=kind, dtype=torch.int64, low=low, high=high)
    return subject(BATCH, LENGTH, fields=(Field("n", ("batch", "length"), domain),), **values)


def test_a_whole_number_that_the_example_does_not_vary_is_told() -> None:
    assert unvaried(integers(7, 8)) == ("n: its example holds 7 alone, and no other value was drawn",)
    assert unvaried(integers(7, 9)) == ()
    assert unvaried(integers(0, 1, "ids")) == ()
    assert unvaried(BOTH) == ()


def test_what_a_strategy_draws_is_the_users() -> None:
    ours = {"n": st.just(torch.zeros(2, 7))}
    assert unvaried(integers(7, 8, strategies=ours)) == ()
    assert unswept(integers(0, 99, strategies=ours), []) == ()


def test_ids_that_there_was_no_room_for_are_counted() -> None:
    one = integers(0, 30_000, "ids")
    assert unswept(one, list(traced_cases(one))[:20]) == ("n: 56 of 30000 ids were drawn in turn",)
    assert unswept(one, traced_cases(one)) == ()
    assert unswept(integers(3, 103), []) == ("n: 0 of 100 values were drawn in turn",)
    times = integers(0, 2**40)
    assert unswept(times, traced_cases(times)) == ("n: 0 of 1099511627776 values were drawn in turn",)


def test_a_sweep_at_another_size_is_another() -> None:
    one = integers(0, 100, "ids")
    assert unswept(one, [at(one, {"length": 50}, values="sweep")]) == ("n: 0 of 100 ids were drawn in turn",)


def test_floats_and_masks_have_no_end_to_tell_of() -> None:
    assert unswept(BOTH, []) == ()


def cases(*sizes: int) -> list[Case]:
    return [alone(BOTH, LENGTH, size) for size in sizes]


@pytest.mark.parametrize(
    ("axis", "sizes", "told"),
    [
        (LENGTH, range(1, 34), ("length above 33",)),
        (LENGTH, [*range(1, 34), 64, 513], ("length above 513 and most of 34-512",)),
        (LENGTH, [*range(1, 9), 33], ("length above 33 and 9-32",)),
        (LENGTH, [1, 2, 3, 4, 5, 8], ("length above 8 and 6",)),
        (LENGTH, [1, 3, 4, 5, 8], ("length above 8 and some of 2-6",)),
        (Axis(name="length", size=7, high=9), range(1, 10), ()),
        (Axis(name="length", size=7, high=10), [*range(1, 9), 10], ("length 9",)),
        (Axis(name="length", size=7, low=7), [8, 9], ("length above 9",)),
        (Axis(name="length", size=7, edges=(2048,)), range(1, 9), ("length above 8", "length 2048: too far")),
        (LENGTH, [], ("length above 7 and 1-6",)),
    ],
)
def test_sizes_that_no_case_has(axis: Axis, sizes: list[int], told: tuple[str, ...]) -> None:
    assert unvisited(axis, cases(*sizes)) == told
