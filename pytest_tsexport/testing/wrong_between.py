"""nothing -> models: wrong only where a call with other values comes between equal ones."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from torch import nn

from pytest_tsexport.testing import exporters
from pytest_tsexport.testing.specimen import Inputs, Specimen, each, rows


def wrong_between() -> Iterator[Specimen]:
    """The specimens of this module."""
    seen = partial(Specimen, inputs=rows(), fails=("parity",), also=("shapes", "padding"))
    yield from each(seen, WarmsUpItsMean, SubtractsLastFrame, SubtractsKeyFrame, StaysOpen, family="state")
    reused = {"export": exporters.instead(AnswersInOneTensor)}
    yield seen(build=Halves, name="AnswersInOneTensor", family="aliasing", keywords=reused)
    yield seen(build=PeakInBuffer, family="state", keywords={"export": moved_by_tracing})


class WarmsUpItsMean(nn.Module):
    """A running mean that begins with the first input."""

    def __init__(self) -> None:
        super().__init__()
        self.mean: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        now = x.mean()
        self.mean = now if self.mean is None else 0.9 * self.mean + 0.1 * now
        return x - self.mean


class SubtractsLastFrame(nn.Module):
    """Differences to the frame before; the first one has none."""

    def __init__(self) -> None:
        super().__init__()
        self.last: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        change = x * 0 if self.last is None else x - self.last
        self.last = x
        return torch.cat([x, change], dim=-1)


class SubtractsKeyFrame(nn.Module):
    """Differences to a frame that is kept for eight calls."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.frames = [*self.frames, x][-8:]
        return torch.cat([x, x - self.frames[0]], dim=-1)


class StaysOpen(nn.Module):
    """A gate that opens at the first loud input and never shuts again."""

    def __init__(self) -> None:
        super().__init__()
        self.loudest = 0.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.loudest = max(self.loudest, float(x.abs().max()))
        return x * 2 if self.loudest < 4 else x * 3


class Halves(nn.Module):
    """Right. An exporter below spoils it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / 2


class AnswersInOneTensor(nn.Module):
    """The answer is written into one tensor, as a runtime with a fixed memory does."""

    answer: torch.Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("answer", torch.zeros(2, 7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.answer.copy_(self.model(x))


class PeakInBuffer(nn.Module):
    """Divides by the largest value so far, which a buffer holds. Right if the exporter restores the buffer."""

    peak: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("peak", torch.full((), 1e-3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.peak.copy_(torch.maximum(self.peak, x.abs().max()))
        return x / self.peak


def moved_by_tracing(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Faulty for a model with state: tracing is a call, and the file keeps what it moved."""
    loud = {name: one * 9 for name, one in inputs.items()}
    exporters.plain(copy.deepcopy(model).eval(), loud, path)
