"""module -> throwaway: small modules that stand for a model and its file."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import nn

from pytest_tsexport.comparison.tied.responses import Responses
from pytest_tsexport.comparison.tied.throwaway import Throwaway
from pytest_tsexport.subjects.reference import answer
from pytest_tsexport.tensors.named_tensors import Tensors

X = torch.randn(4, 7, generator=torch.Generator().manual_seed(3))

Formula = Callable[..., torch.Tensor]


class Holds(nn.Module):
    """Buffers by name, and a formula of the input and of them, in order."""

    def __init__(self, formula: Formula, **tensors: torch.Tensor) -> None:
        super().__init__()
        self.formula, self.calls = formula, 0
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor.clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.formula(x, *self._buffers.values())


class Counts(Holds):
    """Its answer grows from call to call."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return super().forward(x) + self.calls


def throwaway(module: nn.Module) -> Throwaway:
    """The module, made anew wherever it is asked for."""
    return Throwaway(lambda: copy.deepcopy(module), lambda one: answer(lambda given: one(**given), {"x": X}))


def weights(*names: str) -> Tensors:
    """Names that have one tensor."""
    one = torch.linspace(0.5, 2, 7)
    return dict.fromkeys(names, one)


def responses(model: Formula, file: nn.Module, names: Sequence[str]) -> Responses:
    """A model of tied names, and what takes the place of its file."""
    ours = weights(*names)
    return Responses(throwaway(Holds(model, **ours)), throwaway(file), ours, seed=1)
