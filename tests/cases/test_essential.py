"""Proves which cases are always judged: each pattern, and on every axis sizes on both sides and every edge."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pytest_tsexport.cases.case import off_size
from pytest_tsexport.cases.essential import essential_at_traced_size, essential_off_size, essential_sizes
from pytest_tsexport.cases.listed import edge_cases, traced_cases
from pytest_tsexport.cases.patterns import masks_of, values_of
from pytest_tsexport.cases.visited_sizes import edge_sizes, farthest
from pytest_tsexport.subjects.domains.integers import Ids
from pytest_tsexport.subjects.fields import Axis, Field
from tests.cases.small_subjects import BATCH, BOTH, LENGTH, subject

AXES = [
    BATCH,
    LENGTH,
    Axis(name="length", size=1),
    Axis(name="length", size=20, low=10),
    Axis(name="length", size=7, edges=(16, 512)),
    Axis(name="length", size=7, high=64),
    Axis(name="length", size=7, high=131072, edges=(4096,)),
    Axis(name="length", size=7, high=12, named=True),
    Axis(name="length", size=7, low=7, high=7, named=True),
]


@pytest.mark.parametrize(
    ("axis", "sizes"),
    [
        (BATCH, [1, 3, 4, 6, 8]),
        (LENGTH, [1, 6, 8, 14, 21, 33, 65, 129]),
        (Axis(name="length", size=1), [2, 3, 4, 33, 65, 129]),
        (Axis(name="length", size=20, low=10), [10, 19, 21, 33, 40, 65, 80, 129]),
        (Axis(name="length", size=7, edges=(16, 512)), [1, 6, 8, 14, 15, 16, 17, 33, 65, 129, 511, 512, 513]),
        (Axis(name="length", size=7, high=64), [1, 6, 8, 14, 21, 33, 63, 64, 65, 129]),
        (Axis(name="length", size=7, high=12, named=True), [1, 6, 8, 11, 12]),
        (Axis(name="length", size=7, low=7, high=7, named=True), []),
    ],
)
def test_the_essential_sizes_are_these(axis: Axis, sizes: list[int]) -> None:
    assert essential_sizes(axis) == sizes


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_they_are_on_both_sides_at_every_edge_and_none_is_too_large(axis: Axis) -> None:
    sizes, listed = essential_sizes(axis), edge_sizes(axis)
    assert set(sizes) <= set(listed)
    assert any(size < axis.size for size in sizes) is any(size < axis.size for size in listed)
    assert len([size for size in sizes if size > axis.size]) >= min(3, len([one for one in listed if one > axis.size]))
    for edge in (*axis.edges, *([axis.high] if axis.high else [])):
        near = {edge - 1, edge, edge + 1}
        assert {size for size in near if size in listed} <= set(sizes)
    assert all(size <= farthest(axis) for size in sizes)


def test_at_the_traced_size_each_pattern_of_values_and_of_masks_is_essential() -> None:
    cases = essential_at_traced_size(BOTH)
    assert {case.values for case in cases} == set(values_of(BOTH))
    assert {case.mask for case in cases} == set(masks_of(BOTH))
    assert all(off_size(case, BOTH) == () for case in cases)
    assert set(cases) <= set(traced_cases(BOTH))


def test_a_large_vocabulary_is_not_swept_to_find_the_patterns() -> None:
    ids = Ids(dtype=torch.int64, low=0, high=2**20)
    cases = essential_at_traced_size(replace(BOTH, fields=(Field("ids", ("batch", "length"), ids), *BOTH.fields)))
    assert len(cases) < 100


def test_each_axis_is_asked_alone_and_all_axes_once_together() -> None:
    cases = essential_off_size(BOTH, list(edge_cases(BOTH)))
    together = [case for case in cases if len(off_size(case, BOTH)) == 2]
    assert [(case.size("batch"), case.size("length")) for case in together] == [(3, 8)]
    for axis in (BATCH, LENGTH):
        assert [case.size(axis.name) for case in cases if off_size(case, BOTH) == (axis.name,)] == essential_sizes(axis)
    assert [case for case in edge_cases(BOTH) if case in cases] == cases


def test_a_case_that_is_not_listed_is_not_essential_whatever_its_size_is() -> None:
    """Eager may refuse a size, so that `listed` leaves it out."""
    listed = [case for case in edge_cases(BOTH) if case.size("length") != 8]
    cases = essential_off_size(BOTH, listed)
    assert cases
    assert set(cases) <= set(listed)
    assert [case.sizes for case in cases if len(off_size(case, BOTH)) == 2] == [(("batch", 5), ("length", 15))]


def test_a_corner_at_numbers_of_the_code_does_not_take_the_place_of_that_above_the_traced_size() -> None:
    one = replace(BOTH, code_numbers=(3, 5))
    cases = essential_off_size(one, list(edge_cases(one)))
    assert [case.sizes for case in cases if len(off_size(case, one)) == 2] == [(("batch", 3), ("length", 8))]


def test_with_one_axis_nothing_is_asked_together() -> None:
    one = subject(LENGTH)
    assert [case.size("length") for case in essential_off_size(one, list(edge_cases(one)))] == essential_sizes(LENGTH)


def test_without_an_axis_no_size_is_essential() -> None:
    assert essential_off_size(subject(), []) == []
