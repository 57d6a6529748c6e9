"""Proves which operators are known to jump, and that smooth ones are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from pytest_tsexport.comparison.jumps import watched

PLACES = torch.tensor([[0.1, -0.2], [0.3, 0.4]])[None, None]
X = torch.tensor([[0.5, -1.5, 2.5], [1.25, 3.5, -0.75]]) / 3
IDS = torch.tensor([[1, 0, 2]])


def found(call: Callable[[torch.Tensor], object]) -> set[str]:
    names: set[str] = set()
    with torch.no_grad(), watched(names):
        call(X.clone())
    return names


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: torch.where(x > 0, x, 2 * x), "gt"),
        (lambda x: x.argmax(-1), "argmax"),
        (lambda x: x.topk(2).values, "topk"),
        (lambda x: x.sort().values, "sort"),
        (lambda x: x.max(-1), "max"),
        (lambda x: x.round(), "round"),
        (lambda x: x.floor_(), "floor"),
        (lambda x: x.gt_(0), "gt"),
        (lambda x: x.long(), "_to_copy"),
        (lambda x: x.half(), "_to_copy"),
        (lambda x: torch.div(x, 2, rounding_mode="floor"), "div"),
        (lambda x: x // 2, "floor_divide"),
        (lambda x: x.isnan(), "isnan"),
        (lambda x: (x - x) > 1e-7, "gt"),
        (lambda x: x.histc(3), "histc"),
        (lambda x: x.nan_to_num(), "nan_to_num"),
        (lambda x: x.sum().item(), "_local_scalar_dense"),
        (lambda x: bool(x.sum()), "_local_scalar_dense"),
        (lambda x: torch.equal(x, x + 1), "equal"),
        (lambda x: x.tolist(), "tolist"),
        (lambda x: x.numpy(), "numpy"),
        (lambda x: torch.searchsorted(x[0].abs(), x), "searchsorted"),
        (torch.linalg.svd, "_linalg_svd"),
        (lambda x: x.to(torch.complex64).log(), "log"),
        (
            lambda x: functional.grid_sample(x[None, None], PLACES, mode="nearest", align_corners=True),
            "grid_sampler_2d",
        ),
    ],
)
def test_an_operator_that_may_jump_is_named(call: Callable[[torch.Tensor], object], name: str) -> None:
    assert name in found(call)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x @ x.T + x.sum(),
        lambda x: functional.gelu(x).softmax(-1) / 3,
        lambda x: functional.layer_norm(x, (3,)).relu().clamp(-1, 1),
        lambda x: functional.embedding(IDS, x.T),
        lambda x: x.masked_fill(IDS > 0, -1e9),
        lambda x: x[:, IDS.argmax(-1)].double(),
        lambda x: functional.scaled_dot_product_attention(x[None], x[None], x[None]),
        lambda x: x.shape[0] * x.max(),
        lambda x: functional.max_pool1d(x, 2),
        lambda x: ((1 - IDS.float()) * torch.finfo(x.dtype).min).lt(0),
        lambda x: x.new_full((2,), 1, dtype=torch.int64),
        lambda x: (IDS.float().shape, IDS // 2, IDS.tolist(), x),
    ],
)
def test_a_smooth_operator_or_a_choice_among_whole_numbers_is_not(call: Callable[[torch.Tensor], object]) -> None:
    assert found(call) == set()
