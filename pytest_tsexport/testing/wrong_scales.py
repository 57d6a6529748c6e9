"""nothing -> specimens: wrong where values are small beside others, in half precision, or equal."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from hypothesis import strategies as st
from torch import nn

from pytest_tsexport.testing import exporters
from pytest_tsexport.testing.specimen import Specimen, each, masked_ids, rows
from pytest_tsexport.testing.wrappers import Wrapper

LONG = 10
"""Inputs longer than this take the branch that a trace at length 7 does not have."""


class Recent(nn.Module):
    """The base of the models below: a layer, and the mean of the last ten positions."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def recent(self, x: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.linear(x)
        return (states[:, -LONG:] if x.shape[1] > LONG else states).mean(1)


class VisitorsBesideShare(Recent):
    """Millions of visitors, and the share of them that buys: only the share is wrong."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        visitors = x.abs().sum((1, 2))[:, None] * 1e7
        return torch.cat([visitors, self.recent(x).sigmoid()], 1)


class BoxesBesideScore(Recent):
    """Corners in pixels of a large image beside a score."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x.mean(1) * 4000 + 2000, self.recent(x).softmax(-1)], 1)


class ItemsOfManyScales(Recent):
    """Forecasts of four items, a millionfold apart; only that of the smallest looks at the last positions."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        whole: torch.Tensor = self.linear(x).mean(1)
        return torch.cat([self.recent(x)[:, :1], whole[:, 1:] * torch.tensor([1e2, 1e4, 1e6])], 1)


class RatesWithBase(Recent):
    """Rates, the exponential of a score; one is added where the input is long."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rates: torch.Tensor = (self.linear(x) * 2).exp()
        return rates + 1.0 if x.shape[1] > LONG else rates


class NeverBeside(Recent):
    """A column of the lowest number, which never moves, is most of the output."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer = self.recent(x)
        return torch.cat([answer[:, :1], torch.full_like(answer, torch.finfo(x.dtype).min)], 1)


class AbsentItems(nn.Module):
    """Scores of items, the lowest number where none is; they are divided by how many items the example has."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 1)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        count = int(mask.sum(1).min())
        scores: torch.Tensor = self.embed(ids)[..., 0] / count
        return scores.masked_fill(mask == 0, -1e9)


class HalfRecent(Recent):
    """In bfloat16: the whole and half of what the last positions are."""

    def __init__(self, dtype: torch.dtype = torch.bfloat16) -> None:
        super().__init__()
        self.to(dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.linear(x)
        return states + 0.5 * self.recent(x)[:, None]


class HalfProbabilities(HalfRecent):
    """In float16: probabilities of what the last positions are."""

    def __init__(self) -> None:
        super().__init__(torch.float16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).softmax(-1)


class Reaches(nn.Module):
    """Which readings, in tenths, reach three tenths."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x >= 0.3


class Exceeds(Wrapper):
    """Which exceed them: another answer for each reading of three tenths."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x > 0.3


def tenths(shape: tuple[int, ...]) -> st.SearchStrategy[torch.Tensor]:
    """Readings between 0 and 1, in tenths."""

    def draw(seed: int) -> torch.Tensor:
        return torch.randint(0, 11, shape, generator=torch.Generator().manual_seed(seed)).float() / 10

    return st.integers(0, 2**16).map(draw)


def wrongly_scaled() -> Iterator[Specimen]:
    """Every specimen whose fault hides beside something larger, or behind rounding."""
    long = partial(Specimen, family="scale", inputs=rows(2, 7, 4), fails=("shapes",))
    yield from each(long, VisitorsBesideShare, BoxesBesideScore, ItemsOfManyScales, RatesWithBase, NeverBeside)
    yield long(build=HalfRecent, inputs=rows(2, 7, 4, dtype=torch.bfloat16))
    yield long(build=HalfProbabilities, inputs=rows(2, 7, 4, dtype=torch.float16))
    masked = partial(Specimen, family="scale", inputs=masked_ids(), fails=("parity",), also=("shapes", "padding"))
    yield masked(build=AbsentItems)
    yield Specimen(
        build=Reaches,
        name="ReachesExceeds",
        family="ties",
        inputs=rows(),
        fails=("parity",),
        also=("shapes",),
        keywords={"export": exporters.instead(Exceeds), "strategies": {"x": tenths}},
    )
