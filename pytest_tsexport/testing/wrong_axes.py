"""nothing -> models: silently wrong at sizes that their code names, or that must change together."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import nn

from pytest_tsexport.testing import coupled_inputs as given
from pytest_tsexport.testing import exporters
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Specimen, each, rows

ROOM = 72
TUNED = {19: 0.5, 100: 0.25}


def wrong_axes() -> Iterator[Specimen]:
    """Every specimen of this module. Half of the coupled ones are declared, and eager is asked about the others."""
    named = partial(Specimen, family="named size", fails=("shapes",), inputs=rows())
    yield from each(named, CapsBatch, CapsRows, CapsByAttribute, CapsByConstant, CapsByProperty)
    yield from each(named, CutsFrames, AtMostFortyFive, TunedBatches, MatchesOneLength, GainOfHundreds)
    yield named(build=made.Plain, name="FileCuts", inputs=rows(2, 5, 7), keywords={"export": exporters.instead(CutsAt)})
    coupled = partial(Specimen, family="coupled axes", fails=("shapes",))
    yield coupled(build=CountsPatches, inputs=rows(2, 28))
    yield coupled(build=CountsRowsOfGrid, inputs=given.grid, keywords=given.GRID)
    yield coupled(build=CountsSide, inputs=given.square, keywords=given.SQUARE)
    yield coupled(build=CountsCache, inputs=given.cache)
    yield coupled(build=CountsBoth, inputs=given.cache_of_three, keywords=given.CACHE)
    yield coupled(build=LongestLength, inputs=given.padded, also=("parity",))
    yield coupled(build=PackedLengths, inputs=given.packed, keywords=given.PACKED)
    yield coupled(build=AgreeingLengths, inputs=given.pair, keywords=given.PAIR)
    yield coupled(build=SquaresOnly, inputs=rows(2, 5, 5))
    fixed = {"shapes": "fixed", "export": exporters.scripted(CountsElements)}
    yield coupled(build=Doubles, name="FileCountsElements", inputs=rows(2, 6), keywords=fixed)
    yield coupled(build=BudgetOfPixels, inputs=given.picture, keywords=given.PICTURE)


class CapsBatch(nn.Module):
    """Past 25 rows the later ones are not compared with; the size is made a number first."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x[:25] if int(x.shape[0]) > 25 else x
        return (x @ rows.T).softmax(-1) @ rows


class CapsRows(nn.Module):
    """More than 41 rows are centred in another way, by `len`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - x[0] if len(x) > 41 else x * 2


class CapsByAttribute(nn.Module):
    """A limit of 90 positions that an attribute holds, under a name that says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 90

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = int(x.shape[1])
        return x * 3 if length > self.most else x * 2


class CapsByConstant(nn.Module):
    """A limit of 72 that a constant of the module holds."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flip(1) if x.shape[1] >= ROOM else x


class CapsByProperty(nn.Module):
    """A limit of 150 that is computed by a property: the source does not show it."""

    @property
    def most(self) -> int:
        """Three windows."""
        return 3 * 50

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flip(1) if x.shape[1] > self.most else x


class CutsFrames(nn.Module):
    """Frames past 1200 are not heard."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        heard = x[:, :1200] if x.shape[1] > 1200 else x
        return x[:, :1] * heard.mean(1, keepdim=True)


class AtMostFortyFive(nn.Module):
    """Looks back at most 45 positions, by `min`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        back = min(int(x.shape[1]), 45)
        return x - x[:, -back:].mean(1, keepdim=True)


class TunedBatches(nn.Module):
    """A scale for some sizes of the batch, by a table."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * TUNED.get(len(x), 1.0)


class MatchesOneLength(nn.Module):
    """One length has its own way."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        match int(x.shape[1]):
            case 150:
                return x.flip(1)
            case _:
                return x


class GainOfHundreds(nn.Module):
    """A gain for each hundred positions; one of them is another."""

    def __init__(self) -> None:
        super().__init__()
        self.gains = [1.0, 1.0, 1.0, 0.5, 1.0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gains[min(int(x.shape[1]) // 100, 4)]


class CutsAt(nn.Module):
    """An exporter's own wrapper, which hears 700 positions: nothing in the model says so."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x[:, :700])
        return answer


class CountsPatches(nn.Module):
    """Patches of 14; their number is the one at tracing time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(x.shape[0], -1, 14).sum(1) / (int(x.shape[1]) // 14)


class CountsRowsOfGrid(nn.Module):
    """Tokens of a grid, as many as it has cells; the number of its rows is the one at tracing time."""

    def forward(self, tokens: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        return (tokens + grid.flatten()) / int(grid.shape[0])


class CountsSide(nn.Module):
    """The same with a square grid."""

    def forward(self, tokens: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        return tokens * grid.flatten() + int(grid.shape[1])


class CountsCache(nn.Module):
    """A mask is one longer than the cache, whose length is the one at tracing time."""

    def forward(self, cache: torch.Tensor, mask: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        states = torch.cat([cache, x], 1)
        return (states * mask).sum(1) / int(cache.shape[1])


class CountsBoth(nn.Module):
    """A mask is as long as the cache and the new positions together."""

    def forward(self, cache: torch.Tensor, mask: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return (torch.cat([cache, x], 1) * mask).sum(1) * int(mask.shape[1])


class LongestLength(nn.Module):
    """The longest of the lengths is the length of `x`; it is the one at tracing time."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        longest = int(lengths.max())
        if longest != x.shape[1]:
            raise ValueError("the batch is padded to more than its longest row")
        return (x * (torch.arange(x.shape[1]) < lengths[:, None])).sum(1) / longest


class PackedLengths(nn.Module):
    """Rows one after the other, whose lengths add up; their sum is the one at tracing time."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        total = int(lengths.sum())
        if total != x.shape[0]:
            raise ValueError("lengths do not add up")
        return x.cumsum(0) / total


class AgreeingLengths(nn.Module):
    """Two inputs of one length, which is the one at tracing time."""

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return left * right / int(right.shape[1])


class SquaresOnly(nn.Module):
    """Height and width must agree; the side is the one at tracing time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x @ x) / int(x.shape[1])


class Doubles(nn.Module):
    """Twice its input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


class CountsElements(nn.Module):
    """An exporter's own wrapper, which is meant to refuse another size, and compares only the number of elements."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.numel() != 12:
            raise ValueError("the size is another")
        answer: torch.Tensor = self.model(x)
        return answer


class BudgetOfPixels(nn.Module):
    """Past 2000 pixels every second one is left out; with the other side as traced, none has so many."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        few = x[:, :, ::2, ::2] if int(x.shape[2]) * int(x.shape[3]) > 2000 else x
        return few.mean((2, 3))
