"""Proves that a length is never above the size of its axis, at any size and under any name of the axis."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.subjects.domains.base import PATTERNS
from pytest_tsexport.subjects.domains.lengths import FullLengths, Lengths, Parts
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


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("size", [1, 2, 7, 33])
def test_the_longest_of_full_lengths_is_the_size(size: int, pattern: str) -> None:
    sizes = {"batch": 5, "sequence": size}
    one = Field("lengths", ("batch",), FullLengths(dtype=torch.int64, axis="sequence", offset=1))
    drawn = [one.draw(sizes, seed, pattern) for seed in range(10)]
    assert {int(lengths.max()) for lengths in drawn} == {size + 1}
    assert all(int(lengths.min()) >= 1 for lengths in drawn)
    if pattern == "uniform" and size > 2:
        assert len({tuple(lengths.tolist()) for lengths in drawn}) > 5
        assert len({int(lengths.argmax()) for lengths in drawn}) > 1


def test_every_length_may_be_the_size() -> None:
    domain = FullLengths(dtype=torch.int64, axis="sequence", every=True)
    assert Field("n", ("batch",), domain).draw({"batch": 3, "sequence": 9}, 0).tolist() == [9, 9, 9]
    assert domain.count({"batch": 3, "sequence": 9}) == 1


@pytest.mark.parametrize("low", [0, 1])
@pytest.mark.parametrize("size", [3, 4, 17])
def test_parts_add_up_to_the_size(size: int, low: int) -> None:
    one = Field("lengths", ("rows",), Parts(dtype=torch.int64, axis="items", low=low))
    drawn = [one.draw({"rows": 3, "items": size}, seed) for seed in range(30)]
    assert {int(parts.sum()) for parts in drawn} == {size}
    assert min(int(parts.min()) for parts in drawn) >= low
    assert one.draw({"rows": 1, "items": size}, 0).tolist() == [size]
    assert one.draw({"rows": 0, "items": size}, 0).tolist() == []


def test_lengths_that_are_moved_still_fit() -> None:
    sizes = {"batch": 3, "sequence": 9}
    for domain in (FullLengths(dtype=torch.int64, axis="sequence"), Parts(dtype=torch.int64, axis="sequence")):
        assert domain.moved(torch.tensor([2, 3, 4]), sizes).tolist() == [4, 2, 3]


def test_indices_may_be_bounded_by_the_size_minus_one() -> None:
    within = Lengths(dtype=torch.int64, axis="sequence", low=0, offset=-1)
    assert within.bounds({"sequence": 4}) == (0, 4)
    assert within.bounds({"sequence": 0}) == (0, 1)
