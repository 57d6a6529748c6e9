"""nothing -> models: right, though what they compute depends on values, devices or chance."""

from __future__ import annotations

import torch
from torch import nn


class WeighsExperts(nn.Module):
    """A mixture of experts that evaluates each expert and weighs it by the router."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(7, 3)
        self.experts = nn.ModuleList([nn.Linear(7, 7) for _ in range(3)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights: torch.Tensor = self.router(x).softmax(-1)
        asked = torch.stack([expert(x) for expert in self.experts], dim=-1)
        return (asked * weights[:, None]).sum(-1)


class MasksExperts(WeighsExperts):
    """The chosen expert alone counts, by a mask that a trace follows."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        chosen = nn.functional.one_hot(self.router(x).argmax(-1), 3)
        asked = torch.stack([expert(x) for expert in self.experts], dim=-1)
        return (asked * chosen[:, None]).sum(-1)


class GathersExperts(nn.Module):
    """The matrix of the chosen expert is looked up for each row."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(7, 3)
        self.experts = nn.Parameter(torch.randn(3, 7, 7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        chosen = self.experts[self.router(x).argmax(-1)]
        return torch.einsum("bi,bij->bj", x, chosen)


class DropsInTraining(nn.Module):
    """Dropout as it should be: in training mode alone, in which it is built."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(x * 2, 0.5, training=self.training)


class DrawsWithoutUse(nn.Module):
    """Draws a random number that evaluation mode does not use."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        noise = torch.rand_like(x) * float(self.training)
        return x * 2 + noise


class BandedMask(nn.Module):
    """Attention within a window of 4, by a comparison that follows the size."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        place = torch.arange(x.shape[1])
        far = (place[None, :] - place[:, None]).abs() > 4
        return (x[:, :, None] * x[:, None, :]).masked_fill(far, -1e4).softmax(-1) @ x[:, :, None]
