"""Proves that what depends on values is computed once, when a program is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.backends.simulator.programs import LEFT, compiled, compiled_with_warnings

Function = Callable[[torch.Tensor], Any]

OTHER = torch.tensor([[-1.0, -2.0, -3.0], [4.0, -5.0, -5.0]])
"""Has fewer numbers above zero than `LEFT`, at other positions."""


def branches(x: torch.Tensor) -> torch.Tensor:
    return x * 2 if x.sum() > 0 else x * 3


def picks_rows(x: torch.Tensor) -> torch.Tensor:
    return x[torch.nonzero(x[:, 0] > 0).squeeze(-1)]


SIZES: dict[str, Function] = {
    "nonzero": lambda x: torch.nonzero(x > 0),
    "its method": lambda x: (x > 0).nonzero(),
    "nonzero as a tuple": lambda x: torch.nonzero(x > 0, as_tuple=True)[1],
    "argwhere": lambda x: torch.argwhere(x > 0),
    "where of one argument": lambda x: torch.where(x > 0)[1],
    "where by keyword": lambda x: torch.where(condition=x > 0)[1],
    "boolean index": lambda x: x[x > 0],
    "boolean index among others": lambda x: x[0, x[0] > 0],
    "masked_select": lambda x: torch.masked_select(x, x > 0),
    "its own method": lambda x: x.masked_select(x > 0),
    "unique": torch.unique,
    "unique with counts": lambda x: torch.unique(x, return_counts=True)[1],
    "unique_consecutive": lambda x: x.sign().unique_consecutive(),
}

VALUES: dict[str, Function] = {
    "item": lambda x: torch.ones(2) * x.sum().item(),
    "float": lambda x: torch.ones(2) * float(x.sum()),
    "a list": lambda x: torch.tensor(x.tolist()),
}


@pytest.mark.parametrize("name", SIZES)
def test_an_output_whose_size_depends_on_values_is_a_constant(name: str) -> None:
    program, said = compiled_with_warnings(SIZES[name], LEFT)
    assert [text.partition("(")[2][:7] for text in said] == ["index=0"]
    assert SIZES[name](OTHER).shape != SIZES[name](LEFT).shape
    assert torch.equal(program(OTHER), SIZES[name](LEFT))
    assert program(OTHER).dtype == SIZES[name](LEFT).dtype


@pytest.mark.parametrize("name", VALUES)
def test_a_number_that_passed_through_python_is_a_constant(name: str) -> None:
    program, said = compiled_with_warnings(VALUES[name], LEFT)
    assert len(said) == 1
    assert not torch.equal(VALUES[name](OTHER), VALUES[name](LEFT))
    assert torch.equal(program(OTHER), VALUES[name](LEFT))


@pytest.mark.parametrize("name", ["bincount", "repeat_interleave"])
def test_an_output_of_another_size_than_compiled_for_raises(name: str) -> None:
    functions: dict[str, Function] = {
        "bincount": lambda x: torch.bincount((x > 0).long().flatten() * x.flatten().abs().long()),
        "repeat_interleave": lambda x: torch.repeat_interleave(torch.arange(2), (x > 0).sum(1)),
    }
    func = functions[name]
    assert func(OTHER).shape != func(LEFT).shape
    assert torch.equal(compiled(func, LEFT)(OTHER), func(LEFT))


def test_a_branch_on_values_is_frozen_as_traced() -> None:
    program = compiled(branches, LEFT)
    assert not torch.equal(branches(OTHER), OTHER * 2)
    assert torch.equal(program(OTHER), OTHER * 2)
    assert compiled_with_warnings(branches, LEFT)[1] == []


def test_positions_are_frozen_and_the_values_there_are_not() -> None:
    assert torch.equal(compiled(picks_rows, LEFT)(OTHER), OTHER)
    assert compiled_with_warnings(picks_rows, LEFT)[1] == []


@pytest.mark.parametrize(
    "func",
    [
        lambda x: torch.where(x > 0, x, -x),
        lambda x: x.masked_fill(x > 0, 9.0),
        lambda x: x[torch.arange(2), x.argmax(1)],
        lambda x: (x > 0).count_nonzero(),
        lambda x: (x > 0) * x,
        lambda x: x.gather(1, x.argsort(1)),
        lambda x: x.repeat_interleave(x.shape[0], dim=1),
        lambda x: torch.repeat_interleave(x, repeats=x.shape[1] // 2, dim=0),
        lambda x: x.repeat_interleave((x > 9).sum() + 2, dim=0),
    ],
    ids=[
        *("where of three", "masked_fill", "whole-number index", "count", "a mask multiplied in", "gather"),
        *("repeats of a size", "repeats by keyword", "repeats of a value"),
    ],
)
def test_an_output_of_the_same_size_for_all_values_is_not_frozen(func: Function) -> None:
    program, said = compiled_with_warnings(func, LEFT)
    assert said == []
    assert torch.equal(program(OTHER), func(OTHER))
    assert not torch.equal(program(OTHER), func(LEFT))


def test_writing_by_a_mask_is_not_frozen() -> None:
    def writes(x: torch.Tensor) -> torch.Tensor:
        made = x.clone()
        made[made > 0] = 9.0
        return made

    assert torch.equal(compiled(writes, LEFT)(OTHER), writes(OTHER))
