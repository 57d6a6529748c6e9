"""Proves that drawn values stay within what production may send, spread as asked, the same for the same seed."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytest_tsexport.subjects.fields import Domain, Field
from pytest_tsexport.subjects.values import MASK_PATTERNS, ODD_MASKS, PATTERNS, draw, sweeps, swept

SIZES = {"batch": 4, "length": 9}
ROW = ("batch", "length")


def field(kind: Any, dtype: torch.dtype = torch.int64, **domain: Any) -> Field:
    return Field("x", ROW, Domain(kind=kind, dtype=dtype, **domain))


@given(
    batch=st.integers(1, 5),
    length=st.integers(1, 12),
    seed=st.integers(0, 2**32),
    pattern=st.sampled_from(PATTERNS),
    low=st.integers(-5, 5),
    rows=st.integers(1, 60),
)
def test_integers_stay_within_their_range(
    batch: int, length: int, seed: int, pattern: str, low: int, rows: int
) -> None:
    one = field("ids", torch.int32, low=low, high=low + rows)
    values = draw(one, {"batch": batch, "length": length}, seed, pattern)
    assert (values.shape, values.dtype) == ((batch, length), torch.int32)
    assert low <= int(values.min())
    assert int(values.max()) < low + rows


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("kind", ["ids", "floats", "integers"])
def test_the_same_seed_draws_the_same_and_another_does_not(kind: str, pattern: str) -> None:
    one = field(kind, torch.float32 if kind == "floats" else torch.int64, high=1000)
    assert torch.equal(draw(one, SIZES, 3, pattern), draw(one, SIZES, 3, pattern))
    assert not torch.equal(draw(one, SIZES, 3, pattern), draw(one, SIZES, 4, pattern))


def test_every_row_of_the_table_is_drawn_in_the_end() -> None:
    one = field("ids", high=50)
    drawn = {int(value) for seed in range(60) for value in draw(one, SIZES, seed).view(-1)}
    assert drawn == set(range(50))


def test_extremes_are_the_ends() -> None:
    drawn = {int(v) for seed in range(9) for v in draw(field("ids", low=5, high=50), SIZES, seed, "extremes").view(-1)}
    assert drawn == {5, 6, 49}


@pytest.mark.parametrize("kind", ["ids", "floats"])
def test_repeats_are_one_value_a_row(kind: str) -> None:
    one = field(kind, torch.float32 if kind == "floats" else torch.int64, high=50)
    values = draw(one, SIZES, 1, "repeats")
    assert (values == values[:, :1]).all()
    assert len(values[:, 0].unique()) > 1


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_last_id_ends_every_row_and_stands_nowhere_else(pattern: str) -> None:
    for seed in range(20):
        values = draw(field("ids", high=4, last=2), SIZES, seed, pattern)
        assert (values[:, -1] == 2).all()
        assert not (values[:, :-1] == 2).any()


def test_masks_are_ones_or_padded_on_one_side_and_never_empty() -> None:
    for seed in range(30):
        ones, right, left, single = (draw(field("mask"), SIZES, seed, pattern) for pattern in MASK_PATTERNS)
        assert bool(ones.all())
        assert (right.diff(dim=1) <= 0).all()
        assert (left.diff(dim=1) >= 0).all()
        assert (right.sum(1) >= 1).all()
        assert (left.sum(1) >= 1).all()
        assert single.sum(1).tolist() == [1] * 4
        assert bool(single[:, 0].all())


def test_masks_that_production_never_sends_are_there_to_be_told() -> None:
    holes, empty = (draw(field("mask"), SIZES, 3, pattern) for pattern in ODD_MASKS)
    assert bool((holes.diff(dim=1) > 0).any())
    assert bool((holes.diff(dim=1) < 0).any())
    assert empty.sum(1).tolist() == [0, 9, 9, 9]


@pytest.mark.parametrize("high", [7, 36, 50, 1000])
def test_a_sweep_leaves_no_id_out_and_says_how_long_it_takes(high: int) -> None:
    one = field("ids", low=2, high=high)
    seeds = sweeps(one, SIZES)
    drawn = {int(value) for seed in range(seeds) for value in draw(one, SIZES, seed, "sweep").view(-1)}
    assert drawn == set(range(2, high))
    assert (seeds - 1) * 36 < high - 2


def test_floats_have_no_sweep_to_finish() -> None:
    assert sweeps(field("floats", torch.float32), SIZES) == 0


def test_special_ids_are_half_of_what_is_drawn_and_never_beyond_the_range() -> None:
    values = draw(field("ids", high=1000, special=(0, 999, 1000)), {"batch": 20, "length": 50}, 1, "special")
    assert 0.4 < float(((values == 0) | (values == 999)).float().mean()) < 0.6
    assert int(values.max()) <= 999


@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_parts_of_a_complex_input_move(pattern: str) -> None:
    values = draw(field("floats", torch.complex64, scale=100.0), SIZES, 0, pattern)
    assert values.dtype == torch.complex64
    assert float(values.imag.abs().max()) > 1
    assert not torch.equal(values.real, values.imag)


@pytest.mark.parametrize("dims", [(), (1,), ("batch", 1)])
def test_a_flag_is_drawn_both_ways(dims: tuple[str | int, ...]) -> None:
    one = Field("causal", dims, Domain(kind="mask", dtype=torch.bool, flag=True))
    ones, right, left, single = (
        torch.stack([draw(one, SIZES, seed, pattern) for seed in range(20)]) for pattern in MASK_PATTERNS
    )
    assert bool(ones.all())
    assert not bool(single.any())
    for either in (right, left):
        assert 0.2 < float(either.double().mean()) < 0.8


def test_a_mask_of_one_token_keeps_it_and_is_odd_without() -> None:
    one = Field("attention_mask", ROW, Domain(kind="mask", dtype=torch.int64, flag=True))
    short = {"batch": 4, "length": 1}
    assert all(bool(draw(one, short, seed, pattern).all()) for seed in range(20) for pattern in MASK_PATTERNS)
    assert not bool(draw(one, short, 0, "empty").all())


def test_a_flag_that_is_longer_elsewhere_is_padded_there() -> None:
    one = Field("keep", ROW, Domain(kind="mask", dtype=torch.int64, flag=True))
    assert all(bool(draw(one, SIZES, seed, "right")[:, 0].all()) for seed in range(20))


def test_more_values_than_can_be_swept_are_drawn_at_random() -> None:
    times = field("integers", high=2**40)
    assert sweeps(times, SIZES) == 0
    assert len(draw(times, SIZES, 3, "sweep").unique()) == 36


def test_how_much_of_the_domain_a_sweep_drew() -> None:
    one = field("ids", low=2, high=102)
    assert [swept(one, SIZES, seeds) for seeds in ([], [0], [0, 1], [1, 1], range(3), range(9))] == [
        0,
        36,
        72,
        36,
        100,
        100,
    ]


def test_fields_of_other_names_are_drawn_independently() -> None:
    one, other = (Field(name, ROW, Domain(kind="ids", dtype=torch.int64, high=1000)) for name in ("x", "y"))
    assert not torch.equal(draw(one, SIZES, 3), draw(other, SIZES, 3))


@pytest.mark.parametrize("pattern", ["right", "left"])
def test_rows_are_padded_by_different_amounts(pattern: str) -> None:
    lengths = draw(field("mask"), {"batch": 16, "length": 33}, 0, pattern).sum(1)
    assert len(lengths.unique()) > 4


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32, torch.int32, torch.uint8])
def test_a_mask_has_the_dtype_that_callers_send(dtype: torch.dtype) -> None:
    assert draw(field("mask", dtype), SIZES, 0, "right").dtype == dtype


def test_floats_have_the_scale_of_the_example_and_some_are_zero_or_large() -> None:
    one = field("floats", torch.float32, scale=100.0)
    values = draw(one, {"batch": 50, "length": 50}, 0)
    assert 80 < float(values.std()) < 120
    extremes = draw(one, {"batch": 50, "length": 50}, 0, "extremes")
    assert bool((extremes == 0).any())
    assert float(extremes.abs().max()) > 10 * float(values.std())
    assert bool((values < 0).any())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_have_the_dtype_that_callers_send(dtype: torch.dtype) -> None:
    assert draw(field("floats", dtype), SIZES, 0).dtype == dtype


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("kind", ["ids", "floats", "mask"])
def test_a_scalar_and_an_empty_input_can_be_drawn(kind: Any, pattern: str) -> None:
    dtype = torch.float32 if kind == "floats" else torch.int64
    scalar = Field("x", (), Domain(kind=kind, dtype=dtype))
    empty = Field("x", ("batch", 0), Domain(kind=kind, dtype=dtype))
    assert draw(scalar, {}, 0, pattern).shape == ()
    assert draw(empty, {"batch": 2}, 0, pattern).shape == (2, 0)
