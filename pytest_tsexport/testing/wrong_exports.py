"""nothing -> models: they cannot be exported, have nothing to compare, or are damaged by their exporter."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Plain(nn.Module):
    """Right, without any special property."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.linear(x)
        return answer


class TiedHead(nn.Module):
    """Right: the head shares the embedding's weight and has its own bias."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 4)
        self.head = nn.Linear(4, 50)
        self.head.weight = self.embed.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.embed(ids).tanh())
        return answer


class TiedBias(nn.Module):
    """Right: the bias of the head is known under a second name, as in BERT's decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(7, 7)
        self.bias = self.head.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(x).tanh() + self.bias
        return answer


class TiedSlice(nn.Module):
    """Right: the head is the first rows of the embedding, a view of the same bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 4)
        self.head = nn.Parameter(self.embed.weight.data[:9])

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.embed(ids) @ self.head.T
        return answer


class TwoOutputs(nn.Module):
    """Right: two outputs of one shape."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.tanh(), x.sin() * 2


class TwoInputs(nn.Module):
    """Right: two inputs of one shape."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x - 2 * y


class CannotTrace(nn.Module):
    """Raises as soon as it is traced."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            raise RuntimeError("no trace of this one")
        return x * 2


class _Doubles(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0] * 2


class CannotSave(nn.Module):
    """Traces, and cannot be saved: Bloom's activation in small."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = _Doubles.apply(x)  # type: ignore[no-untyped-call]
        return answer


class ZeroInit(nn.Module):
    """All weights are zero, so every export of it answers the same."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7)
        nn.init.zeros_(self.linear.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.linear(x)
        return answer


class ZeroInitMixing(nn.Module):
    """Each position varies independently. The attention, which would show a wrong trace, adds nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 8)
        self.mix = nn.Linear(8, 8)
        nn.init.normal_(self.mix.weight, std=1e-8)
        nn.init.zeros_(self.mix.bias)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        states = self.embed(ids)
        window = states[:, :4] if ids.shape[1] > 8 else states
        answer: torch.Tensor = states + self.mix(window.mean(1, keepdim=True))
        return answer


class AlwaysNaN(nn.Module):
    """Overflowed weights: every output is NaN."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * float("nan")
