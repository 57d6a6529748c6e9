"""nothing -> models: right, though a tie-break of theirs depends on the order in which an exporter adds."""

from __future__ import annotations

import torch
from torch import nn

from pytest_tsexport.testing.wrappers import Wrapper


class LongerSum(nn.Module):
    """Which of three sums is most, where two are one sum added in two orders."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x.cumsum(1)[:, -1], x.flip(1).cumsum(1)[:, -1], x.square().sum(1) / 4]).argmax(0)


class EqualOrMore(nn.Module):
    """Whether one sum reaches another, which is the same one, and one that is not."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total, other = x.cumsum(1)[:, -1], x.flip(1).cumsum(1)[:, -1]
        return torch.stack([total >= other, total >= x.square().sum(1) / 4], dim=1)


class RanksThirds(nn.Module):
    """The order of three sums, two of which are one; a value stands beside it."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        sums = torch.stack([x.cumsum(1)[:, -1], x.flip(1).cumsum(1)[:, -1], x.square().sum(1) + 9], dim=1)
        return sums.argsort(1), sums.amax(1)


class AddsBackwards(Wrapper):
    """The same sums, added from the last to the first."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x.flip(1))
        return answer


class AddsInDouble(Wrapper):
    """The same sums at twice the precision."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x.double())
        return answer
