"""Proves that values and sizes without a case are reported in few words, and that all others are not."""

from __future__ import annotations

import pytest
import torch
from hypothesis import strategies as st

from pytest_tsexport.cases.case import Case, alone, at
from pytest_tsexport.cases.coverage import unswept, unvaried, unvisited
from pytest_tsexport.cases.listed import traced_cases
from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.boxes import Boxes
from pytest_tsexport.subjects.domains.integers import Ids, Integers
from pytest_tsexport.subjects.domains.lengths import Lengths
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.subjects.subject import Subject
from tests.cases.small_subjects import BATCH, BOTH, LENGTH, subject


def of(domain: Domain, **values: object) -> Subject:
    return subject(BATCH, LENGTH, fields=(Field("n", ("batch", "length"), domain),), **values)


def integers(low: int, high: int, **values: object) -> Subject:
    return of(Integers(dtype=torch.int64, low=low, high=high), **values)


def ids(high: int) -> Subject:
    return of(Ids(dtype=torch.int64, high=high))


def test_an_input_of_one_whole_number_is_reported() -> None:
    assert unvaried(integers(7, 8)) == ("n: its example holds only 7, so no other value but 0, 1 and -1 was drawn",)
    assert unvaried(integers(7, 9)) == ()
    assert unvaried(ids(1)) == ()
    assert unvaried(BOTH) == ()


def test_an_input_with_a_strategy_is_not_reported() -> None:
    ours = {"n": st.just(torch.zeros(2, 7))}
    assert unvaried(integers(7, 8, strategies=ours)) == ()
    assert unswept(integers(0, 99, strategies=ours), []) == ()


def test_ids_that_the_sweep_did_not_draw_are_counted() -> None:
    one = ids(30_000)
    assert unswept(one, list(traced_cases(one))[:40]) == ("n: the sweep drew 196 of 30000 ids",)
    assert unswept(one, traced_cases(one)) == ()
    assert unswept(ids(1), []) == ()
    assert unswept(integers(3, 103), []) == ("n: the sweep drew 0 of 100 values",)
    times = integers(0, 2**40)
    assert unswept(times, traced_cases(times)) == ("n: the sweep drew 0 of 1099511627776 values",)


def test_a_sweep_at_another_size_does_not_count() -> None:
    one = ids(100)
    assert unswept(one, [at(one, {"length": 50}, values="sweep")]) == ("n: the sweep drew 0 of 100 ids",)


def test_floats_and_masks_are_not_swept() -> None:
    assert unswept(BOTH, []) == ()


def test_boxes_and_lengths_are_counted_too() -> None:
    boxes = Field("bbox", ("batch", "length", 4), Boxes(dtype=torch.int64, high=100))
    lengths = Field("lengths", ("batch",), Lengths(dtype=torch.int64, axis="length"))
    one = subject(BATCH, LENGTH, fields=(boxes, lengths))
    assert unswept(one, []) == ("bbox: the sweep drew 0 of 100 values", "lengths: the sweep drew 0 of 7 values")
    assert unswept(one, traced_cases(one)) == ()
    assert unvaried(one) == ()


def cases(*sizes: int) -> list[Case]:
    return [alone(BOTH, LENGTH, size) for size in sizes]


@pytest.mark.parametrize(
    ("axis", "sizes", "lines"),
    [
        (LENGTH, range(1, 34), ("length above 33",)),
        (LENGTH, [*range(1, 34), 64, 513], ("length above 513 and most of 34-512",)),
        (LENGTH, [*range(1, 9), 33], ("length above 33 and 9-32",)),
        (LENGTH, [1, 2, 3, 4, 5, 8], ("length above 8 and 6",)),
        (LENGTH, [1, 3, 4, 5, 8], ("length above 8 and some of 2-6",)),
        (Axis(name="length", size=7, high=9), range(1, 10), ()),
        (Axis(name="length", size=7, high=10), [*range(1, 9), 10], ("length 9",)),
        (Axis(name="length", size=7, low=7), [8, 9], ("length above 9",)),
        (
            Axis(name="length", size=7, edges=(2048,)),
            range(1, 9),
            ("length above 8", "length 2048: too large to visit"),
        ),
        (LENGTH, [], ("length above 7 and 1-6",)),
        (LENGTH, [1, 3, 4, 6], ("length above 7 and some of 2-5",)),
        (LENGTH, [1, 3, 6], ("length above 7 and most of 2-5",)),
        (
            Axis(name="length", size=7, edges=(1025, 1026)),
            range(1, 8),
            ("length above 7", "length 1026: too large to visit"),
        ),
        (
            Axis(name="length", size=7, high=2048, edges=(4096,)),
            range(1, 8),
            ("length above 7", "length 2048: too large to visit", "length 4096: too large to visit"),
        ),
        (Axis(name="length", size=7, low=0), [*range(1, 7), 9], ("length above 9 and 8",)),
    ],
)
def test_sizes_that_no_case_has(axis: Axis, sizes: list[int], lines: tuple[str, ...]) -> None:
    assert unvisited(axis, cases(*sizes)) == lines
