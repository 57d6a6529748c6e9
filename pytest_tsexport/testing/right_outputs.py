"""nothing -> models: right, though what they take or answer is of an unusual kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn


@dataclass
class Answer:
    """An output as some libraries define it."""

    logits: torch.Tensor
    hidden: tuple[torch.Tensor, ...]
    loss: torch.Tensor | None = None


class Pair(NamedTuple):
    """Two outputs by name."""

    first: torch.Tensor
    second: torch.Tensor


class IntOutputs(nn.Module):
    """Positions, not values."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return (ids * 3 + 1).cumsum(1)


class BoolOutputs(nn.Module):
    """A boolean for each position."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return ids > 20


class NestedOutputs(nn.Module):
    """A dict of tuples with None among them."""

    def forward(self, x: torch.Tensor) -> dict[str, object]:
        return {"logits": x * 2, "hidden": (x, None, [x + 1, {"deep": x.sum(1)}]), "loss": None}


class DataclassOutput(nn.Module):
    """A dataclass, one field of it None."""

    def forward(self, x: torch.Tensor) -> Answer:
        return Answer(logits=x.sum(1), hidden=(x, x * 2))


class NamedTupleOutput(nn.Module):
    """A named tuple."""

    def forward(self, x: torch.Tensor) -> Pair:
        return Pair(x.tanh(), x.sin())


class NumberOutput(nn.Module):
    """A number that is the same at any size stands beside a tensor."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, int]:
        return x * 2, 3


class UnsortedNames(nn.Module):
    """Its outputs are not in the order of their names."""

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"second": x * 2, "first": x.sin()}


class SameTensorTwice(nn.Module):
    """One tensor in two places of the answer."""

    def forward(self, x: torch.Tensor) -> Mapping[str, torch.Tensor]:
        states = x.tanh()
        return {"last": states, "all": states}


class ReturnsItsInput(nn.Module):
    """One of its outputs is its input."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, x * 2


class NaNWhereEagerNaN(nn.Module):
    """The logarithm of what may be negative."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.log()


class Infinities(nn.Module):
    """Masked scores of minus infinity are part of the answer."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.masked_fill(x < 0, float("-inf"))


class EmptyOutput(nn.Module):
    """One output has no elements at short lengths."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x * 2, x[:, 5:]


class ScalarOutput(nn.Module):
    """One number in all."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.square().sum()


class ComplexOutput(nn.Module):
    """A spectrum."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spectrum: torch.Tensor = torch.fft.rfft(x)
        return spectrum


class ComplexInside(nn.Module):
    """Complex numbers on its way, real ones at the end."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spectrum: torch.Tensor = torch.fft.rfft(x)
        return spectrum.abs()


class ViewOutputs(nn.Module):
    """Views of one tensor, none contiguous."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        doubled = (x * 2).transpose(0, 1)
        return doubled, doubled[::2]


class ManyInputs(nn.Module):
    """Three inputs share one batch; two of them share a length."""

    def forward(self, ids: torch.Tensor, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return (ids[:, :, None] * weights[:, :, None] * features[:, None, :]).sum(1)


class ScalarInput(nn.Module):
    """A temperature without dimensions beside the values."""

    def forward(self, x: torch.Tensor, temperature: torch.Tensor) -> torch.Tensor:
        return x * temperature.exp()


class KeywordOnly(nn.Module):
    """Takes its inputs by keyword alone, and has a default that nobody gives."""

    def forward(self, *, x: torch.Tensor, scale: float = 2.0) -> torch.Tensor:
        return x * scale


class TakesPixels(nn.Module):
    """Bytes of an image."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.to(torch.float32) / 255


class HoldsScripted(nn.Module):
    """A scripted child keeps its branch."""

    def __init__(self, child: nn.Module) -> None:
        super().__init__()
        self.child = child

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.child(x)
        return answer


class ScriptedBranch(nn.Module):
    """Long inputs take another branch, which TorchScript keeps."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] > 10:
            return x.tanh()
        return x
