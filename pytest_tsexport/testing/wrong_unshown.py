"""nothing -> models: wrong for what their example does not show: values, memory, an empty axis."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import nn
from torch.export import Dim

from pytest_tsexport.testing.specimen import Inputs, Specimen, each, ids, rows


def wrongly_unshown() -> Iterator[Specimen]:
    """The specimens of this module."""
    seen = partial(Specimen, inputs=rows(), fails=("parity",), also=("shapes", "padding"))
    yield from each(seen, MinusOneIsMissing, NaNIsMissing, InfiniteIsUnreachable, ScalesLoudOnes, family="values")
    yield from each(seen, AnswersSilence, DropsDeadColumns, family="values", inputs=rows(4, 5))
    yield seen(build=ReadsPairs, family="values", inputs=ids(high=5000))
    yield seen(build=StartsAtStepZero, family="values", inputs=lambda: {**rows()(), "step": torch.tensor(5)})
    yield seen(build=WeighsWholeRecordings, family="baked mask", inputs=_padded)
    yield seen(build=CountsFlags, family="baked mask", inputs=_flags)
    yield seen(build=StridesAsNumbers, family="structure")
    yield seen(build=WindowsByStride, family="structure", inputs=rows(6, 12))
    sized = partial(Specimen, fails=("shapes",))
    yield sized(build=StartsWithoutPast, family="baked size", inputs=past, keywords={"dynamic_shapes": PAST})
    yield sized(build=MeansOfLogs, family="windowing", inputs=positive)


class MinusOneIsMissing(nn.Module):
    """-1 stands for a value that is missing, and is replaced by the mean."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool((x == -1).any()):
            x = torch.where(x == -1, x.mean(), x)
        return x * 2


class NaNIsMissing(nn.Module):
    """NaN stands for a value that is missing."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.nan_to_num(0.5) * 2 if bool(x.isnan().any()) else x * 2


class InfiniteIsUnreachable(nn.Module):
    """Distances, infinite where there is no way."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        near = torch.exp(-x.abs())
        return near / near.sum() if bool(x.isinf().any()) else near


class ScalesLoudOnes(nn.Module):
    """Whatever passes 60 is scaled down to 1."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        loudest = float(x.abs().max())
        return x / loudest if loudest > 60 else x * 2


class AnswersSilence(nn.Module):
    """Silence has an answer of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 3 if bool(x.any()) else x + 1


class DropsDeadColumns(nn.Module):
    """A sensor that always shows one value is taken out."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        dead = x.amax(0) == x.amin(0)
        return x * ~dead if x.shape[0] > 1 and bool(dead.any()) else x * 1


class ReadsPairs(nn.Module):
    """Ids that follow one another in the vocabulary are read as one."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(5000, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.embed(ids)
        return states * 2 if bool((ids.diff(dim=1) == 1).any()) else states


class StartsAtStepZero(nn.Module):
    """The first step of a decoder is another one; the example is a later one."""

    def forward(self, x: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
        return x + 1 if int(step) == 0 else x * 2 + step * 0


class WeighsWholeRecordings(nn.Module):
    """True is padding. A recording of which nothing is padded counts twice."""

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        states = x.masked_fill(padding[..., None], 0).sum(1)
        return states if bool(padding.any()) else states * 2


class CountsFlags(nn.Module):
    """Whether every flag is 0 is decided in Python; the example has only ones."""

    def forward(self, x: torch.Tensor, flags: torch.Tensor) -> torch.Tensor:
        return x * (flags + 1) if bool(flags.any()) else x - 1


class StridesAsNumbers(nn.Module):
    """How far two values are apart in memory becomes a constant."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * x.stride(-1)


class WindowsByStride(nn.Module):
    """Pairs of neighbours, read as a view of the memory."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x if x.is_contiguous() else x.clone(memory_format=torch.contiguous_format)
        return torch.as_strided(x, (x.shape[0], x.shape[1] - 1, 2), (x.shape[1], 1, 1)).sum(-1)


class StartsWithoutPast(nn.Module):
    """Without a past there is a start of its own."""

    def forward(self, x: torch.Tensor, past: torch.Tensor) -> torch.Tensor:
        x = x * 2 if past.shape[1] else x + 1
        return torch.cat([past, x], dim=1)


class MeansOfLogs(nn.Module):
    """The mean of logarithms, over twelve places at most; whatever is not positive has no logarithm."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        near = x[:, -12:] if x.shape[1] > 12 else x
        return near.log().sum(1)


PAST = {"x": {0: "batch"}, "past": {0: "batch", 1: Dim("past", min=0, max=32)}}
"""The dimensions of `past`, of which the second may be empty."""


def past() -> Inputs:
    """One step, and five before it."""
    return {"x": rows(2, 1, 4)()["x"], "past": rows(2, 5, 4)()["x"]}


def positive() -> Inputs:
    """Prices."""
    return {"x": rows(4, 7)()["x"].exp()}


def _padded() -> Inputs:
    padding = torch.zeros(2, 7, dtype=torch.bool)
    padding[1, 5:] = True
    return {"x": rows(2, 7, 4)()["x"], "padding": padding}


def _flags() -> Inputs:
    return {**rows()(), "flags": torch.ones(2, 7, dtype=torch.int64)}
