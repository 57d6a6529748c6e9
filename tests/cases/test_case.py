"""Proves that a case is the same tensors on every machine, and that it can be kept and found again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import strategies as st

from pytest_tsexport.cases.case import Case, at, tensors
from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.domains.integers import Integers
from pytest_tsexport.subjects.domains.lengths import Lengths
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.subjects.subject import Subject
from tests.cases.small_subjects import BATCH, BOTH, LENGTH, subject


def test_a_case_prints_its_sizes() -> None:
    assert str(at(BOTH, {"batch": 3})) == "(batch=3, length=7)"
    assert at(BOTH, {"batch": 3}).size("batch") == 3


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (BOTH, "it has no axis 'dim0'; use one of batch, length"),
        (subject(), "it has no axis 'dim0'; no axis varies"),
    ],
    ids=["two axes", "no axis"],
)
def test_a_case_has_the_axes_of_its_subject_and_no_other(one: Subject, text: str) -> None:
    with pytest.raises(ValueError, match="has no axis") as refusal:
        at(one, {"dim0": 5})
    assert str(refusal.value) == text


@pytest.mark.parametrize(
    ("axis", "size", "kept"),
    [
        (LENGTH, 17, True),
        (Axis(name="length", size=7, high=16), 17, True),
        (Axis(name="length", size=7, high=16, named=True), 17, False),
        (Axis(name="length", size=7, high=16, named=True), 16, True),
        (Axis(name="length", size=7, low=5), 4, False),
        (Axis(name="length", size=7, low=5), 5, True),
    ],
)
def test_a_kept_case_is_used_if_it_is_within_the_bounds_of_the_subject(axis: Axis, size: int, *, kept: bool) -> None:
    one = subject(BATCH, axis)
    case = at(one, {"length": size}, seed=3, values="special", mask="left")
    assert Case.from_dict(json.loads(json.dumps(case.to_dict())), one) == (case if kept else None)


@pytest.mark.parametrize(
    "change",
    [
        {"sizes": {"batch": 2}},
        {"sizes": {"batch": 2, "length": 7, "time": 3}},
        {"sizes": {"batch": 2, "length": "7"}},
        {"sizes": [2, 7]},
        {"seed": "3"},
        {"seed": None},
        {"values": "all"},
        {"mask": "holes"},
    ],
    ids=str,
)
def test_a_kept_case_of_another_form_is_ignored(change: dict[str, Any]) -> None:
    assert Case.from_dict({**at(BOTH, {}).to_dict(), **change}, BOTH) is None


def test_volume_counts_an_empty_axis_as_one() -> None:
    assert Case(sizes=(("batch", 0), ("length", 7))).volume == 7


def test_a_case_always_gives_the_same_tensors() -> None:
    case = at(BOTH, {"length": 9}, seed=5, values="extremes", mask="left")
    one, two = (tensors(case, BOTH) for _ in range(2))
    assert list(one) == ["x", "mask"]
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert one["x"].shape == (2, 9)
    assert one["mask"][0, -1] == 1
    other = tensors(at(BOTH, {"length": 9}, seed=6, values="extremes", mask="left"), BOTH)
    assert not torch.equal(one["x"], other["x"])


def test_a_case_is_plain_unless_it_is_said_otherwise() -> None:
    case = Case(sizes=(("batch", 3), ("length", 7)))
    assert case == at(BOTH, {"batch": 3})
    assert (case.seed, case.values, case.mask, case.example) == (0, "uniform", "ones", None)


def test_each_seed_and_each_input_has_other_values_from_one_strategy() -> None:
    whole = st.integers(0, 10**9).map(lambda number: torch.full((2, 7), number))
    fields = tuple(Field(name, ("batch", "length"), Integers(dtype=torch.int64, low=0, high=9)) for name in "abc")
    one = subject(BATCH, LENGTH, fields=fields, strategies=dict.fromkeys("abc", whole))
    drawn = [int(tensor[0, 0]) for seed in range(3) for tensor in tensors(at(one, {}, seed=seed), one).values()]
    assert len(set(drawn)) == 9


def test_lengths_are_within_the_sizes_of_the_case() -> None:
    lengths = Field("lengths", ("batch",), Lengths(dtype=torch.int64, axis="length"))
    one = subject(BATCH, LENGTH, fields=(*BOTH.fields, lengths))
    for size in (1, 5, 20):
        drawn = [tensors(at(one, {"batch": 40, "length": size}, seed=seed), one)["lengths"] for seed in range(5)]
        assert int(torch.cat(drawn).min()) >= 1
        assert int(torch.cat(drawn).max()) == size


def test_the_users_strategy_draws_its_input() -> None:
    strategy = st.integers(3, 5).map(lambda value: torch.full((2, 7), float(value)))
    one = subject(BATCH, LENGTH, strategies={"x": strategy})
    drawn = tensors(at(one, {}, seed=1), one)["x"]
    assert 3.0 <= float(drawn[0, 0]) <= 5.0
    assert torch.equal(drawn, tensors(at(one, {}, seed=1), one)["x"])


def test_a_strategy_of_one_shape_is_refused_at_every_other_shape() -> None:
    one = subject(BATCH, LENGTH, strategies={"x": st.just(torch.zeros(2, 7))})
    assert tensors(at(one, {}), one)["x"].shape == (2, 7)
    with pytest.raises(InputsError, match=r"drew shape \(2, 7\) where \(2, 9\) is asked for; give a function"):
        tensors(at(one, {"length": 9}), one)


def test_a_strategy_may_be_a_function_of_the_shape() -> None:
    one = subject(BATCH, LENGTH, strategies={"x": lambda shape: st.just(torch.zeros(shape))})
    assert tensors(at(one, {"length": 3}), one)["x"].shape == (2, 3)


def test_a_strategy_sees_the_sizes_and_the_inputs_that_have_none() -> None:
    seen: list[dict[str, object]] = []

    def follows(shape: tuple[int, ...], case: dict[str, object]) -> object:
        seen.append(case)
        return st.just(torch.zeros(shape))

    one = replace(BOTH, strategies={"x": follows})
    drawn = tensors(at(one, {"length": 9}), one)
    assert list(drawn) == ["x", "mask"]
    (case,) = seen
    assert {name: case[name] for name in ("batch", "length")} == {"batch": 2, "length": 9}
    assert torch.equal(case["mask"], drawn["mask"])  # type: ignore[arg-type]
    assert "x" not in case
