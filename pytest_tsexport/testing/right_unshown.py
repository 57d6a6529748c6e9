"""nothing -> models: right, though drawn values, other memory or calls in between make them look wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from torch import nn

from pytest_tsexport.testing.specimen import Inputs, Specimen, each, ids, rows
from pytest_tsexport.testing.wrong_between import PeakInBuffer
from pytest_tsexport.testing.wrong_unshown import PAST, past, positive


def rightly_unshown() -> Iterator[Specimen]:
    """The specimens of this module."""
    looks = partial(Specimen, inputs=rows())
    yield from each(looks, FillsMissing, Clamps, ScalesByRms, ShortcutThatAgrees, family="values")
    yield from each(looks, LogReturns, LogOfPositive, family="values", inputs=positive)
    yield looks(build=ChecksDistribution, family="values", inputs=lambda: {"p": rows(3, 5)()["x"].softmax(-1)})
    yield looks(build=FactorsCovariance, family="values", inputs=_covariance)
    yield looks(build=BagsOfItems, family="values", inputs=_bags)
    yield looks(build=NeedsSortedTimes, family="values", inputs=_times)
    yield looks(build=KindsAmongFloats, family="values", inputs=_kinds)
    yield looks(
        build=HearsInt16, family="dtype", inputs=lambda: {"wave": torch.arange(-700, 700, 50).short().view(2, 14)}
    )
    yield looks(build=KeepsFloat8, family="dtype", inputs=lambda: {"x": rows()()["x"].to(torch.float8_e5m2)})
    yield looks(build=SeesPadding, family="baked mask", inputs=_padded)
    yield looks(build=FlagsInTorch, family="baked mask", inputs=_flags)
    yield looks(build=AnyMemory, family="structure", inputs=rows(2, 6, 4))
    yield looks(build=JoinsPast, family="baked size", inputs=past, keywords={"dynamic_shapes": PAST})
    yield from each(looks, RemembersUnused, ResetsItself, family="state")
    yield looks(build=PeakInBuffer, name="RestoredPeak", family="state", keywords={"export": restored})
    yield looks(build=RanksIds, family="ties", inputs=ids())


class FillsMissing(nn.Module):
    """What is missing is replaced by operations that a trace keeps."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.where(x.isnan() | (x == -1), torch.full_like(x, 0.5), x)
        return x.nan_to_num(posinf=9.0, neginf=-9.0) * 2


class Clamps(nn.Module):
    """Readings past 100 are clipped in a trace too."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clamp(-100, 100) * 3


class ScalesByRms(nn.Module):
    """Silence is divided by nothing: NaN in eager as in the file."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / x.square().mean(-1, keepdim=True).sqrt()


class ShortcutThatAgrees(nn.Module):
    """Both ways of the branch give the same."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (
            x.nan_to_num(0.0) if bool(x.isnan().any()) else torch.where(x.isnan(), torch.zeros_like(x), x).nan_to_num()
        )


class LogReturns(nn.Module):
    """Prices are positive; drawn ones are not, and have no logarithm."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.log().diff(dim=1)


class LogOfPositive(nn.Module):
    """One value that is not positive, and the whole row has no answer."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.log().sum(1)


class ChecksDistribution(nn.Module):
    """Refuses what is no distribution."""

    def forward(self, p: torch.Tensor) -> torch.Tensor:
        if not torch.allclose(p.sum(-1), torch.ones(()), atol=1e-4) or bool((p < 0).any()):
            raise ValueError("the rows must be distributions")
        return -(p * (p + 1e-9).log()).sum(-1)


class FactorsCovariance(nn.Module):
    """Only symmetric positive matrices have a factor."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        factor: torch.Tensor = torch.linalg.cholesky(x)
        return factor


class BagsOfItems(nn.Module):
    """The first bag begins at 0, and none past the end."""

    def __init__(self) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(40, 4)

    def forward(self, items: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.bag(items, starts)
        return answer


class NeedsSortedTimes(nn.Module):
    """Refuses times that go back."""

    def forward(self, times: torch.Tensor) -> torch.Tensor:
        if bool((times.diff(dim=-1) < 0).any()):
            raise ValueError("times must not go back")
        return times.diff(dim=-1).cumsum(-1)


class KindsAmongFloats(nn.Module):
    """The first column is a kind, given as a float: it chooses a row of a table."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds = nn.Embedding(3, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.kinds(x[:, 0].long()) * x[:, 1:2]
        return answer


class HearsInt16(nn.Module):
    """A wave of 16 bits."""

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        return wave.float() / 32768


class KeepsFloat8(nn.Module):
    """Takes floats of 8 bits, as a cache holds them."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.float() * 2


class SeesPadding(nn.Module):
    """True is padding; the sum of what is real."""

    def forward(self, x: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        weights = torch.zeros_like(x[..., 0]).masked_fill(padding, float("-inf")).softmax(-1)
        return (x * weights[..., None]).sum(1)


class FlagsInTorch(nn.Module):
    """Flags that may all be 0 or all be 1."""

    def forward(self, x: torch.Tensor, flags: torch.Tensor) -> torch.Tensor:
        return torch.where(flags.any(), x * (flags + 1), x - 1)


class AnyMemory(nn.Module):
    """Reshapes whatever lies in memory in whatever way."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.transpose(1, 2).reshape(x.shape[0], -1) + x.contiguous().view(x.shape[0], -1)


class JoinsPast(nn.Module):
    """An empty past is a past."""

    def forward(self, x: torch.Tensor, past: torch.Tensor) -> torch.Tensor:
        return torch.cat([past, x], dim=1) * 2


class RemembersUnused(nn.Module):
    """Keeps the frame before for a log."""

    def __init__(self) -> None:
        super().__init__()
        self.last: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.last = x
        return x * 2


class ResetsItself(nn.Module):
    """Adds up within one call, and begins the next one anew."""

    total: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.total.zero_()
        self.total.add_(x.sum())
        return x + self.total


class RanksIds(nn.Module):
    """The number of smaller ids, among ids of which some are equal."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return (ids[:, None, :] < ids[:, :, None]).sum(-1)


def restored(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Right for a model with state in buffers: what tracing moved is put back before the file is written."""
    traced = torch.jit.trace(copy.deepcopy(model).eval(), tuple(inputs.values()), check_trace=False)
    traced.load_state_dict(model.state_dict())
    torch.jit.save(traced, str(path))


def _covariance() -> Inputs:
    factor = rows(3, 4, 4)()["x"]
    return {"x": factor @ factor.transpose(1, 2) + torch.eye(4)}


def _bags() -> Inputs:
    return {"items": ids(9, high=40)()["ids"], "starts": torch.tensor([0, 3, 5])}


def _times() -> Inputs:
    return {"times": rows(3, 6)()["x"].abs().cumsum(-1)}


def _kinds() -> Inputs:
    return {"x": torch.tensor([[0.0, 0.3], [2.0, -0.7], [1.0, 0.1], [2.0, 1.4]])}


def _padded() -> Inputs:
    return {"x": rows(2, 7, 4)()["x"], "padding": torch.arange(7).expand(2, 7) >= torch.tensor([[7], [5]])}


def _flags() -> Inputs:
    return {**rows()(), "flags": torch.ones(2, 7, dtype=torch.int64)}
