"""Proves that floats have the scale and the dtype of the example, and follow each pattern."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pytest_tsexport.subjects.domains.base import ADDED, PATTERNS
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.own_values import OwnValues
from pytest_tsexport.subjects.fields import Field
from pytest_tsexport.subjects.reference import same_bits

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


@pytest.mark.parametrize("pattern", [*PATTERNS, *ADDED])
def test_a_seed_draws_the_same_values_and_another_seed_others(pattern: str) -> None:
    assert same_bits(floats().draw(SIZES, 3, pattern), floats().draw(SIZES, 3, pattern))
    assert not same_bits(floats().draw(SIZES, 3, pattern), floats().draw(SIZES, 4, pattern))


def test_repeats_are_one_value_in_each_row() -> None:
    values = floats().draw(SIZES, 1, "repeats")
    assert (values == values[:, :1]).all()
    assert len(values[:, 0].unique()) > 1


def test_floats_are_not_swept() -> None:
    assert floats().sweeps(SIZES) == 0


@pytest.mark.parametrize("pattern", [one for one in PATTERNS if one != "constant"])
def test_both_parts_of_a_complex_number_are_drawn(pattern: str) -> None:
    values = floats(torch.complex64, scale=100.0).draw(SIZES, 0, pattern)
    assert values.dtype == torch.complex64
    assert float(values.imag.abs().max()) > 1
    assert not torch.equal(values.real, values.imag)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_have_the_dtype_that_callers_send(dtype: torch.dtype) -> None:
    assert floats(dtype).draw(SIZES, 0).dtype == dtype


@pytest.mark.parametrize("pattern", [*PATTERNS, *ADDED])
def test_a_scalar_and_an_empty_input_can_be_drawn(pattern: str) -> None:
    assert Field("x", (), Floats(dtype=torch.float32)).draw({}, 0, pattern).shape == ()
    assert Field("x", ("batch", 0), Floats(dtype=torch.float32)).draw({"batch": 2}, 0, pattern).shape == (2, 0)


def test_moved_floats_differ_at_every_place() -> None:
    values = floats().draw(SIZES, 0, "extremes")
    moved = floats().domain.moved(values, SIZES)
    assert moved is not None
    assert (moved != values).all()


def test_exact_values_nan_and_infinities_are_among_usual_ones_and_the_first_row_stays_usual() -> None:
    usual, large = floats().draw(LARGE, 0), {"batch": 50, "length": 50}
    for seed, exact in enumerate((0.0, 1.0, -1.0)):
        assert 0 < int((floats().draw(large, seed, "exact") == exact).sum()) < usual.numel() / 2
    for pattern, sees in (("nan", torch.isnan), ("infinite", torch.isinf)):
        one, many = (sees(floats().draw(large, seed, pattern)) for seed in (0, 1))
        assert int(one.sum()) == 1
        assert 400 < int(many.sum()) < 1200
        assert not bool(many[0].any())
    assert float(floats().draw(large, 0, "infinite").max()) == float("inf")
    assert float(floats().draw(large, 1, "infinite").min()) == -float("inf")


def test_one_row_alone_may_hold_nan() -> None:
    assert bool(floats().draw({"batch": 1, "length": 9}, 0, "nan").isnan().any())


def test_readings_beyond_the_usual_are_a_hundred_or_a_thousand_times_larger() -> None:
    thousand, hundred = (float(floats(scale=2.0).draw(LARGE, seed, "beyond").std()) for seed in (0, 1))
    assert thousand == pytest.approx(2000, rel=0.1)
    assert hundred == pytest.approx(200, rel=0.1)


def test_a_dead_column_holds_one_value_and_a_constant_input_is_silent_or_of_one_value() -> None:
    cube = Field("x", ("batch", "length", 4), Floats(dtype=torch.float32))
    last, second = (cube.draw({"batch": 5, "length": 6}, seed, "dead") for seed in (0, 1))
    assert int((last.std(dim=(0, 1)) == 0).sum()) == 1
    assert int((second.std(dim=(0, 2)) == 0).sum()) == 1
    silent, loud = (cube.draw({"batch": 5, "length": 6}, seed, "constant") for seed in (0, 1))
    assert not bool(silent.any())
    assert len(loud.unique()) == 1
    assert bool(loud.any())


def test_values_are_put_among_those_of_the_example() -> None:
    example = torch.rand(3, 9) + 5
    own = replace(floats().domain, own=OwnValues.of(example, ("batch", 9)))
    drawn = Field("x", ("batch", 9), own).draw({"batch": 30}, 0, "nan")
    assert set(drawn[~drawn.isnan()].tolist()) <= set(example.flatten().tolist())
