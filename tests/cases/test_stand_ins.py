"""Proves what stands in for drawn values that eager has no answer to, and when it has none."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pytest_tsexport.cases.case import at
from pytest_tsexport.cases.stand_ins import is_added, is_drowned, is_silent, stand_ins
from pytest_tsexport.subjects.domains.own_values import OWN, OwnValues
from pytest_tsexport.subjects.fields import Field
from pytest_tsexport.subjects.reference import Answer
from tests.cases.small_subjects import BATCH, BOTH, FLOATS, LENGTH, subject

ROW = ("batch", "length")
OURS = subject(
    BATCH, LENGTH, fields=(Field("x", ROW, replace(FLOATS, own=OwnValues.of(torch.ones(2, 7), ROW))), BOTH.fields[1])
)


def test_the_examples_own_values_stand_in_at_the_same_size() -> None:
    case = at(OURS, {"length": 9}, seed=5, values="special", mask="left")
    assert list(stand_ins(case, OURS)) == [replace(case, values=values) for values in OWN]
    assert [one.mask for one in stand_ins(replace(case, mask="none"), OURS)] == ["ones", "ones"]


def test_nothing_stands_in_for_them_or_for_an_example_or_where_there_is_no_example() -> None:
    case = at(OURS, {})
    assert list(stand_ins(replace(case, values=OWN[0]), OURS)) == []
    assert list(stand_ins(replace(case, example=0), OURS)) == []
    assert list(stand_ins(at(BOTH, {}), BOTH)) == []


@pytest.mark.parametrize(
    ("values", "mask", "added"),
    [("nan", "ones", True), ("exact", "left", True), ("uniform", "none", True), ("extremes", "ones", False)],
)
def test_what_is_added_to_the_values_of_the_example(values: str, mask: str, *, added: bool) -> None:
    case = at(BOTH, {}, 0, values, mask)
    assert is_added(case) is added
    assert not is_added(replace(case, example=0))


NAN = float("nan")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float8_e4m3fn, torch.complex64])
def test_an_answer_of_which_one_output_is_nan_from_end_to_end_says_nothing(dtype: torch.dtype) -> None:
    whole, part, none = (torch.tensor(values).to(dtype) for values in ([NAN, NAN], [NAN, 1.0], [1.0, 2.0]))
    assert is_drowned({"a": none, "b": whole})
    assert not is_drowned({"a": none, "b": part})
    assert not is_drowned({"a": torch.empty(0, dtype=dtype), "n": torch.tensor([1])})
    assert is_silent(Answer(raised="ValueError: no"))
    assert is_silent(Answer(leaves={"a": whole}))
    assert not is_silent(Answer(leaves={"a": part}))
