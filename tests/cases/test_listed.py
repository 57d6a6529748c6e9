"""Proves that the sizes, values and masks that matter most are always visited, small ones first."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.cases.case import off_size, tensors
from pytest_tsexport.cases.listed import (
    edge_cases,
    edge_sizes,
    example_cases,
    farthest,
    farthest_drawn,
    odd_cases,
    size_cases,
    traced_cases,
)
from pytest_tsexport.cases.patterns import masks_of, values_of
from pytest_tsexport.subjects.domains.masks import Switch
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.subjects.user_examples import Example
from tests.cases.small_subjects import BATCH, BOTH, LENGTH, subject


@pytest.mark.parametrize(
    ("axis", "sizes"),
    [
        (LENGTH, {1, 2, 6, 8, 14, 33, 64, 65, 128, 129, 256, 257, 512, 513}),
        (BATCH, {1, 3, 4, 8}),
        (Axis(name="length", size=1), {2, 33}),
        (Axis(name="length", size=7, edges=(16,)), {15, 16, 17}),
        (Axis(name="length", size=7, edges=(16, 512)), {15, 16, 17, 511, 512, 513}),
        (Axis(name="length", size=7, high=48), {47, 48, 49}),
        (Axis(name="length", size=7, low=5), {5, 6, 8}),
    ],
)
def test_edges_are_visited(axis: Axis, sizes: set[int]) -> None:
    visited = edge_sizes(axis)
    assert sizes <= set(visited)
    assert axis.size not in visited
    assert min(visited) >= max(axis.low, 1)
    assert visited == sorted(set(visited))


BEYOND_33 = [64, 65, 128, 129, 256, 257, 512, 513]


@pytest.mark.parametrize(
    ("axis", "sizes"),
    [
        (BATCH, [1, 3, 4, 6, 8, 33]),
        (LENGTH, [1, 2, 3, 4, 6, 8, 14, 21, 33, *BEYOND_33]),
        (Axis(name="length", size=20, low=10), [10, 11, 19, 21, 33, 40, 60, 64, 65, 80, *BEYOND_33[2:]]),
        (Axis(name="length", size=7, edges=(16,)), [1, 2, 3, 4, 6, 8, 14, 15, 16, 17, 21, 32, 33, *BEYOND_33]),
        (Axis(name="length", size=7, high=64), [1, 2, 3, 4, 6, 8, 14, 21, 33, 63, 64, 65, 128, 129]),
        (Axis(name="length", size=7, high=12, named=True), [1, 2, 3, 4, 6, 8, 11, 12]),
        (Axis(name="batch", size=2, edges=(1025,)), [1, 3, 4, 6, 8, 33, 1024, 1025]),
    ],
)
def test_the_edges_are_these(axis: Axis, sizes: list[int]) -> None:
    assert edge_sizes(axis) == sizes


def test_a_maximum_that_the_user_declared_is_not_exceeded() -> None:
    assert max(edge_sizes(Axis(name="length", size=7, high=12, named=True))) <= 12


@pytest.mark.parametrize(
    ("axis", "far"),
    [
        (BATCH, 8),
        (LENGTH, 33),
        (Axis(name="length", size=20), 80),
        (Axis(name="length", size=7, high=10), 10),
        (Axis(name="length", size=7, high=512), 33),
    ],
)
def test_the_farthest_size_that_is_drawn(axis: Axis, far: int) -> None:
    assert farthest_drawn(axis) == far


@pytest.mark.parametrize(("size", "far"), [(7, 1025), (128, 1025), (200, 1601)])
def test_the_farthest_size_that_is_visited(size: int, far: int) -> None:
    assert farthest(Axis(name="length", size=size)) == far


def test_each_axis_alone_and_all_axes_together_small_cases_first() -> None:
    cases = list(edge_cases(BOTH))
    alone = {off_size(case, BOTH) for case in cases}
    assert {("batch",), ("length",), ("batch", "length")} <= alone
    assert () not in alone
    volumes = [case.volume for case in cases]
    assert volumes == sorted(volumes)
    assert len(cases) == len(set(cases))
    assert any(case.size("batch") == 1 and case.size("length") == 1 for case in cases)


def test_every_single_size_that_may_be_drawn_is_listed_small_ones_first() -> None:
    cases = list(size_cases(BOTH))
    assert [case.size("length") for case in cases if off_size(case, BOTH) == ("length",)] == [
        *range(1, 7),
        *range(8, 34),
    ]
    assert [case.size("batch") for case in cases if off_size(case, BOTH) == ("batch",)] == [1, 3, 4, 5, 6, 7, 8]


def test_no_axis_is_ever_empty() -> None:
    """A model may be traced at size 1, and its axis may allow 0."""
    axes = tuple(Axis(name=name, size=1, low=0) for name in ("batch", "length"))
    one = subject(*axes)
    cases = [*edge_cases(one), *size_cases(one)]
    assert min(size for case in cases for _, size in case.sizes) == 1


def test_an_axis_that_the_user_bounds_from_zero_is_empty_in_some_case() -> None:
    one = subject(BATCH, Axis(name="length", size=5, low=0, high=64, named=True))
    assert 0 in edge_sizes(one.axis("length"))
    assert {0} <= {case.size("length") for case in size_cases(one)}
    assert any(case.size("batch") == 1 and case.size("length") == 0 for case in edge_cases(one))


def test_all_axes_together_are_tried_near_the_traced_sizes_and_far_from_them() -> None:
    together = [case for case in edge_cases(BOTH) if len(off_size(case, BOTH)) == 2]
    assert [(case.size("batch"), case.size("length")) for case in together] == [
        (1, 1),
        (1, 6),
        (3, 8),
        (5, 15),
        (8, 33),
    ]


def test_the_same_cases_are_listed_in_every_run() -> None:
    """A verdict follows from them, so other seeds would give other verdicts."""
    cases = list(edge_cases(BOTH))
    assert {case.seed for case in cases if len(off_size(case, BOTH)) == 2} == {99}
    alone = [(case, off_size(case, BOTH)[0]) for case in cases if len(off_size(case, BOTH)) == 1]
    assert all(case.seed == case.size(axis) for case, axis in alone)


def test_all_axes_together_stay_within_the_bounds_that_the_user_declared() -> None:
    axes = (Axis(name="batch", size=2, high=3, named=True), Axis(name="length", size=7, low=5, high=12, named=True))
    one = subject(*axes)
    together = [case for case in edge_cases(one) if len(off_size(case, one)) == 2]
    assert [(case.size("batch"), case.size("length")) for case in together] == [(1, 5), (1, 6), (3, 8), (3, 12)]


def test_a_maximum_that_only_the_model_declares_is_exceeded_by_all_axes_together() -> None:
    one = subject(BATCH, Axis(name="length", size=7, high=12))
    assert any(case.size("length") == 15 and case.size("batch") == 5 for case in edge_cases(one))


def test_without_axes_there_is_no_edge() -> None:
    assert list(edge_cases(subject())) == []


def test_at_the_traced_size_every_pattern_of_values_meets_every_mask() -> None:
    cases = list(traced_cases(BOTH))
    whole = ("uniform", "extremes", "repeats", "special", "sweep")
    assert {(v, m) for v in whole for m in masks_of(BOTH)} <= {(case.values, case.mask) for case in cases}
    assert all(off_size(case, BOTH) == () for case in cases)
    assert len(set(cases)) == len(cases)
    assert [case.seed for case in cases if case.values == "uniform"] == [0, 1, 2, 3]
    assert (cases[0].values, cases[0].mask) == ("uniform", "ones")


def test_every_pattern_comes_once_before_any_comes_again_and_the_usual_values_come_with_every_mask() -> None:
    cases = list(traced_cases(BOTH))
    assert [case.mask for case in cases[:4]] == ["ones", "right", "left", "single"]
    first = [case.values for case in cases[3 : 3 + len(values_of(BOTH))]]
    assert first == list(values_of(BOTH))


def test_without_a_mask_no_case_is_listed_for_one() -> None:
    one = subject(BATCH, LENGTH, fields=BOTH.fields[:1])
    assert {case.mask for case in traced_cases(one)} == {"ones"}
    assert [case.seed for case in traced_cases(one) if case.values == "extremes"] == [0, 1, 2, 3]


def test_a_switch_has_no_odd_mask() -> None:
    odd = [("holes", 0), ("holes", 1), ("empty", 0), ("empty", 1)]
    assert [(case.mask, case.seed) for case in odd_cases(BOTH)] == odd
    switch = Field("causal", (), Switch(dtype=torch.bool))
    assert not list(odd_cases(subject(BATCH, LENGTH, fields=(switch,))))


def test_the_users_examples_keep_their_sizes_and_tensors() -> None:
    example = {"x": torch.ones(3, 5), "mask": torch.ones(3, 5, dtype=torch.int64)}
    one = subject(BATCH, LENGTH, examples=(Example(example, {}),))
    (case,) = example_cases(one)
    assert str(case) == "(batch=3, length=5)"
    assert case.example == 0
    assert tensors(case, one)["x"] is example["x"]
