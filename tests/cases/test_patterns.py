"""Proves that a subject is drawn in every pattern that one of its inputs knows, and in no other."""

from __future__ import annotations

from dataclasses import replace

import torch
from hypothesis import strategies as st

from pytest_tsexport.cases.case import followers, tensors
from pytest_tsexport.cases.patterns import MOST_INPUTS, every_pattern, masks_of, values_of
from pytest_tsexport.subjects.domains.base import ADDED, MEMORY, PATTERNS, VARIANTS
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Ids, Integers
from pytest_tsexport.subjects.domains.masks import Mask
from pytest_tsexport.subjects.domains.own_values import OWN, OwnValues
from pytest_tsexport.subjects.fields import Field
from pytest_tsexport.subjects.reference import same_bits
from tests.cases.small_subjects import BATCH, BOTH, FLOATS, LENGTH, subject

ROW = ("batch", "length")
IDS = subject(BATCH, LENGTH, fields=(Field("ids", ROW, Ids(dtype=torch.int64, high=99)),))
COUNTS = subject(BATCH, LENGTH, fields=(Field("n", ROW, Integers(dtype=torch.int64, high=99)),))


def test_each_kind_of_input_has_its_patterns() -> None:
    assert values_of(BOTH) == (*(one for one in PATTERNS if one != "adjacent"), *ADDED, *MEMORY)
    assert values_of(IDS) == (*PATTERNS, *MEMORY)
    assert values_of(COUNTS) == (*PATTERNS, "exact", *MEMORY)


def test_only_an_example_of_the_user_has_values_of_its_own() -> None:
    own = replace(FLOATS, own=OwnValues.of(torch.ones(2, 7), ROW))
    one = subject(BATCH, LENGTH, fields=(Field("x", ROW, own),))
    assert {*OWN} <= {*values_of(one)}
    assert [case.values for case in every_pattern(one)][:3] == ["uniform", *OWN]


def test_what_the_user_draws_follows_no_pattern() -> None:
    one = subject(BATCH, LENGTH, strategies={"x": st.just(torch.zeros(2, 7))})
    assert values_of(one) == ("uniform", *MEMORY)
    assert followers(one, "nan") == []


def test_masks_are_listed_where_an_input_is_one() -> None:
    assert masks_of(IDS) == ("ones",)
    assert masks_of(BOTH) == ("ones", "right", "left", "single")
    free = subject(BATCH, LENGTH, fields=(Field("flags", ROW, Mask(dtype=torch.int64, free=True)),))
    assert masks_of(free) == ("ones", "right", "left", "single", "none")


def test_each_input_has_every_variant_while_the_others_are_usual() -> None:
    fields = tuple(Field(name, ROW, Floats(dtype=torch.float32)) for name in "abc")
    one = subject(BATCH, LENGTH, fields=fields)
    cases = [case for case in every_pattern(one) if case.values == "nan"]
    holds = [[name for name, tensor in tensors(case, one).items() if bool(tensor.isnan().any())] for case in cases]
    assert holds == [["a"], ["b"], ["c"], ["a"], ["b"], ["c"]]
    counts = [int(tensor.isnan().sum()) for case in cases[::3] for tensor in [tensors(case, one)["a"]]]
    assert counts[0] == 1
    assert len(cases) == 3 * VARIANTS["nan"]


def test_of_very_many_inputs_the_first_ones_are_listed() -> None:
    fields = tuple(Field(f"x{number}", ROW, Floats(dtype=torch.float32)) for number in range(9))
    cases = list(every_pattern(subject(BATCH, LENGTH, fields=fields)))
    assert sum(case.values == "nan" for case in cases) == VARIANTS["nan"] * MOST_INPUTS


def test_the_same_usual_values_lie_in_another_memory() -> None:
    plain, strided, transposed = (
        tensors(replace(next(every_pattern(BOTH)), values=values), BOTH) for values in ("uniform", *MEMORY)
    )
    assert same_bits(plain["x"], strided["x"])
    assert same_bits(plain["x"], transposed["x"])
    assert [one["x"].stride() for one in (plain, strided, transposed)] == [(7, 1), (14, 2), (1, 2)]
    assert strided["mask"].stride() == (14, 2)


def test_every_dtype_can_be_drawn_in_every_pattern() -> None:
    for dtype in (torch.float8_e4m3fn, torch.float8_e5m2, torch.float16, torch.bfloat16, torch.complex64):
        floats = subject(BATCH, LENGTH, fields=(Field("x", ROW, Floats(dtype=dtype)),))
        assert {tensors(case, floats)["x"].dtype for case in every_pattern(floats)} == {dtype}
    for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16, torch.uint32):
        whole = subject(BATCH, LENGTH, fields=(Field("n", ROW, Integers(dtype=dtype, low=2, high=90)),))
        assert {tensors(case, whole)["n"].dtype for case in every_pattern(whole)} == {dtype}
    marks = subject(BATCH, LENGTH, fields=(Field("mask", ROW, Mask(dtype=torch.bool, padding=1, free=True)),))
    assert {tensors(case, marks)["mask"].dtype for case in every_pattern(marks)} == {torch.bool}
