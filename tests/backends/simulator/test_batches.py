"""Proves that dynamic batching cuts and fills only dimension 0, and each row equals eager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.simulator import compiler
from pytest_tsexport.backends.simulator.device import slices
from tests.backends.simulator.programs import LEFT, batched, compiled, loaded, refusal, saved

SIZE = 2
"""The batch that it is compiled for."""


def two(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    return a.softmax(-1) * b, {"sum": a.sum(1)}


def drawn(rows: int) -> torch.Tensor:
    return torch.randn(rows, 3, generator=torch.Generator().manual_seed(rows))


@pytest.mark.parametrize("rows", range(1, 3 * SIZE + 1))
def test_any_number_of_rows_equals_eager_row_by_row(rows: int) -> None:
    program, a, b = loaded(saved(batched(two, LEFT, LEFT))), drawn(rows), drawn(rows + 10)[:rows]
    product, sums = program(a, b)
    each = [two(a[row : row + 1], b[row : row + 1]) for row in range(rows)]
    assert torch.allclose(product, torch.cat([one[0] for one in each]), atol=1e-6)
    assert torch.allclose(sums["sum"], torch.cat([one[1]["sum"] for one in each]), atol=1e-6)


def test_no_rows_give_no_rows() -> None:
    assert batched(nn.Linear(3, 5), LEFT)(torch.ones(0, 3)).shape == (0, 5)


def test_the_program_runs_once_for_each_batch() -> None:
    """Each output row holds the number of rows that its program got, and their sum."""
    program = batched(lambda x: x * 0 + x.abs().sum(), LEFT)
    assert program(torch.ones(5, 3))[:, 0].tolist() == [6.0, 6.0, 6.0, 6.0, 3.0]


def test_the_last_batch_is_filled_up_with_zeros() -> None:
    *_, ((last,)) = slices([torch.ones(5, 3)], 2)
    assert last.tolist() == [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    assert [len(one) for (one,) in slices([torch.ones(4, 3)], 2)] == [2, 2]


def test_rows_that_depend_on_each_other_differ_from_eager() -> None:
    def func(x: torch.Tensor) -> torch.Tensor:
        return x - x.mean(0)

    program = batched(func, LEFT)
    assert torch.equal(program(LEFT), func(LEFT))
    assert not torch.allclose(program(drawn(4)), func(drawn(4)), atol=1e-2)


def test_dynamic_batching_changes_the_module_in_place() -> None:
    program = compiled(nn.ReLU(), LEFT)
    assert refusal(program, drawn(3))
    assert compiler.dynamic_batch(program) is program
    assert torch.equal(program(drawn(3)), drawn(3).relu())


@pytest.mark.parametrize(
    ("func", "inputs", "text"),
    [
        (lambda a, b: a * b, (LEFT, torch.tensor(2.0)), r"float32 \[2, 3\], float32 \[\], float32 \[2, 3\]"),
        (lambda a, b: a.sum() + b, (torch.ones(4, 3), LEFT), r"float32 \[4, 3\], float32 \[2, 3\], float32 \[2, 3\]"),
        (lambda a: a.sum(0), (LEFT,), r"float32 \[2, 3\], float32 \[3\]"),
        (lambda a: (a, a.sum()), (LEFT,), r"float32 \[2, 3\], float32 \[2, 3\], float32 \[\]"),
        (lambda a: a * 2, (torch.tensor(2.0),), r"float32 \[\], float32 \[\]"),
    ],
    ids=["a scalar", "two sizes", "an answer of another size", "an answer of one number", "scalars alone"],
)
def test_it_needs_the_same_dimension_0_everywhere(
    func: Callable[..., Any], inputs: tuple[torch.Tensor, ...], text: str
) -> None:
    program = compiled(func, *inputs)
    sentence = f"^dynamic batching needs one size of dimension 0 in all inputs and outputs, not {text}$"
    with pytest.raises(ValueError, match=sentence):
        compiler.dynamic_batch(program)
    assert not refusal(program, *inputs)


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        (torch.ones(4, 4), torch.ones(4, 4), r"input 0 is float32 [2, 4]; the program was compiled for"),
        (torch.ones(4, 3), torch.ones(4, 3, 1), r"input 1 is float32 [2, 3, 1]; the program was compiled for"),
        (torch.ones(4, 3), torch.ones(4, 3).double(), r"input 1 is float64 [2, 3]; the program was compiled for"),
        (torch.ones(4, 3), torch.ones(6, 3), "every input has the same dimension 0, and these have"),
        (torch.ones(4, 3), torch.ones(1, 3), "every input has the same dimension 0, and these have"),
        (torch.ones(4, 3), torch.tensor(1.0), "every input has the same dimension 0, and these have"),
    ],
)
def test_every_other_difference_raises(a: torch.Tensor, b: torch.Tensor, text: str) -> None:
    assert text in refusal(batched(two, LEFT, LEFT), a, b)
