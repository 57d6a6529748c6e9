"""Proves which numbers are read in a trace: those that meet a size, and no others; and that the model is left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.torchscript.named_sizes import named_sizes, numbers_in
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.testing import right_axes, wrong_axes, wrong_exports, wrong_sizes, wrong_state
from pytest_tsexport.testing.specimen import rows


def numbers(model: nn.Module) -> set[int]:
    return set(named_sizes(build(model, Meaning(inputs=rows()()), name="it"))) - {0, 1, 2, 7}


def traced(function: Callable[[torch.Tensor], torch.Tensor]) -> torch.Graph:
    with torch_jit_allowed():
        graph: torch.Graph = torch.jit.trace(function, torch.zeros(2, 3)).inlined_graph
    return graph


class Meets(nn.Module):
    """Compares, divides, and cuts by sizes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = x.shape[1]
        if length > 31 or length % 13 == 5 or length // 17 > 3:
            return x
        return torch.cat(x.split(23, 1), 1)[:, : min(length, 41)] / (length / 59)


def test_numbers_that_meet_a_size() -> None:
    assert numbers(Meets()) == {31, 13, 5, 17, 3, 23, 41, 59}


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (wrong_axes.CapsByConstant(), {72}),
        (wrong_axes.CapsByProperty(), {150}),
        (wrong_axes.CutsFrames(), {1200}),
        (right_axes.NamesManyNumbers(), set()),
        (wrong_sizes.BakesLength(), set()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_numbers_of_specimens(model: nn.Module, found: set[int]) -> None:
    assert numbers(model) == found


def test_a_model_that_does_not_trace_has_none() -> None:
    assert numbers(wrong_exports.CannotTrace()) == set()


def test_the_model_is_left_alone() -> None:
    model = wrong_state.CountsInBuffer()
    before = {name: one.clone() for name, one in model.named_buffers()}
    numbers(model)
    assert before
    assert all(torch.equal(one, before[name]) for name, one in model.named_buffers())


class Cuts(nn.Module):
    """What a file may hold: cuts and comparisons, in branches too, beside numbers that are no sizes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x[:, :700].transpose(-1, -2) * 43
        if x.size(1) > 31:
            y = y.narrow(0, 0, 5) if x.size(0) == 29 else y + torch.arange(11)
        return y[:, 4:].reshape(17, -1)


def test_numbers_of_a_file_are_those_by_which_it_cuts_or_with_which_it_compares() -> None:
    with torch_jit_allowed():
        file = torch.jit.script(Cuts())
    assert numbers_in(file.inlined_graph) == {700, 31, 5, 29, 11, 4}


def test_a_trace_keeps_its_cuts() -> None:
    assert numbers_in(traced(lambda x: x[:, :1024] + 17)) == {1024}


def test_of_a_file_with_many_numbers_the_smallest_are_kept() -> None:
    graph = traced(lambda x: torch.cat([x[:, :end] for end in range(50, 90)], 1))
    assert numbers_in(graph) == set(range(50, 82))
