"""Proves that padding lies at the end, alike in every row and column, and never over more than half."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.subjects.domains.tail_masks import TailMask
from pytest_tsexport.subjects.fields import Field

SIZES = {"batch": 4, "height": 6, "width": 9}


def drawn(dims: tuple[str, ...], pattern: str, seed: int = 3) -> torch.Tensor:
    domain = TailMask(dtype=torch.int64, places=len(dims) - 1)
    return Field("mask", dims, domain).draw(SIZES, seed, pattern)


@pytest.mark.parametrize("dims", [("batch", "width"), ("batch", "height", "width")], ids=["frames", "pixels"])
def test_what_is_real_is_the_front_part_of_each_dimension(dims: tuple[str, ...]) -> None:
    assert bool(drawn(dims, "ones").all())
    mask = drawn(dims, "right")
    assert 0 < int(mask.sum()) < mask.numel()
    for row in mask:
        kept = (row.nonzero().max(dim=0).values + 1).tolist()
        expected = torch.zeros_like(row)
        expected[tuple(slice(size) for size in kept)] = 1
        assert torch.equal(row, expected)
        assert all(2 * size >= whole for size, whole in zip(kept, row.shape, strict=True))


def test_the_rows_differ() -> None:
    assert len({int(row.sum()) for row in drawn(("batch", "width"), "right")}) > 1


def test_no_other_pattern_is_drawn() -> None:
    domain = TailMask(dtype=torch.int64)
    assert (domain.masks, domain.odd_patterns) == (("ones", "right"), ())
    assert bool(drawn(("batch", "width"), "left").all())
    assert drawn(("batch", "width"), "right").dtype == torch.int64
    empty = Field("mask", ("batch", "width"), domain).draw({"batch": 0, "width": 3}, 1, "right")
    assert tuple(empty.shape) == (0, 3)
