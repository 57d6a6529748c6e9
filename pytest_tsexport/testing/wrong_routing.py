"""nothing -> models: the values of the example decide which branch every later input takes."""

from __future__ import annotations

import torch
from torch import nn


class RoutesByValue(nn.Module):
    """One of two experts is chosen in Python."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.ModuleList([nn.Linear(7, 7), nn.Linear(7, 7)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.experts[int(x.sum() > 0)](x)
        return answer


class RoutesEachRow(nn.Module):
    """Each row goes to the expert that a router names, one of three."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(7, 3)
        self.experts = nn.ModuleList([nn.Linear(7, 7) for _ in range(3)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        chosen = self.router(x).argmax(-1).tolist()
        return torch.stack([self.experts[expert](row) for expert, row in zip(chosen, x, strict=True)])


class SkipsIdleExperts(nn.Module):
    """A mixture of experts: those that no position chose are left out of the sum, and so of the trace."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(4, 6)
        self.experts = nn.ModuleList([nn.Linear(4, 4) for _ in range(6)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        chosen = self.router(x).argmax(-1)
        mixed = torch.zeros_like(x)
        for expert in chosen.unique().tolist():
            mixed = mixed + self.experts[expert](x) * (chosen == expert)[..., None]
        return mixed


class CapacityOfExample(nn.Module):
    """Each expert takes as many positions as the busiest did at tracing time; those after that pass by."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(4, 3)
        self.experts = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        chosen = nn.functional.one_hot(self.router(x).argmax(-1), 3)
        capacity = int(chosen.sum(1).max())
        taken = chosen * (chosen.cumsum(1) <= capacity)
        mixed = torch.stack([expert(x) * taken[..., place, None] for place, expert in enumerate(self.experts)])
        return x + mixed.sum(0)


class ConstantFromExample(nn.Module):
    """The largest value of the example becomes a constant."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / x.abs().max().item()


class SelectsInPython(nn.Module):
    """Positions are chosen by a list."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        order = x[0].argsort().tolist()
        return x[:, order]


class StopsEarly(nn.Module):
    """As many steps as the example needed to settle, for every later input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        while bool(x.abs().max() > 0.5):
            x = x / 2
        return x
