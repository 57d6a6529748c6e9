"""nothing -> models: right, whether eager can be padded or not."""

from __future__ import annotations

import torch
from torch import nn


class Pooled(nn.Module):
    """The mean of real ids, by the pad id alone: padding does not matter to it."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        real = (ids != 0).to(torch.float32)[:, :, None]
        answer: torch.Tensor = (self.embed(ids) * real).sum(1) / real.sum(1).clamp_min(1)
        return answer


class CannotBePadded(nn.Module):
    """Eager itself minds padding: it averages over all positions."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.embed(ids).mean(1)
        return answer
