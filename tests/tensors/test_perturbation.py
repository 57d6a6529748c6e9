"""Proves that the numbers of a tensor of every type can be changed and put back, and how a change reaches its views."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pytest_tsexport.tensors.copies import clone
from pytest_tsexport.tensors.memory import digest
from pytest_tsexport.tensors.perturbation import NOISY, WHOLE, carried, numbers_of, perturbed, put
from tests.tensors.every_tensor import EVERY, OTHER_KINDS

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def other(tensor: torch.Tensor) -> torch.Tensor:
    own = numbers_of(tensor)
    assert own is not None
    found = perturbed(own, generator())
    assert found is not None
    assert (found.dtype, found.shape) == (own.dtype, own.shape)
    return found


@pytest.mark.parametrize("given", [*EVERY.values(), *OTHER_KINDS.values()], ids=[*EVERY, *OTHER_KINDS])
def test_every_tensor_is_changed_and_put_back_or_refused(given: torch.Tensor) -> None:
    tensor = clone(given)
    before, own = digest(tensor), numbers_of(tensor)
    if own is None:
        put(tensor, torch.zeros(1))
        assert digest(tensor) == before
        return
    found = perturbed(own, generator())
    if found is None:
        rows = own.reshape(-1).view(torch.uint8).reshape(-1, own.element_size())
        assert len(rows.unique(dim=0)) == 1
        return
    put(tensor, found)
    assert digest(tensor) != before
    put(tensor, own)
    assert digest(tensor) == before


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_noise_that_would_be_lost_in_rounding_is_larger(dtype: torch.dtype) -> None:
    numbers = torch.ones(8, dtype=dtype)
    numbers[0] += torch.finfo(dtype).eps
    found = perturbed(numbers, generator())
    assert found is not None
    assert float((found - numbers).float().std()) > 0.1


def test_only_nested_and_wrapped_tensors_and_those_without_elements_are_refused() -> None:
    every = {**EVERY, **OTHER_KINDS}
    refused = {name for name, tensor in every.items() if numbers_of(tensor) is None}
    assert refused == {"nested", "jagged", "wrapped", "no elements"}


def test_noise_has_the_scale_of_the_numbers() -> None:
    weight = torch.randn(50, 40, generator=torch.Generator().manual_seed(1)) * 0.02
    noise = other(weight) - weight
    assert 0.018 < float(noise.std()) < 0.022
    assert abs(float(torch.corrcoef(torch.stack([noise.flatten(), weight.flatten()]))[0, 1])) < 0.1


@pytest.mark.parametrize(("fill", "scale"), [(0.0, 1.0), (3.0, 3.0)])
def test_numbers_that_are_all_equal_get_noise_of_their_size(fill: float, scale: float) -> None:
    noise = other(torch.full((2000,), fill)) - fill
    assert 0.9 * scale < float(noise.std()) < 1.1 * scale


def test_infinities_stay_where_they_are() -> None:
    mask = torch.full((6, 6), float("-inf")).triu(1)
    found = other(mask)
    assert torch.equal(found.isinf(), mask.isinf())
    assert not torch.equal(found, mask)


def test_a_mask_of_the_lowest_number_is_put_in_another_order() -> None:
    lowest = torch.finfo(torch.float32).min
    mask = torch.full((6, 6), lowest).triu(1)
    found = other(mask)
    assert sorted(found.flatten().tolist()) == sorted(mask.flatten().tolist())
    assert not torch.equal(found, mask)


@pytest.mark.parametrize("dtype", sorted(WHOLE, key=str), ids=str)
def test_whole_numbers_are_put_in_another_order(dtype: torch.dtype) -> None:
    numbers = torch.tensor([0, 1, 1, 0, 1, 0, 0], dtype=torch.uint8).to(dtype)
    found = other(numbers)
    assert found.sum(dtype=torch.int64) == numbers.sum(dtype=torch.int64) == 3


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.float16])
def test_noise_in_a_narrow_type_stays_finite(dtype: torch.dtype) -> None:
    largest = torch.finfo(dtype).max
    assert bool(other(torch.full((500,), largest).to(dtype)).float().isfinite().all())


def test_one_whole_number_cannot_be_changed() -> None:
    assert perturbed(torch.tensor(3), generator()) is None
    assert perturbed(torch.tensor([3, 3, 3]), generator()) is None


def test_a_dimension_that_was_expanded_is_there_once() -> None:
    table = torch.randn(1, 7).expand(3, 7)
    own = numbers_of(table)
    assert own is not None
    assert own.shape == (1, 7)
    put(table, own + 1)
    assert torch.equal(table[2], own[0] + 1)
    whole = torch.zeros(3, 7)
    put(whole, own)
    assert torch.equal(whole[1], own[0])


def test_numbers_are_rounded_to_the_type_that_they_are_put_in() -> None:
    half = torch.zeros(3, dtype=torch.bfloat16)
    put(half, torch.tensor([1.001, 2.0, 3.0]))
    assert half.tolist() == [1.0, 2.0, 3.0]


def test_where_one_is_longer_only_the_leading_part_is_written() -> None:
    numbers = torch.arange(1.0, 13.0).view(4, 3)
    cut, padded = torch.zeros(2, 3), torch.zeros(5, 3)
    put(cut, numbers)
    put(padded, numbers)
    assert torch.equal(cut, numbers[:2])
    assert torch.equal(padded, torch.cat([numbers, torch.zeros(1, 3)]))


def test_a_change_reaches_every_view_of_the_same_elements() -> None:
    base = torch.arange(12.0).view(3, 4)
    changed = base + 100
    assert torch.equal(wanted(base, changed, base), changed)
    assert torch.equal(wanted(base, changed, base.T), changed.T)
    assert torch.equal(wanted(base, changed, base[1:, ::2]), changed[1:, ::2])
    assert torch.equal(wanted(base[:2], changed[:2], base), torch.cat([changed[:2], base[2:]]))
    assert torch.equal(base, torch.arange(12.0).view(3, 4))


def test_a_change_of_a_conjugate_reaches_what_it_is_the_conjugate_of() -> None:
    phase = torch.polar(torch.ones(5), torch.linspace(0, 3, 5))
    numbers = torch.polar(torch.ones(5), torch.linspace(1, 2, 5))
    for one, other_view, expected in (
        (phase.conj(), phase, numbers.conj()),
        (phase, phase.conj(), numbers.conj()),
        (phase.conj(), phase[1:], numbers[1:].conj()),
        (phase[1:].conj(), phase.conj(), torch.cat([phase[:1].conj(), numbers[1:]])),
    ):
        given = numbers if one.numel() == 5 else numbers[1:]
        assert torch.equal(wanted(one, given, other_view), expected)


def test_a_change_of_codes_reaches_their_views() -> None:
    codes = torch.quantize_per_tensor(torch.linspace(0.5, 3, 6), 0.1, 0, torch.quint8)
    changed = other(codes)
    found = carried(codes, changed, codes[2:])
    assert found is not None
    assert torch.equal(found, changed[2:])


def test_a_view_of_another_type_cannot_follow() -> None:
    numbers = torch.arange(4.0)
    assert carried(numbers, numbers + 1, numbers.view(torch.int32)) is None


def test_a_parameter_of_its_own_class_is_changed_too() -> None:
    class Marked(nn.Parameter):
        pass

    weight = Marked(torch.arange(4.0))
    put(weight, torch.zeros(4))
    assert weight.tolist() == [0.0] * 4
    assert type(numbers_of(weight)) is torch.Tensor


def test_the_types_are_told_apart() -> None:
    assert torch.float8_e4m3fn in NOISY
    assert not NOISY & WHOLE


def wanted(one: torch.Tensor, numbers: torch.Tensor, view: torch.Tensor) -> torch.Tensor:
    found = carried(one, numbers, view)
    assert found is not None
    return found
