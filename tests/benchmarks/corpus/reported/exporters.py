"""nothing -> models: right ones whose files were reported to be wrong, and how those were exported."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn

from pytest_tsexport.testing import exporters
from pytest_tsexport.testing.specimen import Inputs


class DropsValues(nn.Module):
    """pytorch/pytorch#71929: right; the file is traced in training mode, and its dropout never ends."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(7, 4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.drop(self.head(x))
        return answer


class NormalisesBatch(nn.Module):
    """mlr-org/mlr3torch#354: right; the file is traced in training mode, and normalises by each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.norm(x)
        return answer


class PositionsOfMask(nn.Module):
    """huggingface/optimum#1381: right; positions count the real tokens. The file counts all, whatever is padded."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(50, 4), nn.Embedding(64, 4)

    def at(self, ids: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.words(ids) * self.places(places)
        return answer

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.at(ids, (mask.cumsum(1) - 1).clamp_min(0))


class MeanOfReal(nn.Module):
    """huggingface/optimum-executorch#230: right; the exported encoder does not look at its mask."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 4)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        real = mask[:, :, None].to(torch.float32)
        answer: torch.Tensor = (self.embed(ids) * real).sum(1) / real.sum(1).clamp_min(1)
        return answer


class AttendsInWindow(nn.Module):
    """huggingface/transformers#47900: right; the cache of the file is built without the window of the model."""

    def __init__(self, window: int = 12) -> None:
        super().__init__()
        self.window = window

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        place = torch.arange(x.shape[1])
        ahead = place[:, None] - place[None, :]
        scores = x @ x.transpose(1, 2)
        return scores.masked_fill((ahead < 0) | (ahead >= self.window), -1e4).softmax(-1) @ x


class CountsAll(nn.Module):
    """What `PositionsOfMask` is exported as."""

    def __init__(self, model: PositionsOfMask) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.model.at(ids, torch.arange(ids.shape[1]) + 0 * mask)


class ReadsNoMask(nn.Module):
    """What `MeanOfReal` is exported as."""

    def __init__(self, model: MeanOfReal) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(ids, torch.ones_like(mask))
        return answer


def in_training(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Traces a copy as it was trained."""
    exporters.plain(copy.deepcopy(model).train(), inputs, path)


def without_window(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Traces the same model without its window."""
    exporters.plain(AttendsInWindow(window=10_000), inputs, path)
