"""Proves that floats have the scale and the dtype of the example, and follow each pattern."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.subjects.domains.base import PATTERNS
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.fields import Field

SIZES = {"batch": 4, "length": 9}
LARGE = {"batch": 50, "length": 50}
ROW = ("batch", "length")


def floats(dtype: torch.dtype = torch.float32, scale: float = 1.0) -> Field:
    return Field("x", ROW, Floats(dtype=dtype, scale=scale))


def test_floats_have_the_scale_of_the_example_and_some_are_zero_or_large() -> None:
    one = floats(scale=100.0)
    values = one.draw(LARGE, 0)
    assert 80 < float(values.std()) < 120
    extremes = one.draw(LARGE, 0, "extremes")
    assert bool((extremes == 0).any())
    assert float(extremes.abs().max()) > 10 * float(values.std())
    assert bool((values < 0).any())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_seed_draws_the_same_values_and_another_seed_others(pattern: str) -> None:
    assert torch.equal(floats().draw(SIZES, 3, pattern), floats().draw(SIZES, 3, pattern))
    assert not torch.equal(floats().draw(SIZES, 3, pattern), floats().draw(SIZES, 4, pattern))


def test_repeats_are_one_value_in_each_row() -> None:
    values = floats().draw(SIZES, 1, "repeats")
    assert (values == values[:, :1]).all()
    assert len(values[:, 0].unique()) > 1


def test_floats_are_not_swept() -> None:
    assert floats().sweeps(SIZES) == 0


@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_parts_of_a_complex_number_are_drawn(pattern: str) -> None:
    values = floats(torch.complex64, scale=100.0).draw(SIZES, 0, pattern)
    assert values.dtype == torch.complex64
    assert float(values.imag.abs().max()) > 1
    assert not torch.equal(values.real, values.imag)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_have_the_dtype_that_callers_send(dtype: torch.dtype) -> None:
    assert floats(dtype).draw(SIZES, 0).dtype == dtype


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_scalar_and_an_empty_input_can_be_drawn(pattern: str) -> None:
    assert Field("x", (), Floats(dtype=torch.float32)).draw({}, 0, pattern).shape == ()
    assert Field("x", ("batch", 0), Floats(dtype=torch.float32)).draw({"batch": 2}, 0, pattern).shape == (2, 0)


def test_moved_floats_differ_at_every_place() -> None:
    values = floats().draw(SIZES, 0, "extremes")
    moved = floats().domain.moved(values, SIZES)
    assert moved is not None
    assert (moved != values).all()
