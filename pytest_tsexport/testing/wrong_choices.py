"""nothing -> models: each chooses, and its exporter makes another choice that rounding does not explain."""

from __future__ import annotations

import torch
from torch import nn

from pytest_tsexport.testing.wrappers import Wrapper


class PicksOfTies(nn.Module):
    """Right: coarse scores tie often; the answer is the first of the best, with its own value."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        best = x.round().clamp(-1, 1).argmax(1, keepdim=True)
        return x.gather(1, best)


class LabelsOfTies(nn.Module):
    """Right: the label of the first of the best, of which there are many."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.round().clamp(-1, 1).argmax(1)


class BestThree(nn.Module):
    """Right: the three best places, in order."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.repeat(1, 3).cumsum(1).topk(3, dim=1).indices


class Ranks(nn.Module):
    """Right: the places from the worst to the best."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.argsort(1)


class LastOfTies(Wrapper):
    """The last of the best instead of the first: their values differ much."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x.flip(1))
        return answer


class LastLabelOfTies(Wrapper):
    """The label of the last of the best."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = x.shape[1] - 1 - self.model(x.flip(1))
        return answer


class RoundsScores(Wrapper):
    """Scores rounded to tenths before they are compared: different scores become ties and the choice changes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model((x * 10).round() / 10)
        return answer


class WorstFirst(Wrapper):
    """The order of the choices is reversed."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x).flip(1)
        return answer
