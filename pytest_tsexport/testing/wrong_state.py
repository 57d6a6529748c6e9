"""nothing -> models: wrong at some call, at random, or in training mode for good."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn


class CountsCalls(nn.Module):
    """A Python counter: the second call returns something else."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return x * self.calls


class CountsDeep(nn.Module):
    """The counter is two levels down, in the form of a cache with layers."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = SimpleNamespace(layers=[SimpleNamespace(calls=0)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        layer = self.cache.layers[0]
        layer.calls += 1
        answer: torch.Tensor = x * layer.calls
        return answer


class OnThirdCall(nn.Module):
    """The third call returns something else."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(x.shape[0])
        return x * 2 if len(self.seen) < 3 else x * 5


class CountsInBuffer(nn.Module):
    """A buffer counts the calls, the one that traced it among them."""

    total: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.total.add_(1)
        return x + self.total


class ForgetsItsCache(nn.Module):
    """Keys of the last call are joined to those of the next, in a list of Python's."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.keys.append(x)
        return torch.stack(self.keys).sum(0)


class NoisyForward(nn.Module):
    """Fresh noise in evaluation mode."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.randn_like(x)


class DropsAlways(nn.Module):
    """Dropout that is active in evaluation mode."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.dropout(x, 0.3, training=True)


class TrainingAfterEval(nn.Module):
    """`eval()` does not reach it."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7)

    def train(self, mode: bool = True) -> TrainingAfterEval:  # noqa: FBT001, FBT002
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.linear(x)
        return answer
