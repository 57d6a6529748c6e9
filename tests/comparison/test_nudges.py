"""Proves by how much the values of a tensor are nudged, and which of them are not."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.comparison import nudges
from pytest_tsexport.comparison.nudges import FIRST, FIRST_IN_HALF, LARGE, is_movable, nudged, nudged_alike, times_of

LOWEST = torch.finfo(torch.float32).min


def moved(tensor: torch.Tensor, times: int = 2, *, exact: bool = False, seed: int = 0) -> torch.Tensor:
    return nudged(tensor, times, torch.Generator().manual_seed(seed), exact=exact)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("times", [1, 8])
def test_each_value_is_nudged_by_so_many_ulp_at_most(dtype: torch.dtype, times: int) -> None:
    tensor = torch.full((40, 30), 1 / 3, dtype=dtype)
    after = moved(tensor, times)
    ulp = (after.double() / tensor.double() - 1).abs() / torch.finfo(dtype).eps
    most = times * (FIRST_IN_HALF if torch.finfo(dtype).bits == 16 else FIRST)
    assert (after.dtype, after.shape) == (dtype, tensor.shape)
    assert most / 2 < float(ulp.max()) <= most + 1
    assert bool((after > tensor).any())
    assert bool((after < tensor).any())


def test_the_first_nudge_is_two_ulp_and_one_in_half_precision() -> None:
    assert (FIRST, FIRST_IN_HALF) == (2, 1)
    assert [times_of(dtype) for dtype in (torch.bfloat16, torch.float16)] == [2**14, 2**11]


def test_noise_is_on_the_cpu_though_it_is_first_drawn_where_another_device_is_the_default() -> None:
    """It is kept for the process: noise without numbers would be that of all later checks."""
    tensor = torch.full((40, 30), 1 / 3)
    nudges._numbers.cache_clear()
    with torch.device("meta"):
        inside = moved(tensor)
    assert inside.device.type == "cpu"
    assert torch.equal(inside, moved(tensor))
    assert nudges._drawn(3, torch.float32, seed=0).device.type == "cpu"


@pytest.mark.parametrize("dim", [0, 1])
def test_slices_along_each_dimension_are_nudged_too_because_single_values_average_out(dim: int) -> None:
    tensor = torch.full((300, 500), 1 / 3, dtype=torch.float64)
    off = (moved(tensor) / tensor - 1) / torch.finfo(torch.float64).eps
    means = off.mean(dim)
    assert float(means.std()) > 5 * float(off.std()) / tensor.shape[dim] ** 0.5


def test_a_large_tensor_has_no_noise_of_single_values(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LARGE == 2**18
    tensor = torch.full((20, 30), 1 / 3, dtype=torch.float64)
    whole = moved(tensor, 2**20)
    monkeypatch.setattr(nudges, "LARGE", tensor.numel() - 1)
    by_slice = moved(tensor, 2**20)
    assert residue(whole) > 1e4 * residue(by_slice)
    assert len(by_slice.unique()) > 100


def residue(tensor: torch.Tensor) -> float:
    """What rows and columns alone do not explain."""
    return float((tensor - tensor.mean(0) - tensor.mean(1, keepdim=True) + tensor.mean()).abs().max())


def test_one_step_after_the_other_is_nudged_in_another_way() -> None:
    generator, tensor = torch.Generator().manual_seed(0), torch.full((100, 300), 1 / 3, dtype=torch.float64)
    first, second = (nudged(tensor, 2**20, generator, exact=False).flatten() for _ in range(2))
    assert abs(float(torch.corrcoef(torch.stack([first, second]))[0, 1])) < 0.1


def test_values_whose_sum_overflows_are_nudged() -> None:
    after = moved(torch.full((20, 30), 3e38))
    assert len(after.unique()) > 2
    assert bool(after.isfinite().all())


def test_a_number_alone_is_nudged() -> None:
    assert len({float(moved(torch.tensor(1 / 3), 4, seed=seed)) for seed in range(9)}) > 2


def test_a_large_vector_has_noise_of_each_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudges, "LARGE", 3)
    assert len(moved(torch.full((50,), 1 / 3, dtype=torch.float64)).unique()) > 2


@pytest.mark.parametrize(
    ("dtype", "exact", "computed"),
    [
        (torch.float64, 2**26 - 1, 2**26 + 1),
        (torch.float32, 2**11 - 1, (2**11 + 1) / 2**14),
        (torch.float16, 2**5 - 1, 2**5 + 1),
        (torch.bfloat16, 2**3 - 1, 2**3 + 1),
    ],
)
def test_what_needs_more_than_half_of_the_digits_is_taken_to_be_computed(
    dtype: torch.dtype, exact: int, computed: float
) -> None:
    values = torch.tensor([exact, -exact, 0.0, 1.0, 0.5, exact / 2**4], dtype=dtype)
    assert torch.equal(moved(values, 8, exact=True), values)
    assert not torch.equal(moved(values, 8), values)
    others = torch.full((30,), computed, dtype=dtype)
    assert not torch.equal(moved(others, 8, exact=True), others)


@pytest.mark.parametrize("written", [0.3, 12345.0, 99.125, -7.001])
def test_decimal_numbers_of_few_digits_are_exact_where_there_are_digits_enough(written: float) -> None:
    values = torch.full((30,), written)
    assert torch.equal(moved(values, 8, exact=True), values)
    half = torch.full((30,), 0.3, dtype=torch.bfloat16)
    assert not torch.equal(moved(half, 8, exact=True), half)


def test_the_lowest_number_is_not_moved_to_infinity() -> None:
    mask = torch.full((40, 30), LOWEST)
    assert bool(moved(mask, 8).isfinite().all())
    assert bool(moved(torch.tensor([float("-inf"), float("nan")])).isnan()[1])


def test_complex_numbers_are_nudged_and_whole_ones_are_not() -> None:
    complex_ones = torch.full((30,), 1 / 3 - 2j / 3, dtype=torch.complex64)
    after = moved(complex_ones)
    assert (after.dtype, after.shape) == (torch.complex64, complex_ones.shape)
    assert not torch.equal(after, complex_ones)
    for still in (torch.arange(9), torch.ones(3, dtype=torch.bool), torch.zeros(0)):
        assert moved(still) is still
    assert not is_movable(torch.ones(2).to(torch.float8_e4m3fn))


def test_equal_values_of_an_input_are_moved_alike() -> None:
    """What eager and the file are given is the same, so a column of one value is one in both."""
    column = torch.tensor([[0.123456, 0.7654321], [0.123456, 0.3456789]])
    after = nudged_alike(column, 8, torch.Generator().manual_seed(0), exact=True)
    assert float(after[0, 0]) == float(after[1, 0]) != float(column[0, 0])
    assert len(nudged_alike(torch.rand(90), 8, torch.Generator().manual_seed(0), exact=True).unique()) == 90


def test_exact_values_of_an_input_and_what_is_not_finite_stay() -> None:
    values = torch.tensor([0.0, 1.0, 0.3, 12345.0, float("inf")])
    assert torch.equal(nudged_alike(values, 8, torch.Generator().manual_seed(0), exact=True), values)
    numbers = torch.tensor([3, 4])
    assert nudged_alike(numbers, 8, torch.Generator().manual_seed(0), exact=True) is numbers


@pytest.mark.parametrize("dtype", [torch.complex64, torch.float64])
def test_an_input_of_another_type_keeps_it(dtype: torch.dtype) -> None:
    values = torch.rand(40, dtype=dtype)
    after = nudged_alike(values, 4, torch.Generator().manual_seed(0), exact=True)
    assert after.dtype == dtype
    assert not torch.equal(after, values)


def test_a_large_input_is_moved_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudges, "LARGE", 3)
    values = torch.rand(50, dtype=torch.float64)
    ratios = nudged_alike(values, 2**20, torch.Generator().manual_seed(0), exact=True) / values
    assert float(ratios.max() - ratios.min()) < 1e-14
    assert float(ratios[0]) != 1.0
