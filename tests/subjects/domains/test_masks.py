"""Proves that masks are padded as production pads them, and that switches take both values."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pytest_tsexport.subjects.domains.base import MASK_PATTERNS, ODD_MASKS, PATTERNS
from pytest_tsexport.subjects.domains.integers import Ids
from pytest_tsexport.subjects.domains.masks import Mask, Switch
from pytest_tsexport.subjects.domains.own_values import OwnValues
from pytest_tsexport.subjects.fields import Field

SIZES = {"batch": 4, "length": 9}
ROW = ("batch", "length")
MASK = Field("mask", ROW, Mask(dtype=torch.int64))


def test_masks_are_ones_or_padded_on_one_side_and_never_empty() -> None:
    for seed in range(30):
        ones, right, left, single = (MASK.draw(SIZES, seed, pattern) for pattern in MASK.domain.masks)
        assert bool(ones.all())
        assert (right.diff(dim=1) <= 0).all()
        assert (left.diff(dim=1) >= 0).all()
        assert (right.sum(1) >= 1).all()
        assert (left.sum(1) >= 1).all()
        assert single.sum(1).tolist() == [1] * 4
        assert bool(single[:, 0].all())


def test_odd_masks_have_holes_or_an_empty_row() -> None:
    holes, empty = (MASK.draw(SIZES, 3, pattern) for pattern in ODD_MASKS)
    assert bool((holes.diff(dim=1) > 0).any())
    assert bool((holes.diff(dim=1) < 0).any())
    assert empty.sum(1).tolist() == [0, 9, 9, 9]


@pytest.mark.parametrize("pattern", ["right", "left"])
def test_rows_are_padded_by_different_amounts(pattern: str) -> None:
    lengths = MASK.draw({"batch": 16, "length": 33}, 0, pattern).sum(1)
    assert len(lengths.unique()) > 4


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32, torch.int32, torch.uint8])
def test_a_mask_has_the_dtype_that_callers_send(dtype: torch.dtype) -> None:
    assert Field("mask", ROW, Mask(dtype=dtype)).draw(SIZES, 0, "right").dtype == dtype


def test_a_mask_of_one_token_keeps_it_unless_the_pattern_is_odd() -> None:
    short = {"batch": 4, "length": 1}
    assert all(bool(MASK.draw(short, seed, pattern).all()) for seed in range(20) for pattern in MASK_PATTERNS)
    assert not bool(MASK.draw(short, 0, "empty").all())


@pytest.mark.parametrize("pattern", [*PATTERNS, *MASK_PATTERNS])
def test_a_scalar_and_an_empty_mask_can_be_drawn(pattern: str) -> None:
    assert Field("x", (), MASK.domain).draw({}, 0, pattern).shape == ()
    assert Field("x", ("batch", 0), MASK.domain).draw({"batch": 2}, 0, pattern).shape == (2, 0)


@pytest.mark.parametrize("dims", [(), (1,), ("batch", 1)])
def test_a_switch_takes_both_values(dims: tuple[str | int, ...]) -> None:
    one = Field("causal", dims, Switch(dtype=torch.bool))
    ones, right, left, single = (
        torch.stack([one.draw(SIZES, seed, pattern) for seed in range(20)]) for pattern in one.domain.masks
    )
    assert bool(ones.all())
    assert not bool(single.any())
    for either in (right, left):
        assert 0.2 < float(either.double().mean()) < 0.8


def test_a_switch_that_is_longer_at_another_size_is_padded_there() -> None:
    one = Field("keep", ROW, Switch(dtype=torch.int64))
    assert all(bool(one.draw(SIZES, seed, "right")[:, 0].all()) for seed in range(20))


def test_a_mask_follows_the_pattern_of_the_mask_and_is_not_moved() -> None:
    assert MASK.domain.pattern("extremes", "left") == "left"
    assert MASK.domain.moved(MASK.draw(SIZES, 0), SIZES) is None


def test_zeros_and_ones_that_index_a_table_are_ids_unless_they_are_named_mask() -> None:
    mask = Mask(dtype=torch.int64)
    assert mask.looked_up(9, "attention_mask") is mask
    assert mask.looked_up(9, "segments") == Ids(dtype=torch.int64, high=9)


def test_a_mask_may_hold_one_where_a_position_is_padded() -> None:
    inverted = Field("mask", ROW, Mask(dtype=torch.bool, padding=1))
    for pattern in (*MASK_PATTERNS, *ODD_MASKS):
        assert torch.equal(inverted.draw(SIZES, 5, pattern), MASK.draw(SIZES, 5, pattern) == 0)
    assert not bool(inverted.draw(SIZES, 5, "ones").any())
    assert [inverted.domain.filler("pad", masked=masked) for masked in (True, False)] == [1, 0]
    assert [MASK.domain.filler("pad", masked=masked) for masked in (True, False)] == [0, 1]


@pytest.mark.parametrize("padding", [0, 1])
def test_only_what_may_be_no_mask_at_all_is_padded_from_end_to_end(padding: int) -> None:
    free = Field("flags", ROW, Mask(dtype=torch.int64, padding=padding, free=True))
    assert (free.draw(SIZES, 0, "none") == padding).all()
    assert "none" in free.domain.masks
    assert "none" not in MASK.domain.masks
    assert (MASK.draw(SIZES, 0, "none") == 1).all()


def test_a_mask_stays_with_its_row_where_whole_rows_of_the_example_are_drawn() -> None:
    example = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0]])
    own = replace(MASK.domain, own=OwnValues.of(example, ROW))
    assert own.pattern("permuted", "left") == "permuted"
    assert own.pattern("resampled", "left") == "left"
    drawn = Field("mask", ROW, own).draw({"batch": 3, "length": 3}, 2, "permuted")
    assert sorted(drawn.sum(1).tolist()) == [1, 2, 3]
