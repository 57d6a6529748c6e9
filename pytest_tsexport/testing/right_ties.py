"""nothing -> models: right, though their weights share memory, or seem to."""

from __future__ import annotations

import torch
from torch import nn


class TwoRowsOfOneBuffer(nn.Module):
    """Two parameters in one storage whose bytes do not overlap: not tied."""

    def __init__(self) -> None:
        super().__init__()
        both = torch.randn(2, 7)
        self.scale = nn.Parameter(both[0])
        self.shift = nn.Parameter(both[1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale + self.shift


class TransposedCopy(nn.Module):
    """The head starts as the embedding's transpose, and is a copy: not tied."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 4)
        self.head = nn.Parameter(self.embed.weight.detach().T.clone())

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.embed(ids) @ self.head
        return answer


class TransposedView(nn.Module):
    """The head is the embedding's transpose itself: tied, though no shape is the same."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 4)
        self.head = nn.Parameter(self.embed.weight.data.T)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.embed(ids) @ self.head
        return answer


class SharedModuleTwoNames(nn.Module):
    """One layer used twice under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(7, 7)
        self.second = self.first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.second(self.first(x).tanh())
        return answer


class OneParameterTwoNames(nn.Module):
    """One module knows one parameter under two names, which a plain `torch.jit.trace` refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.randn(7))
        self.second = self.scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * self.scale).tanh() * self.second


class TiedThrice(nn.Module):
    """One weight in three places, one of them two levels down."""

    def __init__(self) -> None:
        super().__init__()
        first, second, self.last = (nn.Linear(7, 7) for _ in range(3))
        second.weight = self.last.weight = first.weight
        self.layers = nn.Sequential(first, nn.Sequential(second))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.last(self.layers(x).tanh())
        return answer


class TiedBuffer(nn.Module):
    """One table of positions under two names."""

    def __init__(self) -> None:
        super().__init__()
        table = torch.randn(7)
        self.register_buffer("query_positions", table)
        self.register_buffer("key_positions", table)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.get_buffer("query_positions") + self.get_buffer("key_positions")
