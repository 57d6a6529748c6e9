"""nothing -> specimens: right, though rounding is made large by what follows it, or decides between equal values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from pytest_tsexport.testing import exporters
from pytest_tsexport.testing.specimen import Inputs, Specimen, rows
from pytest_tsexport.testing.wrappers import Wrapper


class Sums(nn.Module):
    """The base of the models below: products of a row with a matrix, added one after the other in their own type.

    `cumsum` would add up in float64, and the order would not show.
    """

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(7, 7, dtype=dtype))

    def sums(self, x: torch.Tensor) -> torch.Tensor:
        products = [column * row for column, row in zip(x.split(1, -1), self.weight, strict=True)]
        total: torch.Tensor = functools.reduce(torch.add, products)
        return total

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.sums(x)


class Backwards(Wrapper):
    """The same sums, added from the last to the first."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        assert isinstance(model, Sums)
        model.weight = nn.Parameter(model.weight.detach().flip(0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x.flip(-1))
        return answer


class RoundsToSteps(Sums):
    """Rounded to 64ths, as quantised activations are: a sum between two steps may fall on either."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.sums(x) * 64).round() / 64


class OpensGates(Sums):
    """A value passes where the sum of equal and opposite numbers is positive: rounding alone decides."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        balance = self.sums(x).sum(-1, keepdim=True) - self.sums(x).flip(-1).cumsum(-1)[..., -1:]
        return self.sums(x) * (balance > 1e-7)


class MagnifiesRounding(Sums):
    """A small rest of large numbers, magnified."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([(self.sums(x + 1e4) - self.sums(torch.full_like(x, 1e4))) * 100, self.sums(x)], -1)


class ForbidsLabels(Sums):
    """Two of the labels are at the lowest number, for any input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        forbidden = torch.tensor([0, 1, 0, 0, 1, 0, 0]).bool()
        return self.sums(x).masked_fill(forbidden, torch.finfo(x.dtype).min)


class ConstantBeside(Sums):
    """Beside the sums stands one huge number that never moves."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.sums(x), torch.full_like(x[..., :1], 1e30)], -1)


class ActiveUnit(nn.Module):
    """The number of the most active unit; often none is active and all are equal."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x - 1).argmax(-1)


class ByTopOne(Wrapper):
    """The same by `topk`, which names any of equal values."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x - 1).topk(1, -1).indices[..., 0]


class HalfAttends(nn.Module):
    """Attention in bfloat16, as the fused operator."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None])[:, 0]


class AttendsByFormula(Wrapper):
    """The same as its formula."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = x @ x.transpose(-1, -2) * x.shape[-1] ** -0.5
        return scores.softmax(-1) @ x


class InSingle(Wrapper):
    """Computes in float32, and rounds at the end: more exact than eager in half precision."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model.float())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x.float())
        return answer.to(x.dtype)


class StoresAsFloat8(Sums):
    """A second output in a type that torch hardly computes in."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        return self.sums(x), x.to(torch.float8_e4m3fn)


class HalfSums(Sums):
    """In bfloat16, where each addition rounds."""

    def __init__(self) -> None:
        super().__init__(torch.bfloat16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.sums(x) * 2).tanh()


def rightly_rounded() -> Iterator[Specimen]:
    """Every specimen that differs by rounding alone."""
    single, half = rows(3, 7), rows(2, 7, 7, dtype=torch.bfloat16)
    reordered = partial(_exported, Backwards, family="values", inputs=single)
    for build in (RoundsToSteps, OpensGates, MagnifiesRounding, ForbidsLabels, ConstantBeside):
        yield reordered(build)
    yield _exported(ByTopOne, ActiveUnit, family="ties", inputs=rows(4, 5))
    yield _exported(AttendsByFormula, HalfAttends, family="dtype", inputs=half)
    yield _exported(InSingle, HalfAttends, family="dtype", inputs=half)
    yield _exported(InSingle, HalfSums, family="dtype", inputs=rows(3, 7, dtype=torch.bfloat16))
    yield Specimen(build=StoresAsFloat8, family="dtype", inputs=single)


def _exported(
    wrap: Callable[[nn.Module], nn.Module], build: Callable[[], nn.Module], *, family: str, inputs: Callable[[], Inputs]
) -> Specimen:
    name = f"{build.__name__}{wrap.__name__}"
    keywords = {"export": exporters.instead(wrap)}
    return Specimen(build=build, name=name, family=family, inputs=inputs, keywords=keywords)
