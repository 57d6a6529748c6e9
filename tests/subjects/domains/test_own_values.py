"""Proves that the example's own values keep what no rule knows about them: signs, order, columns and rows."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.subjects.domains.draw import Draw
from pytest_tsexport.subjects.domains.own_values import OWN, OwnValues


def draw(own: OwnValues, pattern: str, *shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return own.draw(Draw(shape=shape, sizes={}, pattern=pattern, seed=seed, generator=generator))


TABLE = torch.tensor([[30.0, 1.0], [41.0, 0.0], [29.0, 1.0], [56.0, 0.0]])
"""Ages, and a flag."""


def test_each_column_is_drawn_from_its_own_values() -> None:
    own = OwnValues.of(TABLE, ("batch", 2))
    drawn = draw(own, "resampled", 50, 2)
    assert set(drawn[:, 0].tolist()) == {30.0, 41.0, 29.0, 56.0}
    assert set(drawn[:, 1].tolist()) == {0.0, 1.0}
    assert not torch.equal(drawn, draw(own, "resampled", 50, 2, seed=1))


def test_columns_are_the_fixed_dimensions_wherever_they_are() -> None:
    example = torch.arange(24).reshape(2, 3, 4)  # batch, channels, time
    drawn = draw(OwnValues.of(example, ("batch", 3, "time")), "resampled", 7, 3, 5)
    for channel in range(3):
        assert set(drawn[:, channel].flatten().tolist()) <= set(example[:, channel].flatten().tolist())


def test_one_row_alone_is_mixed_over_its_columns() -> None:
    drawn = draw(OwnValues.of(TABLE[:1], ("batch", 2)), "resampled", 40, 2)
    assert set(drawn[:, 0].tolist()) == {30.0, 1.0}


def test_whole_rows_come_in_another_order_each_once_before_any_twice() -> None:
    own = OwnValues.of(TABLE, ("batch", 2))
    for seed in range(5):
        four, six = (draw(own, "permuted", count, 2, seed=seed) for count in (4, 6))
        assert sorted(map(tuple, four.tolist())) == sorted(map(tuple, TABLE.tolist()))
        assert {tuple(row) for row in six.tolist()} == {tuple(row) for row in TABLE.tolist()}
    assert len({tuple(draw(own, "permuted", 4, 2, seed=seed).flatten().tolist()) for seed in range(9)}) > 3


def test_the_rows_of_two_inputs_stay_together() -> None:
    one, other = OwnValues.of(torch.arange(5), ("batch",)), OwnValues.of(torch.arange(10).view(5, 2), ("batch", 2))
    unsorted = OwnValues.of(torch.tensor([4, 0, 3, 1, 2]), ("batch",))
    assert torch.equal(draw(one, "permuted", 5), torch.arange(5))  # a sorted list keeps its order
    rows = draw(other, "permuted", 5, 2, seed=3)[:, 0] // 2
    assert torch.equal(draw(unsorted, "permuted", 5, seed=3), unsorted.example[rows])


def test_covariances_stay_symmetric_and_positive() -> None:
    factor = torch.randn(3, 4, 4, dtype=torch.float64)
    example = factor @ factor.transpose(1, 2)
    drawn = draw(OwnValues.of(example, ("batch", 4, 4)), "permuted", 7, 4, 4)
    assert torch.linalg.cholesky(drawn).shape == (7, 4, 4)
    growing = draw(OwnValues.of(example, ("batch", "n", "n")), "permuted", 2, 3, 3)
    assert torch.linalg.cholesky(growing).shape == (2, 3, 3)


@pytest.mark.parametrize(
    ("example", "ascending"), [([0, 3, 5], True), ([0, 0, 2, 9], True), ([6, 4], False), ([0.1, 0.2, 0.7], True)]
)
@pytest.mark.parametrize("pattern", OWN)
def test_a_sorted_list_is_sorted_at_every_size_and_begins_with_the_same_number(
    example: list[float], pattern: str, *, ascending: bool
) -> None:
    own = OwnValues.of(torch.tensor(example), ("batch",))
    for count in (1, 2, 3, 8):
        for seed in range(5):
            drawn = draw(own, pattern, count, seed=seed)
            assert drawn[0] == own.example[0]
            assert bool((drawn.diff() * (1 if ascending else -1) >= 0).all())
            assert set(drawn.tolist()) <= set(own.example.tolist())


def test_rows_of_times_stay_in_order_and_rows_that_are_not_sorted_are_mixed() -> None:
    times = torch.tensor([[0.0, 1.0, 5.0], [0.0, 2.0, 3.0]])
    drawn = draw(OwnValues.of(times, ("batch", "time")), "resampled", 9, 6)
    assert bool((drawn.diff(dim=-1) >= 0).all())
    assert not bool(drawn[:, 0].any())
    mixed = draw(OwnValues.of(times.flip(0).roll(1, dims=1), ("batch", "time")), "resampled", 9, 6)
    assert bool((mixed.diff(dim=-1) < 0).any())


@pytest.mark.parametrize("pattern", OWN)
@pytest.mark.parametrize(
    "dtype",
    [torch.float8_e4m3fn, torch.float8_e5m2, torch.bfloat16, torch.complex64, torch.uint8, torch.int16, torch.bool],
)
def test_every_dtype_can_be_drawn_at_every_size(dtype: torch.dtype, pattern: str) -> None:
    own = OwnValues.of(torch.tensor([[1, 0, 1], [0, 1, 1]]).to(dtype), ("batch", "length"))
    for shape in ((2, 3), (5, 9), (1, 1), (0, 3), (2, 0)):
        assert draw(own, pattern, *shape).to(dtype).shape == shape


@pytest.mark.parametrize("pattern", OWN)
def test_a_number_is_its_own_only_value(pattern: str) -> None:
    assert torch.equal(draw(OwnValues.of(torch.tensor(7), ()), pattern), torch.tensor(7))


def test_the_example_is_not_changed_and_later_changes_of_it_are_not_seen() -> None:
    example = torch.tensor([0, 3, 5])
    own = OwnValues.of(example, ("batch",))
    draw(own, "resampled", 3)
    assert example.tolist() == [0, 3, 5]
    example.zero_()
    assert own.example.tolist() == [0, 3, 5]
