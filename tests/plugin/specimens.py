"""Models of a few lines, named for the property they have; each inner test project gets a copy of this file."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

IDS = {"ids": torch.arange(6).reshape(2, 3)}
ROWS = {"x": torch.linspace(-1, 1, 6).reshape(2, 3)}


class TiedHead(nn.Module):
    """Right, and its head shares the embedding's weight. Each one that is built leaves a line in `built.log`."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(11, 4)
        self.head = nn.Linear(4, 11, bias=False)
        self.head.weight = self.embed.weight
        with Path("built.log").open("a") as log:
            log.write("built\n")

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.embed(ids))
        return logits


class Doubles(nn.Module):
    """Right, and without any weight."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


class BakesBatch(nn.Module):
    """Silently wrong at another batch: the trace keeps the number."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return x * int(x.shape[0])


class CannotTrace(nn.Module):
    """Raises as soon as it is traced."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]  # public, and untyped
            raise RuntimeError("no trace of this one")
        return x


class SaysNothing:
    """No value that can be shown: its representation raises."""

    def __repr__(self) -> str:
        raise ValueError("no representation")
