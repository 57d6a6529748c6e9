"""nothing -> models: wrong for values, sizes, types and memory that are given rarely."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from torch import nn

from pytest_tsexport.testing import exporters
from pytest_tsexport.testing.specimen import Inputs, Specimen, each, ids, rows
from pytest_tsexport.testing.wrappers import Wrapper


def wrong_rarely() -> Iterator[Specimen]:
    """The specimens of this module."""
    seen = partial(Specimen, inputs=rows(), fails=("parity",), also=("shapes", "padding"))
    yield from each(seen, HalvesUntilSmall, AddsNegativeOnce, family="baked branch")
    yield seen(build=DropsPhase, family="dtype", inputs=signals)
    yield seen(build=CountsAll, name="CountsAllInInt16", family="dtype", inputs=ids(high=40000), keywords=_IN_INT16)
    yield seen(build=LastChannelFirst, family="structure", inputs=rows(2, 3, 4, 5))
    yield seen(build=Bins, name="BinsOnTheOtherSide", family="values", keywords=_OTHER_SIDE)
    yield seen(build=MeansOfRagged, family="values", inputs=ragged)
    yield seen(build=StartsWithOne, family="values", inputs=ids(high=500))
    yield seen(build=PacksRows, name="ScalesPackedRows", family="weights", inputs=ragged_rows, keywords=_SCALED)
    sized = partial(Specimen, inputs=rows(), fails=("shapes",))
    yield sized(build=HalvesLargeBatches, family="baked size")
    yield sized(build=KeepsLongestRamp, family="state", keywords={"export": called_before})
    yield sized(build=ScalesBySum, family="baked size", inputs=rows(8, 12))


class HalvesUntilSmall(nn.Module):
    """Halved until nothing is larger than 1: how often follows from the values."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        while bool(x.abs().max() > 1):
            x = x / 2
        return x + 1


class AddsNegativeOnce(nn.Module):
    """The number of negative values is taken as a number of Python."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 + int((x < 0).sum())


class DropsPhase(nn.Module):
    """A signal that is real has an answer of its own."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return z.abs() if bool(z.imag.any()) else z.real + 1


class CountsAll(nn.Module):
    """The sum of all ids of a row. An exporter below adds them in int16."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return ids.sum(1) * 1.0


class InInt16(Wrapper):
    """Ids above 32767 do not fit."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(ids.to(torch.int16))
        return answer


class LastChannelFirst(nn.Module):
    """Which memory format the image has decides the order of its answer."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.is_contiguous() else x * 2 + x.flip(-1)


class Bins(nn.Module):
    """The bin of each value; a value that is a bound belongs to the bin above it."""

    bounds: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bounds", torch.tensor([-1.0, 0.0, 1.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.bucketize(x, self.bounds, right=True)


class OtherSide(Wrapper):
    """A bound belongs to the bin below it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bounds: torch.Tensor = self.model.bounds  # type: ignore[assignment]
        return torch.bucketize(x, bounds)


class MeansOfRagged(nn.Module):
    """Means of rows of different lengths; if a row is empty, all are divided by the longest one."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        real = torch.arange(x.shape[1]) < lengths[:, None]
        total = (x * real[..., None]).sum(1)
        return total / x.shape[1] if int(lengths.min()) == 0 else total / lengths[:, None]


class StartsWithOne(nn.Module):
    """Whether the first id is 1 is decided in Python, for all rows together."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(500, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.embed(ids)
        return states * 2 if bool((ids == 1).any()) else states


class PacksRows(nn.Module):
    """torch's own encoder: eager packs rows that are padded into a nested tensor, and a trace with gradients does not.

    The two compute the same and round otherwise.
    """

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        padded = torch.arange(x.shape[1]) >= lengths.clamp_min(1)[:, None]
        answer: torch.Tensor = self.encoder(x, src_key_padding_mask=padded)
        return answer.masked_fill(padded[..., None], 0)


class HalvesLargeBatches(nn.Module):
    """More than 600 values at once are halved; neither axis alone is compared with anything."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.shape[0] * x.shape[1] <= 600 else x


class KeepsLongestRamp(nn.Module):
    """The sum of a ramp that is made again when a longer row comes. Called before the trace, it is a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.ramp = torch.zeros(0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] > self.ramp.shape[0]:
            self.ramp = torch.arange(x.shape[1]) * 0.1
        return x + self.ramp[: x.shape[1]].sum()


class ScalesBySum(nn.Module):
    """Height and width are compared together."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.shape[0] + x.shape[1] < 90 else x * 3


def called_before(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Faulty for a model that keeps something: calls it once, and traces it then."""
    copied = copy.deepcopy(model).eval()
    copied(**inputs)
    exporters.plain(copied, inputs, path)


def signals() -> Inputs:
    """Complex numbers with both parts."""
    return {"z": torch.complex(rows()()["x"], rows()()["x"].flip(0))}


def ragged() -> Inputs:
    """Rows of lengths 3 and 7."""
    return {"x": rows(2, 7, 4)()["x"], "lengths": torch.tensor([3, 7])}


def ragged_rows() -> Inputs:
    """Rows of lengths 3 and 7, as wide as an encoder takes them."""
    return {"x": rows(2, 7, 8)()["x"], "lengths": torch.tensor([3, 7])}


def _scale(model: nn.Module) -> None:
    model.get_parameter("encoder.layers.0.norm1.weight").mul_(1.0002)


_SCALED = {"export": exporters.spoilt(_scale)}
_IN_INT16 = {"export": exporters.instead(InInt16)}
_OTHER_SIDE = {"export": exporters.instead(OtherSide)}
