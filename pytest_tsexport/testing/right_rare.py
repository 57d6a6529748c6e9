"""nothing -> models: right, though what decides their answers is given rarely or lies within rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import nn

from pytest_tsexport.testing import exporters
from pytest_tsexport.testing.right_rounding import Backwards, Sums
from pytest_tsexport.testing.specimen import Inputs, Specimen, each, ids, rows
from pytest_tsexport.testing.wrappers import Wrapper
from pytest_tsexport.testing.wrong_rare import Bins, CountsAll, PacksRows, ragged, ragged_rows, signals


def rarely_shown() -> Iterator[Specimen]:
    """The specimens of this module."""
    looks = partial(Specimen, inputs=rows())
    for build in (PassesAtMark, KeepsFraction, HashesBySign, RanksSums, VariesBySquares):
        yield _reordered(build)
    yield looks(build=ScalesAllBytes, family="dtype", inputs=pixels)
    yield looks(build=MeasuresPhase, family="dtype", inputs=signals)
    yield looks(build=CountsAll, family="dtype", inputs=ids(high=40000))
    yield looks(build=KeepsFormat, family="structure", inputs=rows(2, 3, 4, 5))
    yield looks(build=Bins, family="values")
    yield looks(build=Bins, name="BinsByComparing", family="values", keywords={"export": _BY_COMPARING})
    yield looks(build=MeansOfSomeEmpty, family="values", inputs=ragged)
    yield from each(looks, SplitsLargeBatches, MakesRampAgain, family="baked size")
    yield looks(build=ReturnsItsInputBeside, family="aliasing")
    yield looks(build=PacksRows, family="rounding", inputs=ragged_rows)


class PassesAtMark(Sums):
    """Passed from 0.5 on; a sum may lie at the mark."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.sums(x) >= 0.5).float()


class KeepsFraction(Sums):
    """The fraction of a product; just below a whole number it is nearly 1, just above it nearly 0."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.sums(x) * 8).frac()


class HashesBySign(Sums):
    """A hash of the signs of some sums."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return ((self.sums(x) > 0) * 2 ** torch.arange(7)).sum(-1)


class RanksSums(Sums):
    """All places in the order of their sums."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.sums(x).argsort(-1)


class VariesBySquares(Sums):
    """The variance as a mean of squares less the square of the mean, which hardly leaves a digit of equal values."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sums = self.sums(x)
        return (sums * sums).mean(-1) - sums.mean(-1) ** 2


class ScalesAllBytes(nn.Module):
    """Bytes as fractions, whatever they are."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image.to(torch.float32) / 255


class MeasuresPhase(nn.Module):
    """Length and angle of complex numbers; the angle of 0 is 0."""

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return z.abs(), z.angle()


class KeepsFormat(nn.Module):
    """One branch for each memory format, and both answer alike."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.is_contiguous() else x.contiguous() * 2


class ByComparing(Wrapper):
    """The number of bounds that a value reaches."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bounds: torch.Tensor = self.model.bounds  # type: ignore[assignment]
        above = (x[..., None] >= bounds) | x.isnan()[..., None]
        return above.sum(-1)


class MeansOfSomeEmpty(nn.Module):
    """Means of rows of different lengths; that of an empty row is 0."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        real = torch.arange(x.shape[1]) < lengths[:, None]
        return x.masked_fill(~real[..., None], 0).sum(1) / lengths.clamp_min(1)[:, None]


class SplitsLargeBatches(nn.Module):
    """More than 600 values are computed in two parts, and joined again."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[0] * x.shape[1] <= 600:
            return x * 2
        return torch.cat([half * 2 for half in x.tensor_split(2)])


class MakesRampAgain(nn.Module):
    """A ramp of the length of each row."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.arange(x.shape[1]) * 0.1


class ReturnsItsInputBeside(nn.Module):
    """The input itself, a part of it, and a sum: two outputs share memory, in the file as in eager."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return x, x[:, 1:], x + 1


def pixels() -> Inputs:
    """An image of bytes."""
    return {"image": torch.arange(0, 210, 5, dtype=torch.uint8).view(2, -1)}


def _reordered(build: Callable[[], nn.Module]) -> Specimen:
    keywords = {"export": exporters.instead(Backwards)}
    return Specimen(build=build, name=f"{build.__name__}Backwards", family="ties", inputs=rows(3, 7), keywords=keywords)


_BY_COMPARING = exporters.instead(ByComparing)
