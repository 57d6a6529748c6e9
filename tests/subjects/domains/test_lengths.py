"""Proves that a length is never above the size of its axis, at any size and under any name of the axis."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.subjects.domains.base import PATTERNS
from pytest_tsexport.subjects.domains.lengths import Lengths
from pytest_tsexport.subjects.fields import Field

LENGTHS = Lengths(dtype=torch.int64, axis="sequence")
FIELD = Field("lengths", ("batch",), LENGTHS)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("size", [1, 2, 7, 33])
def test_lengths_follow_the_size_of_their_axis(size: int, pattern: str) -> None:
    sizes = {"batch": 16, "sequence": size}
    drawn = torch.cat([FIELD.draw(sizes, seed, pattern) for seed in range(20)])
    assert int(drawn.min()) >= 1
    assert int(drawn.max()) <= size
    if pattern in ("uniform", "extremes", "sweep"):
        assert int(drawn.max()) == size


def test_a_sweep_of_lengths_ends_at_the_size() -> None:
    sizes = {"batch": 2, "sequence": 7}
    assert LENGTHS.count(sizes) == 7
    assert FIELD.sweeps(sizes) == 4
    assert FIELD.swept(sizes, range(3)) == 6


def test_lengths_follow_an_axis_that_was_renamed_or_fixed() -> None:
    renamed = LENGTHS.with_axes({"sequence": "time", "batch": "rows"})
    assert renamed == Lengths(dtype=torch.int64, axis="time")
    fixed = LENGTHS.with_axes({"sequence": 5})
    assert fixed.count({"batch": 2}) == 5
    assert fixed.with_axes({"sequence": "time"}) is fixed


def test_moved_lengths_are_other_lengths() -> None:
    sizes = {"batch": 16, "sequence": 7}
    lengths = FIELD.draw(sizes, 0)
    moved = LENGTHS.moved(lengths, sizes)
    assert (moved != lengths).all()
    assert int(moved.max()) <= 7


def test_lengths_are_not_ids_and_not_open_ended() -> None:
    assert LENGTHS.looked_up(60, "lengths") is LENGTHS
    assert not LENGTHS.open_ended
    assert LENGTHS.lone_value is None
