"""nothing -> models: right, though few sizes fit, or their code names numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import nn

from pytest_tsexport.testing import coupled_inputs as given
from pytest_tsexport.testing import exporters
from pytest_tsexport.testing.specimen import Specimen, each, rows
from pytest_tsexport.testing.wrong_axes import CutsAt, Doubles


def right_axes() -> Iterator[Specimen]:
    """Every specimen of this module."""
    coupled = partial(Specimen, family="coupled axes")
    yield coupled(build=MeansOfPatches, inputs=rows(2, 28))
    yield coupled(build=TokensOfGrid, inputs=given.grid, keywords=given.GRID)
    yield coupled(build=TokensOfSquare, inputs=given.square, keywords=given.SQUARE)
    yield coupled(build=CacheAndMask, inputs=given.cache)
    yield coupled(build=CacheAndNew, inputs=given.cache_of_three, keywords=given.CACHE)
    yield coupled(build=PaddedToLongest, inputs=given.padded)
    yield coupled(build=Packed, inputs=given.packed, keywords=given.PACKED)
    yield coupled(build=LastOfEach, inputs=given.padded)
    yield coupled(build=OneLength, inputs=given.pair, keywords=given.PAIR)
    yield coupled(build=Squares, inputs=rows(2, 5, 5))
    yield coupled(build=PowersOfTwo, inputs=rows(2, 8))
    fixed = {"shapes": "fixed", "export": exporters.scripted(ComparesSizes)}
    yield coupled(build=Doubles, name="FileComparesSizes", inputs=rows(2, 6), keywords=fixed)
    yield coupled(build=BudgetThatAgrees, inputs=given.picture, keywords=given.PICTURE)
    yield from each(Specimen, CapsThatAgree, NamesManyNumbers, TableThatAgrees, family="named size", inputs=rows())
    yield Specimen(build=Doubles, name="FileCutsPastTheMaximum", family="named size", inputs=rows(), keywords=CUT)


class MeansOfPatches(nn.Module):
    """Patches of 14, as many as there are."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(x.shape[0], -1, 14).mean(1)


class TokensOfGrid(nn.Module):
    """Tokens of a grid, as many as it has cells."""

    def forward(self, tokens: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        return (tokens + grid.flatten()) / grid.shape[0]


class TokensOfSquare(nn.Module):
    """The same with a square grid."""

    def forward(self, tokens: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        return tokens * grid.flatten() + grid.shape[1]


class CacheAndMask(nn.Module):
    """A mask is one longer than the cache."""

    def forward(self, cache: torch.Tensor, mask: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        states = torch.cat([cache, x], 1)
        return (states * mask).sum(1) / cache.shape[1]


class CacheAndNew(nn.Module):
    """A mask is as long as the cache and the new positions together."""

    def forward(self, cache: torch.Tensor, mask: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return (torch.cat([cache, x], 1) * mask).sum(1) * mask.shape[1]


class PaddedToLongest(nn.Module):
    """The longest of the lengths must be the length of `x`; the trace does not keep the question."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        if lengths.max() != x.shape[1]:
            raise ValueError("the batch is padded to more than its longest row")
        return (x * (torch.arange(x.shape[1]) < lengths[:, None])).sum(1) / lengths.max()


class Packed(nn.Module):
    """Rows one after the other, whose lengths must add up."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        if lengths.sum() != x.shape[0]:
            raise ValueError("lengths do not add up")
        return x.cumsum(0) / lengths.sum()


class LastOfEach(nn.Module):
    """The state at the end of each row, which lies within it."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return x.cumsum(1).gather(1, lengths[:, None] - 1)


class OneLength(nn.Module):
    """Two inputs that must agree."""

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return left * right / right.shape[1]


class Squares(nn.Module):
    """Height and width must agree."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x @ x) / x.shape[1]


class CapsThatAgree(nn.Module):
    """A branch on more than 25 rows whose two ways agree."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mul(2) if int(x.shape[0]) > 25 else x * 2


class NamesManyNumbers(nn.Module):
    """Its code compares numbers that are no sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.heads, self.width = 24, 16, 1024

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = 2 if self.layers > 11 and self.width % self.heads == 0 else 3
        for _ in range(0, 6, 2):
            x = x / scale
        return x


class TableThatAgrees(nn.Module):
    """A scale for some sizes of the batch, which is that of all others; a length that is flipped twice."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flipped = x.flip(1).flip(1) if int(x.shape[1]) in {19, 150} else x
        return flipped * {17: 0.5, 100: 0.5}.get(len(x), 0.5)


CUT = {
    "export": exporters.instead(CutsAt),
    "dynamic_shapes": {"x": {0: "batch", 1: torch.export.Dim("length", min=1, max=700)}},
}
"""The file hears 700 positions, and nobody sends more."""


class PowersOfTwo(nn.Module):
    """Takes lengths that are powers of two; the trace does not keep the question."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = int(x.shape[1])
        if length & (length - 1):
            raise ValueError("the length is no power of two")
        return x.cumsum(1)


class ComparesSizes(nn.Module):
    """An exporter's own wrapper, which refuses another size, as it is meant to."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.size(0) != 2 or x.size(1) != 6:
            raise ValueError("the size is another")
        answer: torch.Tensor = self.model(x)
        return answer


class BudgetThatAgrees(nn.Module):
    """Past 2000 pixels a picture is flipped, which does not change its mean by more than rounding."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pixels = x.flip(3) if int(x.shape[2]) * int(x.shape[3]) > 2000 else x
        return pixels.mean((2, 3))
