"""Proves that integers and ids stay in their range, follow each pattern, and are padded and moved as text is."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytest_tsexport.subjects.domains.base import PATTERNS
from pytest_tsexport.subjects.domains.integers import Ids, Integers
from pytest_tsexport.subjects.fields import Field

SIZES = {"batch": 4, "length": 9}
ROW = ("batch", "length")


def ids(dtype: torch.dtype = torch.int64, **values: Any) -> Field:
    return Field("x", ROW, Ids(dtype=dtype, **values))


def integers(dtype: torch.dtype = torch.int64, **values: Any) -> Field:
    return Field("x", ROW, Integers(dtype=dtype, **values))


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
    one = ids(torch.int32, low=low, high=low + rows)
    values = one.draw({"batch": batch, "length": length}, seed, pattern)
    assert (values.shape, values.dtype) == ((batch, length), torch.int32)
    assert low <= int(values.min())
    assert int(values.max()) < low + rows


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("one", [ids(high=1000), integers(high=1000)], ids=["ids", "integers"])
def test_a_seed_draws_the_same_values_and_another_seed_others(one: Field, pattern: str) -> None:
    assert torch.equal(one.draw(SIZES, 3, pattern), one.draw(SIZES, 3, pattern))
    assert not torch.equal(one.draw(SIZES, 3, pattern), one.draw(SIZES, 4, pattern))


def test_every_id_is_drawn_sooner_or_later() -> None:
    one = ids(high=50)
    drawn = {int(value) for seed in range(60) for value in one.draw(SIZES, seed).view(-1)}
    assert drawn == set(range(50))


def test_extremes_are_the_ends_of_the_range() -> None:
    one = ids(low=5, high=50)
    drawn = {int(value) for seed in range(9) for value in one.draw(SIZES, seed, "extremes").view(-1)}
    assert drawn == {5, 6, 49}


def test_repeats_are_one_value_in_each_row() -> None:
    values = ids(high=50).draw(SIZES, 1, "repeats")
    assert (values == values[:, :1]).all()
    assert len(values[:, 0].unique()) > 1


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_last_id_ends_every_row_and_is_nowhere_else(pattern: str) -> None:
    for seed in range(20):
        values = ids(high=4, last=2).draw(SIZES, seed, pattern)
        assert (values[:, -1] == 2).all()
        assert not (values[:, :-1] == 2).any()


def test_half_of_the_special_pattern_are_special_ids_within_the_range() -> None:
    values = ids(high=1000, special=(0, 999, 1000)).draw({"batch": 20, "length": 50}, 1, "special")
    assert 0.4 < float(((values == 0) | (values == 999)).float().mean()) < 0.6
    assert int(values.max()) <= 999


def test_without_special_ids_the_pad_id_is_the_special_one() -> None:
    values = ids(high=1000, pad=7).draw({"batch": 20, "length": 50}, 1, "special")
    assert 0.4 < float((values == 7).float().mean()) < 0.6


@pytest.mark.parametrize("high", [7, 36, 50, 1000])
def test_a_sweep_draws_every_id_in_as_many_seeds_as_it_says(high: int) -> None:
    one = ids(low=2, high=high)
    seeds = one.sweeps(SIZES)
    drawn = {int(value) for seed in range(seeds) for value in one.draw(SIZES, seed, "sweep").view(-1)}
    assert drawn == set(range(2, high))
    assert (seeds - 1) * 36 < high - 2


def test_a_range_that_is_too_large_to_sweep_is_drawn_at_random() -> None:
    times = integers(high=2**40)
    assert times.sweeps(SIZES) == 0
    assert len(times.draw(SIZES, 3, "sweep").unique()) == 36


def test_how_many_values_a_sweep_has_drawn() -> None:
    one = ids(low=2, high=102)
    assert [one.swept(SIZES, seeds) for seeds in ([], [0], [0, 1], [1, 1], range(3), range(9))] == [
        0,
        36,
        72,
        36,
        100,
        100,
    ]


def test_inputs_of_different_names_are_drawn_independently() -> None:
    one, other = (Field(name, ROW, Ids(dtype=torch.int64, high=1000)) for name in ("x", "y"))
    assert not torch.equal(one.draw(SIZES, 3), other.draw(SIZES, 3))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_scalar_and_an_empty_input_can_be_drawn(pattern: str) -> None:
    domain = Ids(dtype=torch.int64, high=2)
    assert Field("x", (), domain).draw({}, 0, pattern).shape == ()
    assert Field("x", ("batch", 0), domain).draw({"batch": 2}, 0, pattern).shape == (2, 0)


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [(torch.uint8, 0, 256), (torch.int8, -128, 128), (torch.int32, 3, 10), (torch.int64, -5, 2**40)],
)
def test_moved_integers_differ_at_every_place_and_stay_in_their_range(dtype: torch.dtype, low: int, high: int) -> None:
    one = integers(dtype, low=low, high=high)
    for pattern in PATTERNS:
        values = one.draw(SIZES, 0, pattern)
        moved = one.domain.moved(values, SIZES)
        assert moved is not None
        assert moved.dtype == dtype
        assert (moved != values).all()
        assert low <= int(moved.min())
        assert int(moved.max()) < high


def test_integers_that_index_a_table_are_its_ids() -> None:
    assert Integers(dtype=torch.int32, low=3, high=9).looked_up(60, "x") == Ids(dtype=torch.int32, high=60)
    text = Ids(dtype=torch.int64, low=2, high=9, pad=3, last=4, special=(3, 4))
    assert text.looked_up(60, "x") == Ids(dtype=torch.int64, high=60, pad=3, last=4, special=(3, 4))


@pytest.mark.parametrize(
    ("domain", "fillers"),
    [
        (Ids(dtype=torch.int64, high=4), ("pad", "other")),
        (Ids(dtype=torch.int64, high=3), ("pad",)),
        (Integers(dtype=torch.int64, high=99), ()),
    ],
    ids=["a vocabulary", "kinds of tokens", "no ids"],
)
def test_only_text_has_fillers_and_kinds_of_tokens_have_no_second_one(
    domain: Integers, fillers: tuple[str, ...]
) -> None:
    assert domain.text_fillers == fillers


def test_callers_may_send_large_integers_but_no_large_ids() -> None:
    assert Integers(dtype=torch.int64, high=9).open_ended
    assert not Ids(dtype=torch.int64, high=9).open_ended


def test_integers_are_padded_with_zero() -> None:
    assert Integers(dtype=torch.int64, low=3, high=9).filler("other", masked=False) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.complex64])
def test_whole_numbers_do_not_fit_a_tensor_of_floats(dtype: torch.dtype) -> None:
    assert not Ids(dtype=torch.int64, high=9).fits(dtype)
    assert Ids(dtype=torch.int64, high=9).fits(torch.uint8)


def test_exact_numbers_are_among_integers_as_far_as_the_dtype_holds_them_and_never_among_ids() -> None:
    one = integers(low=40, high=90)
    for seed, exact in enumerate((0, 1, -1)):
        values = one.draw(SIZES, seed, "exact")
        assert bool((values == exact).any())
        assert bool((values >= 40).any())
    bytes_ = [integers(torch.uint8, low=40, high=90).draw(SIZES, seed, "exact") for seed in range(4)]
    assert {int(values.min()) for values in bytes_} == {0, 1}
    assert {int(integers(low=7, high=8).draw(SIZES, seed, "exact").min()) for seed in range(3)} == {0, 1, -1}
    assert int(ids(low=40, high=90).draw(SIZES, 0, "exact").min()) >= 40


def test_adjacent_ids_count_upwards_and_some_stand_twice() -> None:
    values = ids(high=1000).draw({"batch": 3, "length": 30}, 1, "adjacent")
    steps = values.diff(dim=1)
    assert bool((steps == 1).any(dim=1).all())
    assert bool((steps == 0).any(dim=1).all())
    assert set(steps.unique().tolist()) <= {0, 1, -999, -1000}


def test_a_dead_column_and_a_constant_input_of_ids() -> None:
    cube = Field("x", ("batch", "length", 5), Ids(dtype=torch.int64, high=1000))
    assert len(cube.draw(SIZES, 0, "constant").unique()) == 1
    dead = cube.draw(SIZES, 0, "dead")
    assert sum(len(dead[..., column].unique()) == 1 for column in range(5)) == 1
