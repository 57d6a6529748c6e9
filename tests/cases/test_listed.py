"""Proves that the sizes, values and masks that matter most are always visited, small ones first."""

from __future__ import annotations

import torch

from pytest_tsexport.cases.case import off_size, tensors
from pytest_tsexport.cases.listed import (
    edge_cases,
    example_cases,
    odd_cases,
    size_cases,
    traced_cases,
)
from pytest_tsexport.cases.patterns import masks_of, values_of
from pytest_tsexport.subjects.domains.masks import Switch
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.subjects.user_examples import Example
from tests.cases.small_subjects import BATCH, BOTH, LENGTH, subject


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
    assert {0} <= {case.size("length") for case in size_cases(one)}
    assert any(case.size("batch") == 1 and case.size("length") == 0 for case in edge_cases(one))


def test_the_same_cases_are_listed_in_every_run() -> None:
    """A verdict follows from them, so other seeds would give other verdicts."""
    cases = list(edge_cases(BOTH))
    assert {case.seed for case in cases if len(off_size(case, BOTH)) == 2} == {99}
    alone = [(case, off_size(case, BOTH)[0]) for case in cases if len(off_size(case, BOTH)) == 1]
    assert all(case.seed == case.size(axis) for case, axis in alone)


def test_a_number_of_the_file_is_visited_and_the_next_size_on_every_axis() -> None:
    more = {case.sizes for case in edge_cases(BOTH, in_file=(700,))} - {case.sizes for case in edge_cases(BOTH)}
    assert {dict(sizes)["length"] for sizes in more if dict(sizes)["batch"] == 2} == {700, 701}
    assert {dict(sizes)["batch"] for sizes in more if dict(sizes)["length"] == 7} == {700, 701}


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
