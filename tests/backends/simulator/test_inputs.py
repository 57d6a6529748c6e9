"""Proves that a program takes tensors by position, of exactly the sizes and dtypes that it was compiled for."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.simulator import compiler
from tests.backends.simulator.programs import LEFT, compiled, compiled_with_warnings, loaded, refusal, saved


def weighs(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a * 2 + b


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ([LEFT], "^input 0 is a list; give a tensor, or a tuple of tensors$"),
        ({"a": LEFT}, "^input 0 is a dict; give a tensor, or a tuple of tensors$"),
        ((LEFT, 2.0), "^input 1 is a float; give a tensor, or a tuple of tensors$"),
        ((LEFT, None), "^input 1 is a NoneType; give a tensor, or a tuple of tensors$"),
        ((LEFT, (LEFT,)), "^input 1 is a tuple; give a tensor, or a tuple of tensors$"),
    ],
)
def test_inputs_that_are_not_positional_tensors_are_refused(inputs: object, text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        compiler.trace(weighs, inputs)


def test_one_tensor_needs_no_tuple() -> None:
    assert torch.equal(compiler.trace(nn.ReLU(), LEFT)(LEFT), LEFT.relu())


def test_arguments_keep_their_names_and_order() -> None:
    program = compiled(weighs, LEFT, -LEFT)
    assert [argument.name for argument in program.forward.schema.arguments[1:]] == ["a", "b"]
    assert torch.equal(program(LEFT, -LEFT), LEFT)


@pytest.mark.parametrize("loaded_back", [False, True])
@pytest.mark.parametrize(
    ("other", "text"),
    [
        (torch.ones(3, 3), "float32 [3, 3]"),
        (torch.ones(2, 4), "float32 [2, 4]"),
        (torch.ones(1, 3), "float32 [1, 3]"),
        (torch.ones(3), "float32 [3]"),
        (torch.ones(1, 2, 3), "float32 [1, 2, 3]"),
        (torch.ones(0, 3), "float32 [0, 3]"),
        (LEFT.double(), "float64 [2, 3]"),
        (LEFT.bfloat16(), "bfloat16 [2, 3]"),
        (LEFT.long(), "int64 [2, 3]"),
    ],
)
def test_another_size_or_dtype_raises_through_the_interpreter(
    other: torch.Tensor, text: str, *, loaded_back: bool
) -> None:
    program = compiled(weighs, LEFT, LEFT)
    program = loaded(saved(program)) if loaded_back else program
    with pytest.raises(RuntimeError, match=r"(?s)^The following operation failed in the TorchScript interpreter\."):
        program(LEFT, other)
    assert f"input 1 is {text}; the program was compiled for float32 [2, 3]" in refusal(program, LEFT, other)
    assert torch.equal(program(LEFT, LEFT), weighs(LEFT, LEFT))


def test_integers_of_another_width_are_refused() -> None:
    program = compiled(lambda ids: ids + 1, torch.tensor([1, 2]))
    assert "input 0 is int32 [2]; the program was compiled for int64 [2]" in refusal(
        program, torch.tensor([1, 2]).int()
    )


@pytest.mark.parametrize("given", [(), (LEFT,), (LEFT, LEFT, LEFT)])
def test_another_number_of_inputs_raises(given: tuple[torch.Tensor, ...]) -> None:
    assert refusal(compiled(weighs, LEFT, LEFT), *given)


@pytest.mark.parametrize("given", [[], [LEFT], [LEFT, LEFT, LEFT]])
def test_the_operator_itself_counts_its_inputs(given: list[torch.Tensor]) -> None:
    program = compiled(weighs, LEFT, LEFT)
    with pytest.raises(RuntimeError, match=f"^the program takes 2 inputs, and was given {len(given)}$"):
        torch.ops.neuron_sim.forward_v2(given, program.metaneff, program.neff)


def test_weights_are_those_at_compile_time() -> None:
    layer = nn.Linear(3, 3)
    program, before = compiled(layer, LEFT), layer(LEFT).detach()
    with torch.no_grad():
        layer.weight.zero_()
    assert torch.equal(program(LEFT), before)
    assert not torch.equal(layer(LEFT), before)
    assert not dict(program.named_parameters())


def test_an_example_that_is_overwritten_later_changes_nothing() -> None:
    example = LEFT.clone()
    program = compiled(weighs, example, example)
    example.zero_()
    assert torch.equal(program(LEFT, LEFT), weighs(LEFT, LEFT))


def by_shape(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a * b.shape[1] + torch.zeros_like(b) + b.new_ones(2, 3) * b.size(0)


@pytest.mark.parametrize("func", [lambda a, b: a * 2, by_shape], ids=["not asked", "its size alone asked"])
def test_an_unused_input_is_dropped_and_its_position_is_in_the_warning(func: object) -> None:
    assert callable(func)
    program, said = compiled_with_warnings(func, LEFT, LEFT)
    assert said == [
        "neuron-sim: an input tensor is unused and will be ignored (index=1, shape=(2, 3), dtype=torch.float32)"
    ]
    assert torch.equal(program(LEFT, LEFT * torch.nan), program(LEFT, LEFT))


def test_each_dropped_input_has_its_own_warning() -> None:
    _, said = compiled_with_warnings(lambda a, b, c: b + 1, LEFT, LEFT, torch.tensor(True))
    assert [text.partition("(")[2] for text in said] == [
        "index=0, shape=(2, 3), dtype=torch.float32)",
        "index=2, shape=(), dtype=torch.bool)",
    ]


def writes(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    made = torch.zeros_like(a)
    made[:, 1] = b[:, 0]
    return made + a


@pytest.mark.parametrize(
    "func", [weighs, writes, lambda a, b: (a, {"b": b}["b"]), lambda a, b: torch.where(b > 0, a, -a)]
)
def test_a_used_input_has_no_warning(func: object) -> None:
    assert callable(func)
    assert compiled_with_warnings(func, LEFT, LEFT)[1] == []
