"""nothing -> models: wrong at the traced size already, for some values."""

from __future__ import annotations

import torch
from torch import nn


class OneIdInFifty(nn.Module):
    """One id of fifty takes another branch."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.embed(ids)
        return states * 3 if bool((ids == 37).any()) else states


class LastRow(nn.Module):
    """The last row of the embedding, which no example holds, takes another branch."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(60, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.embed(ids)
        return states + 1 if int(ids.max()) == 59 else states


class MaskedMean(nn.Module):
    """Right: the mean over the real positions. Exporters below spoil it."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 4)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        real = mask[:, :, None].to(torch.float32)
        answer: torch.Tensor = (self.embed(ids) * real).sum(1) / real.sum(1)
        return answer


class AllOnesFastPath(MaskedMean):
    """Where nothing is padded the mask is not looked at, and so not traced."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        if bool(mask.all()):
            plain: torch.Tensor = self.embed(ids).mean(1)
            return plain
        return super().forward(ids, mask)


class FrozenMask(MaskedMean):
    """The mask goes through Python and comes back as a constant."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return super().forward(ids, torch.tensor(mask.tolist()))


class FrozenLengths(MaskedMean):
    """The mask is applied; the lengths that it is divided by are constants."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.embed(ids) * mask[:, :, None]
        return states.sum(1) / torch.tensor(mask.sum(1).tolist())[:, None]
