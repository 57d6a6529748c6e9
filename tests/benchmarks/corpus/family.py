"""A right model with the plan of its inputs, of which mutated files are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from tests.benchmarks.corpus.plain_inputs import Plan

SMALL = 0.1
"""The standard deviation below which a matrix of a tiny model does next to nothing."""


@dataclass(frozen=True, slots=True)
class Family:
    """One right model, in evaluation mode, and the plan of its inputs."""

    name: str
    build: Callable[[], nn.Module]
    plan: Plan

    def model(self) -> nn.Module:
        """A new model, its weights the same at every call."""
        return as_if_trained(self.build()).to(self.plan.dtype).eval()


def as_if_trained(model: nn.Module) -> nn.Module:
    """The model with weights as training leaves them: no bias is 0, and small matrices are not next to nothing.

    In a model as it is built a bias can be left out, and a mask hardly matters: every such mutation is equivalent.
    """
    generator = torch.Generator().manual_seed(6151)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() < 2:
                weight.add_(torch.randn(weight.shape, generator=generator) * 0.1)
            elif 0 < weight.std() < SMALL:
                weight.mul_(SMALL / weight.std())
    return model
