"""nothing -> models: each chooses, and its exporter chooses another where the choice is no matter of a last bit."""

from __future__ import annotations

import torch
from torch import nn

from pytest_tsexport.testing.wrappers import Wrapper


class PicksOfTies(nn.Module):
    """Right: coarse scores tie all the time, and the first of the best is the answer, with a value of its own."""

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
    """The last of the best, where the model takes the first: values that are far apart."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x.flip(1))
        return answer


class LastLabelOfTies(Wrapper):
    """The label of the last of the best."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = x.shape[1] - 1 - self.model(x.flip(1))
        return answer


class RoundsScores(Wrapper):
    """Scores rounded to tenths before they are compared: what was apart is a tie now, and tips the other way."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model((x * 10).round() / 10)
        return answer


class WorstFirst(Wrapper):
    """The order of the choices is reversed."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x).flip(1)
        return answer
