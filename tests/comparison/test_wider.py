"""Proves that in the wider type every dtype that a model names means the wider one, and only while it is asked."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.comparison.wider import computed_wider, half_of, widened

X = torch.ones(3)


def test_what_names_float32_means_float64() -> None:
    with computed_wider(half=False):
        made = [X.double().to(torch.float32), X.double().float(), torch.zeros(2), torch.arange(3) / 2]
        made += [X.double().softmax(0, dtype=torch.float32), torch.tensor([1.0]), torch.full((2,), 1.0)]
        assert {one.dtype for one in made} == {torch.float64}
        assert [X.to(torch.bfloat16).dtype, X.long().dtype] == [torch.bfloat16, torch.int64]
    assert torch.zeros(2).dtype == X.double().float().dtype == torch.float32


def test_what_names_half_precision_means_float32() -> None:
    with computed_wider(half=True):
        assert [X.half().dtype, X.bfloat16().dtype, X.double().float().dtype] == [torch.float32] * 3
        assert torch.zeros(2).dtype == torch.float32


def test_the_default_dtype_is_restored_after_an_error() -> None:
    with pytest.raises(RuntimeError), computed_wider(half=False):
        raise RuntimeError
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize(
    ("dtype", "half", "wider"),
    [
        (torch.float32, False, torch.float64),
        (torch.complex64, False, torch.complex128),
        (torch.float64, False, torch.float64),
        (torch.int64, False, torch.int64),
        (torch.bfloat16, True, torch.float32),
        (torch.float16, True, torch.float32),
        (torch.float32, True, torch.float32),
    ],
)
def test_each_type_has_a_wider_one(dtype: torch.dtype, wider: torch.dtype, *, half: bool) -> None:
    assert widened(torch.ones(2).to(dtype), half=half).dtype == wider


def test_one_weight_in_half_precision_is_enough() -> None:
    assert half_of([X, X.half()]) is torch.float16
    assert half_of([X, X.long()]) is None
