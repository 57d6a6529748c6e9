"""Proves that the sizes worth visiting are visited, and that a case is the same tensors on every machine."""

from __future__ import annotations

import pytest
import torch
from hypothesis import strategies as st

from pytest_tsexport.cases.cases import (
    Case,
    at,
    edge_cases,
    edge_sizes,
    example_cases,
    odd_cases,
    off_size,
    reach,
    restored,
    tensors,
    traced_cases,
)
from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.fields import Axis, Domain, Field
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.subjects.user_examples import Example
from pytest_tsexport.subjects.values import MASK_PATTERNS, PATTERNS
from pytest_tsexport.testing.wrong_exports import Plain

BATCH, LENGTH = Axis(name="batch", size=2), Axis(name="length", size=7)
FLOATS = Domain(kind="floats", dtype=torch.float32)
MASK = Domain(kind="mask", dtype=torch.int64)


def subject(*axes: Axis, **values: object) -> Subject:
    model = Plain()
    fields = (Field("x", ("batch", "length"), FLOATS), Field("mask", ("batch", "length"), MASK))
    given = {"name": "it", "model": model, "reference": model, "inputs": {}, "fields": fields, "axes": axes, **values}
    return Subject(**given)  # type: ignore[arg-type]


BOTH = subject(BATCH, LENGTH)


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
def test_how_far_sizes_are_drawn(axis: Axis, far: int) -> None:
    assert reach(axis) == far


def test_each_axis_alone_and_the_axes_together_small_ones_first() -> None:
    cases = list(edge_cases(BOTH))
    alone = {off_size(case, BOTH) for case in cases}
    assert {("batch",), ("length",), ("batch", "length")} <= alone
    assert () not in alone
    volumes = [case.volume for case in cases]
    assert volumes == sorted(volumes)
    assert len(cases) == len(set(cases))
    assert any(case.size("batch") == 1 and case.size("length") == 1 for case in cases)


def test_without_axes_there_is_no_edge() -> None:
    assert list(edge_cases(subject())) == []


def test_at_the_traced_size_every_spread_meets_every_mask() -> None:
    cases = list(traced_cases(BOTH))
    assert {(case.values, case.mask) for case in cases} == {(v, m) for v in PATTERNS for m in MASK_PATTERNS}
    assert all(off_size(case, BOTH) == () for case in cases)
    assert (cases[0].values, cases[0].mask) == ("uniform", "ones")


def test_a_case_prints_its_sizes() -> None:
    assert str(at(BOTH, {"batch": 3})) == "(batch=3, length=7)"
    assert at(BOTH, {"batch": 3}).size("batch") == 3


@pytest.mark.parametrize(
    ("axis", "size", "kept"),
    [
        (LENGTH, 17, True),
        (Axis(name="length", size=7, high=16), 17, True),
        (Axis(name="length", size=7, high=16, named=True), 17, False),
        (Axis(name="length", size=7, high=16, named=True), 16, True),
        (Axis(name="length", size=7, low=5), 4, False),
    ],
)
def test_a_kept_case_is_judged_again_within_the_bounds_of_today(axis: Axis, size: int, *, kept: bool) -> None:
    case = at(subject(BATCH, axis), {"length": size}, seed=3, values="special", mask="left")
    assert restored(subject(BATCH, axis), case.to_dict()) == (case if kept else None)


def test_a_flag_has_no_odd_mask() -> None:
    assert list(odd_cases(BOTH))
    flag = Field("causal", (), Domain(kind="mask", dtype=torch.bool, flag=True))
    assert not list(odd_cases(subject(BATCH, LENGTH, fields=(flag,))))


def test_volume_counts_an_empty_axis_as_one() -> None:
    assert Case(sizes=(("batch", 0), ("length", 7))).volume == 7


def test_a_case_is_the_same_tensors_again() -> None:
    case = at(BOTH, {"length": 9}, seed=5, values="extremes", mask="left")
    one, two = (tensors(case, BOTH) for _ in range(2))
    assert list(one) == ["x", "mask"]
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert one["x"].shape == (2, 9)
    assert one["mask"][0, -1] == 1
    other = tensors(at(BOTH, {"length": 9}, seed=6, values="extremes", mask="left"), BOTH)
    assert not torch.equal(one["x"], other["x"])


def test_the_users_examples_come_with_their_own_sizes_and_tensors() -> None:
    example = {"x": torch.ones(3, 5), "mask": torch.ones(3, 5, dtype=torch.int64)}
    one = subject(BATCH, LENGTH, examples=(Example(example, {}),))
    (case,) = example_cases(one)
    assert str(case) == "(batch=3, length=5)"
    assert case.example == 0
    assert tensors(case, one)["x"] is example["x"]


def test_the_users_strategy_draws_its_input() -> None:
    strategy = st.integers(3, 5).map(lambda value: torch.full((2, 7), float(value)))
    one = subject(BATCH, LENGTH, strategies={"x": strategy})
    drawn = tensors(at(one, {}, seed=1), one)["x"]
    assert 3.0 <= float(drawn[0, 0]) <= 5.0
    assert torch.equal(drawn, tensors(at(one, {}, seed=1), one)["x"])


def test_a_strategy_of_one_shape_is_refused_at_every_other() -> None:
    one = subject(BATCH, LENGTH, strategies={"x": st.just(torch.zeros(2, 7))})
    assert tensors(at(one, {}), one)["x"].shape == (2, 7)
    with pytest.raises(InputsError, match=r"drew shape \(2, 7\) where \(2, 9\) is asked for; give a function"):
        tensors(at(one, {"length": 9}), one)


def test_a_strategy_may_be_a_function_of_the_shape() -> None:
    one = subject(BATCH, LENGTH, strategies={"x": lambda shape: st.just(torch.zeros(shape))})
    assert tensors(at(one, {"length": 3}), one)["x"].shape == (2, 3)
