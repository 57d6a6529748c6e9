"""Proves that integers have 32 bits, and that float32 is rounded exactly as `--auto-cast` says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.simulator import compiler
from pytest_tsexport.errors import ExportError
from tests.backends.simulator.programs import LEFT, compiled

WHOLE = torch.tensor([2, 3])
LARGE = torch.tensor([70_000, -70_000])
"""Their squares do not fit in 32 bits."""

Function = Callable[[torch.Tensor], torch.Tensor]

NARROW = {
    "product": lambda x: x * x,
    "power": lambda x: x**2,
    "sum": lambda x: (x.abs() * 30_000).sum(0),
    "running product": lambda x: x.cumprod(0),
    "shift": lambda x: x << 16,
    "difference": lambda x: x * 30_000 - 100_000_000,
    "dot": lambda x: torch.dot(x, x),
    "a rounded fraction": lambda x: (x * 1e9).long(),
}


def wrapped(exact: torch.Tensor) -> torch.Tensor:
    """The same numbers in 32 bits, by Python's arithmetic."""
    numbers = [(number + 2**31) % 2**32 - 2**31 for number in exact.flatten().tolist()]
    return torch.tensor(numbers, dtype=torch.int64).reshape(exact.shape)


def test_an_input_past_32_bits_wraps() -> None:
    program = compiled(lambda x: x + 0, WHOLE)
    assert program(torch.tensor([2**31 + 5, -(2**31) - 1])).tolist() == [-(2**31) + 5, 2**31 - 1]
    assert program(torch.tensor([2**31 - 1, -(2**31)])).tolist() == [2**31 - 1, -(2**31)]


def test_an_input_that_is_returned_unchanged_wraps_too() -> None:
    assert compiled(lambda x: x > 0, WHOLE)(torch.tensor([2**31, 2**32])).tolist() == [False, False]


@pytest.mark.parametrize("name", NARROW)
def test_a_result_past_32_bits_wraps(name: str) -> None:
    func: Function = NARROW[name]
    exact, answer = func(LARGE), compiled(func, WHOLE)(LARGE)
    assert not torch.equal(exact, wrapped(exact))
    assert torch.equal(answer, wrapped(exact))
    assert answer.dtype == torch.int64


@pytest.mark.parametrize(
    "func",
    [
        lambda x: x.clone().mul_(x),
        lambda x: x.view(1, 2) @ x.view(2, 1),
        lambda x: torch.addcmul(x, x, x),
        lambda x: torch.full_like(x, 2**40 + 1) + x * 0,
        lambda x: torch.zeros_like(x).scatter_add(0, x * 0, x.abs() * 30_000),
    ],
    ids=["in place", "matrix product", "addcmul", "constant", "scatter_add"],
)
def test_no_operator_returns_a_wide_integer(func: Function) -> None:
    answer = compiled(func, WHOLE)(LARGE)
    assert bool((answer.abs() <= 2**31).all())


def test_integers_that_fit_do_not_change() -> None:
    program = compiled(lambda x: x * x - 7, WHOLE)
    assert program(torch.tensor([46_340, -9])).tolist() == [46_340**2 - 7, 74]


def model() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 64))


def off(func: Callable[..., torch.Tensor], x: torch.Tensor, *args: str) -> float:
    """The largest difference from eager, as a share of eager's largest value."""
    exact = func(x).detach()
    return float((compiled(func, x, args=args)(x) - exact).abs().max() / exact.abs().max())


def drawn() -> torch.Tensor:
    return torch.randn(8, 64, generator=torch.Generator().manual_seed(5))


def test_none_is_exact() -> None:
    assert off(model(), drawn(), "--auto-cast", "none", "--auto-cast-type", "bf16") == 0
    assert off(model(), drawn()) == 0


@pytest.mark.parametrize("scope", ["matmult", "all"])
def test_each_type_is_off_by_its_precision(scope: str) -> None:
    bf16, fp16 = (
        off(model(), drawn(), f"--auto-cast={scope}", f"--auto-cast-type={kind}") for kind in ("bf16", "fp16")
    )
    assert 2**-10 < bf16 < 2**-4
    assert 2**-13 < fp16 < 2**-7
    assert bf16 > 3 * fp16


def test_bf16_is_the_default_type() -> None:
    assert off(model(), drawn(), "--auto-cast", "all") == off(
        model(), drawn(), "--auto-cast", "all", "--auto-cast-type", "bf16"
    )


@pytest.mark.parametrize(
    "func",
    [
        nn.Linear(64, 64, bias=False),
        nn.Conv1d(8, 8, 3),
        lambda x: x @ x.t(),
        lambda x: torch.bmm(x.view(1, 8, 64), x.view(1, 64, 8)),
        lambda x: nn.functional.scaled_dot_product_attention(*(x.view(1, 1, 8, 64),) * 3),
    ],
    ids=["linear", "convolution", "mm", "bmm", "attention"],
)
def test_matmult_rounds_every_product_of_matrices(func: Callable[..., torch.Tensor]) -> None:
    assert 2**-13 < off(func, drawn(), "--auto-cast", "matmult") < 2**-5


def test_matmult_rounds_only_products_and_all_rounds_more() -> None:
    for func in (lambda x: x * 1.2345 + x.exp(), nn.LayerNorm(64), lambda x: x.softmax(-1)):
        assert off(func, drawn(), "--auto-cast", "matmult") == 0
        assert 2**-13 < off(func, drawn(), "--auto-cast", "all") < 2**-5


def test_only_float32_is_cast() -> None:
    for dtype in (torch.float64, torch.float16):
        x = drawn().to(dtype)
        assert off(lambda x: x @ x.t(), x, "--auto-cast", "all") == 0


def test_dtypes_of_outputs_are_kept() -> None:
    assert compiled(model(), drawn(), args=("--auto-cast", "all"))(drawn()).dtype == torch.float32


def masked(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return torch.softmax(x.masked_fill(mask == 0, torch.finfo(x.dtype).min), -1)


class ByNumber(nn.Module):
    """A mask of the lowest number, which is a Python number."""

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x + (1 - mask) * torch.finfo(x.dtype).min, -1)


class ByBuffer(nn.Module):
    """The same, with the lowest number in a buffer."""

    lowest: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("lowest", torch.tensor(torch.finfo(torch.float32).min))

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.softmax(x + (1 - mask) * self.lowest, -1)


@pytest.mark.parametrize("model", [ByNumber, ByBuffer])
@pytest.mark.parametrize(("scope", "ruined"), [("none", False), ("matmult", False), ("all", True)])
def test_a_number_is_rounded_as_a_buffer_is(model: type[nn.Module], scope: str, *, ruined: bool) -> None:
    mask = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    args = ("--auto-cast", scope, "--auto-cast-type", "fp16")
    answer = compiled(model(), LEFT, torch.ones(2, 3), args=args)(LEFT, mask)
    assert bool(answer.isnan().all()) is ruined
    assert bool(answer.isfinite().all()) is not ruined


@pytest.mark.parametrize(("scope", "ruined"), [("none", False), ("matmult", False), ("all", True)])
def test_a_fully_masked_row_is_nan_if_the_smallest_number_is_rounded(scope: str, *, ruined: bool) -> None:
    mask = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])
    args = ("--auto-cast", scope, "--auto-cast-type", "fp16")
    first, second = compiled(masked, LEFT, torch.ones(2, 3), args=args)(LEFT, mask)
    assert bool(first.isnan().all()) is ruined
    assert bool(first.isnan().any()) is ruined
    assert bool(second.isfinite().all())


@pytest.mark.parametrize("kind", ["tf32", "fp8_e4m3"])
def test_a_type_that_is_not_simulated_is_refused(kind: str) -> None:
    args = ("--auto-cast", "matmult", "--auto-cast-type", kind)
    with pytest.raises(ExportError, match=f"^neuron-sim does not simulate --auto-cast-type {kind}; use bf16 or fp16$"):
        compiler.trace(model(), drawn(), compiler_args=args)
    assert off(model(), drawn(), "--auto-cast", "none", "--auto-cast-type", kind) == 0
