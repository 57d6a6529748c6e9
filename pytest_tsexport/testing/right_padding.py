"""nothing -> models: right, whether eager can be padded or not."""

from __future__ import annotations

import copy

import torch
from torch import nn

from pytest_tsexport.testing.wrappers import Wrapper
from pytest_tsexport.testing.wrong_values import MaskedMean


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
    """Eager is not padding-invariant: it averages over all positions."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.embed(ids).mean(1)
        return answer


class RunningMean(nn.Module):
    """A text does not see what comes after it: on the right it needs no mask, on the left it cannot be padded."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        seen = torch.ones_like(ids).cumsum(1)[:, :, None]
        answer: torch.Tensor = self.embed(ids).cumsum(1) / seen
        return answer


class RowsEndToEnd(MaskedMean):
    """Returns one row per token, all texts concatenated as routers do: each text has its own padding."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.embed(ids) + super().forward(ids, mask)[:, None]
        return states.flatten(0, 1)


class SeesOnePaddedPosition(MaskedMean):
    """Not padding-invariant if exactly one position is padded: only a test of several lengths shows it."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return super().forward(ids, mask) + ((1 - mask).sum(1, keepdim=True) == 1)


class SeesPaddingBarely(MaskedMean):
    """Padding moves it by 99 hundredths of a tolerance of 0.01."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return super().forward(ids, mask) + 0.0099 * (1 - mask.amin(1, keepdim=True))


class AddsLittle(Wrapper):
    """Right within that tolerance, wherever it is asked: 2 hundredths of it."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(ids, mask)
        return answer + 0.0002


class TiedMeans(MaskedMean):
    """The mean, and which of two that are alike in every bit is the larger: the first."""

    def __init__(self) -> None:
        super().__init__()
        self.twin = copy.deepcopy(self.embed)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        mean = super().forward(ids, mask)
        real = mask[:, :, None].to(torch.float32)
        other = (self.twin(ids) * real).sum(1) / real.sum(1)
        return mean, torch.stack([mean.sum(1), other.sum(1)], 1).argmax(1)


class PicksLast(Wrapper):
    """Of two that are alike it takes the last, as another kernel may."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, first = self.model(ids, mask)
        return mean, torch.ones_like(first)
