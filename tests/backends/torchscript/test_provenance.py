"""Proves that the inputs and operators of each output are found by value: using only the size does not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from pytest_tsexport.backends.inspector import Provenance
from pytest_tsexport.backends.torchscript.provenance import provenance

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning", "ignore::torch.jit.TracerWarning")

X = torch.ones(2, 3)


def found(func: Callable[..., Any], inputs: int = 2) -> list[set[int]]:
    """The positions of the inputs that each output is computed from."""
    return [set(one.inputs) for one in traced(func, inputs)]


def traced(func: Callable[..., Any], inputs: int = 2) -> tuple[Provenance, ...]:
    module: Any = torch.jit.trace(func, (X.clone(),) * inputs, check_trace=False, strict=False)
    return provenance(module.inlined_graph, inputs)


@pytest.mark.parametrize(
    ("func", "places"),
    [
        (lambda a, b: a * 2, [{0}]),
        (lambda a, b: a + b, [{0, 1}]),
        (lambda a, b: (b * 2, a), [{1}, {0}]),
        (lambda a, b: (a, (b, a + b)), [{0}, {1}, {0, 1}]),
        (lambda a, b: {"first": b + 1, "second": a + 1}, [{1}, {0}]),
        (lambda a, b: [b + 1, a + 1], [{1}, {0}]),
        (lambda a, b: torch.cat([a, b]), [{0, 1}]),
        (lambda a, b: a.split(1)[0] + b.unbind(0)[0], [{0, 1}]),
        (lambda a, b: torch.ones(2), [set()]),
    ],
)
def test_each_output_has_its_inputs_in_any_nesting(func: Callable[..., Any], places: list[set[int]]) -> None:
    assert found(func) == places


@pytest.mark.parametrize(
    "func",
    [
        lambda a, b: a * b.shape[0],
        lambda a, b: a + torch.zeros_like(b),
        lambda a, b: a + torch.ones_like(b) * b.dim(),
        lambda a, b: a + b.new_zeros(2, 3),
        lambda a, b: a.reshape(b.size(0), b.size(1)),
        lambda a, b: a + torch.arange(b.shape[1]),
        lambda a, b: a + torch.ones(3, device=b.device, dtype=b.dtype),
        lambda a, b: a * b.numel(),
    ],
    ids=["shape", "zeros_like", "ones_like", "new_zeros", "size", "arange", "device", "numel"],
)
def test_an_input_of_which_only_the_size_is_used_does_not_count(func: Callable[..., Any]) -> None:
    assert found(func) == [{0}]


@pytest.mark.parametrize(
    "func",
    [
        lambda a, b: a.expand_as(b),
        lambda a, b: a.view_as(b),
        lambda a, b: a.to(b),
        lambda a, b: a.type_as(b),
        lambda a, b: torch.empty_like(b).copy_(a),
        lambda a, b: a + torch.zeros(b.shape),
    ],
    ids=["expand_as", "view_as", "to", "type_as", "empty_like", "zeros"],
)
def test_other_operators_that_use_only_a_size_do_not_count(func: Callable[..., Any]) -> None:
    assert found(func) == [{0}]


def test_values_that_are_written_in_place_count() -> None:
    assert found(lambda a, b: (a * 1).add_(b)) == [{0, 1}]
    assert found(lambda a, b: written((a * 1).view(-1), b.view(-1)) * 2) == [{0, 1}]


def written_in_parts(into: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    first, _ = into.chunk(2, -1)
    first.copy_(values.chunk(2, -1)[0])
    into.unbind(0)[1].add_(values[1])
    return into


def written(into: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    into[1:] = values[1:]
    return into


@pytest.mark.parametrize(
    ("func", "places"),
    [
        (lambda a, b: written(torch.zeros_like(a), b), [{1}]),
        (lambda a, b: written(b.new_zeros(2, 3), b), [{1}]),
        (lambda a, b: written(b.new_full((2, 3), 1.0).view(6), b.view(6)), [{1}]),
        (lambda a, b: ((a * 1).add_(b), a + 1), [{0, 1}, {0}]),
        (lambda a, b: written_in_parts(torch.zeros_like(a), b), [{1}]),
    ],
    ids=["zeros_like", "new_zeros", "through a view", "a copy", "through a part"],
)
def test_a_write_counts_for_the_tensor_that_is_written_to_only(
    func: Callable[..., Any], places: list[set[int]]
) -> None:
    assert found(func) == places


def test_the_operators_of_each_output_are_found() -> None:
    one, two = traced(lambda a, b: (a.relu() + 1, b.exp()))
    assert {"aten::relu", "aten::add"} <= one.operators
    assert "aten::exp" not in one.operators
    assert "aten::exp" in two.operators


def test_a_returned_input_is_computed_by_no_operator() -> None:
    (one,) = traced(lambda a, b: b)
    assert one.inputs == {1}
    assert not one.is_computed_by_torch


def test_the_inputs_of_a_block_count_for_its_outputs() -> None:
    @torch.jit.script
    def chosen(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        if bool(a.sum() > 0):
            return b * 2
        return b.clone()

    assert [set(one.inputs) for one in provenance(chosen.inlined_graph, 2)] == [{0, 1}]


def test_the_module_itself_is_not_an_input() -> None:
    module: Any = torch.jit.trace(torch.nn.Linear(3, 3), X)
    assert [set(one.inputs) for one in provenance(module.inlined_graph, 1)] == [{0}]
    assert [set(one.inputs) for one in provenance(module.inlined_graph, 0)] == [set()]


def test_only_the_operators_of_all_branches_count() -> None:
    @torch.jit.script
    def chosen(a: torch.Tensor) -> torch.Tensor:
        if a.size(0) == 2:
            return a.exp().relu()
        return a.cos().relu()

    @torch.jit.script
    def guarded(a: torch.Tensor) -> torch.Tensor:
        if a.size(0) == 2:
            answer = a.exp()
        else:
            raise ValueError("another size")
        return answer

    (one,) = provenance(chosen.inlined_graph, 1)
    assert "aten::relu" in one.operators
    assert not {"aten::exp", "aten::cos"} & one.operators
    (other,) = provenance(guarded.inlined_graph, 1)
    assert "aten::exp" in other.operators


def test_a_namespace_is_not_a_prefix_of_another() -> None:
    one = Provenance(frozenset(), frozenset({"neuron_sim::forward_v2", "prim::Constant"}))
    assert (one.is_computed_by("neuron_sim"), one.is_computed_by("neuron")) == (True, False)
    assert not one.is_computed_by_torch
    assert Provenance(frozenset(), frozenset({"aten::add"})).is_computed_by_torch
