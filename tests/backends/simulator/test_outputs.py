"""Proves that a program returns outputs in their nesting, without gradients, and keeps no state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from tests.backends.simulator.programs import LEFT, Counts, Looks, compiled, loaded, refusal, saved

ZEROS = torch.zeros(3, dtype=torch.int64)


@pytest.mark.parametrize("leaf", [None, "text", 3, 2.5, True], ids=repr)
def test_a_leaf_that_is_not_a_tensor_is_refused(leaf: object) -> None:
    with pytest.raises(RuntimeError, match="Only tensors, lists, tuples of tensors, or dictionary of tensors"):
        compiled(lambda x: (x * 2, leaf), LEFT)


@pytest.mark.parametrize(
    "func",
    [lambda x: {1: x}, lambda x: [x, (x,)], lambda x: {"a": (x,), "b": x}],
    ids=["a number for a key", "a list of two kinds", "a mapping of two kinds"],
)
def test_an_output_that_the_tracer_cannot_type_is_refused(func: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError):
        compiled(func, LEFT)


def test_a_mapping_stays_a_mapping() -> None:
    answer = loaded(saved(compiled(lambda x: {"second": x + 1, "first": x * 2}, LEFT)))(LEFT)
    assert isinstance(answer, dict)
    assert torch.equal(answer["second"], LEFT + 1)
    assert torch.equal(answer["first"], LEFT * 2)


def test_tuples_stay_nested() -> None:
    one, (two, (three,)) = loaded(saved(compiled(lambda x: (x, (x + 1, (x + 2,))), LEFT)))(LEFT)
    assert torch.equal(torch.stack([one, two, three]), torch.stack([LEFT, LEFT + 1, LEFT + 2]))


def test_one_tensor_stays_one_tensor_and_a_sequence_a_sequence() -> None:
    assert torch.equal(compiled(lambda x: x + 1, LEFT)(LEFT), LEFT + 1)
    assert len(compiled(lambda x: [x, x + 1], LEFT)(LEFT)) == 2
    values, places = compiled(lambda x: torch.max(x, dim=1), LEFT)(LEFT)
    assert torch.equal(values, LEFT.max(1).values)
    assert torch.equal(places, LEFT.max(1).indices)


def test_dtypes_are_kept() -> None:
    def func(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return x > 0, x.argmax(1), x.half(), x.double()

    assert [leaf.dtype for leaf in compiled(func, LEFT)(LEFT)] == [leaf.dtype for leaf in func(LEFT)]


def test_outputs_require_no_gradient() -> None:
    answer = compiled(nn.Linear(3, 3), LEFT)(LEFT.clone().requires_grad_())
    assert not answer.requires_grad


def test_an_output_shares_no_memory_with_inputs_and_other_outputs() -> None:
    given = LEFT.clone()
    one, two = compiled(lambda x: (x, x), given)(given)
    one.zero_()
    assert torch.equal(given, LEFT)
    assert torch.equal(two, LEFT)


def test_writing_to_an_output_does_not_change_the_program() -> None:
    class Constant(nn.Module):
        table: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("table", torch.ones(2, 3))

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x, self.table

    program = compiled(Constant(), LEFT)
    program(LEFT)[1].zero_()
    assert torch.equal(program(LEFT)[1], torch.ones(2, 3))


@pytest.mark.parametrize(
    "dtype",
    [torch.int64, torch.float32],
)
def test_an_input_is_not_overwritten(dtype: torch.dtype) -> None:
    given = LEFT.clone().to(dtype)
    program = compiled(lambda x: x.mul_(0), given)
    assert not bool(program(given).any())
    assert torch.equal(given, LEFT.to(dtype))


def test_no_state_is_kept_between_two_runs() -> None:
    program = compiled(Counts(), LEFT)
    assert len({float(program(LEFT)[0, 0]) for _ in range(4)}) == 1


def test_two_programs_of_one_file_are_independent() -> None:
    content = saved(compiled(Counts(), LEFT))
    one, two = loaded(content), loaded(content)
    assert torch.equal(one(LEFT), two(LEFT))
    assert torch.equal(one(LEFT), two(LEFT))


def test_no_state_is_kept_of_a_run_that_raised() -> None:
    program = compiled(Looks(), LEFT, ZEROS)
    before = program(LEFT, ZEROS)
    assert refusal(program, LEFT, ZEROS + 5)
    assert torch.equal(program(LEFT, ZEROS), before)


def test_the_state_of_the_source_does_not_change() -> None:
    model = Counts()
    compiled(model, LEFT)
    assert float(model.calls) == 0
