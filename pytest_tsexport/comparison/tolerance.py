"""spread, or the user's numbers -> tolerance: how far each output may be off, and in which metric.

This is the only module that knows the rule. Other modules ask an `OutputTolerance` what it allows.

For a floating output, |d| <= rtol * S + 8 * eps * A, where S is the largest standard deviation of that output over
drawn inputs and A its largest magnitude. Integers and booleans are compared exactly. (See
docs/explanation/measurements.md#tolerance.) On a device, the casting decides the share of S, and emulated rounding
may widen the tolerance. (See docs/explanation/neuron-sdk.md#numerics.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch

from pytest_tsexport.comparison.metrics import angles, distances, magnitude, mistakes, regrets
from pytest_tsexport.tensors.tree import Leaves

RTOL: Mapping[torch.dtype, float] = {
    torch.float64: 1e-4,
    torch.float32: 1e-4,
    torch.float16: 5e-3,
    torch.bfloat16: 5e-2,
}
"""Share of the spread S that an output may be off by."""

NOISE = 8
"""ULP of A by which two kernels may differ."""

EMULATED_TIMES = 5.0
"""A device may be off by this factor times the emulated rounding error: it adds and rounds in another order."""

EMULATED_MOST = 4.0
"""The upper limit of that: this factor times the casting's share of the spread, or of the output's magnitude.

The larger of the two counts, because extreme inputs move an output beyond its usual spread. If rounding changes a model
by more than this, its export is not right.
"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTolerance:
    """What one output may differ by.

    `rtol` and `atol` are the user's, |d| <= atol + rtol * |expected| for each element, as in
    `torch.testing.assert_close`; without them the rule above holds. `metric` is one of `names.METRICS`: `argmax` allows
    another index if eager's value there is smaller by no more than the tolerance, `cosine` allows an angle with
    1 - cos <= rtol + atol. On a device, `share` is the least share of the spread that is allowed. `slack` is an
    absolute difference; it counts if it is larger than what the spread allows. With `cast`, two floating types are
    compared in the coarser one.
    """

    name: str
    spread: float = 0.0
    rtol: float | None = None
    atol: float | None = None
    metric: str | None = None
    share: float = 0.0
    slack: float = 0.0
    cast: bool = False

    @property
    def given(self) -> bool:
        """Whether the user gave a tolerance or a metric for this output."""
        return self.rtol is not None or self.atol is not None or self.metric is not None

    def metric_of(self, expected: torch.Tensor) -> str:
        """The metric; scalars, integers and booleans are always compared by value."""
        if self.metric is None or not expected.dim() or not expected.is_floating_point():
            return "close"
        return self.metric

    def aligned(self, expected: torch.Tensor, actual: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both tensors as they are compared: with `cast`, in the coarser of two floating types."""
        if not self.cast or not expected.is_floating_point() or not actual.is_floating_point():
            return expected, actual
        coarser = max(expected.dtype, actual.dtype, key=lambda dtype: torch.finfo(dtype).eps)
        return expected.to(coarser), actual.to(coarser)

    def gaps(self, expected: torch.Tensor, actual: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(differences in the metric, allowed differences): both float64; the second broadcasts to the first."""
        if not expected.is_floating_point() and not expected.is_complex():
            return mistakes(expected, actual), torch.zeros((), dtype=torch.float64)
        metric = self.metric_of(expected)
        if metric == "argmax":
            return regrets(expected, actual), self.allowed(expected.amax(-1)).clamp_min(0.0)
        if metric == "cosine":
            return angles(expected, actual), torch.tensor(self._angle(expected.dtype), dtype=torch.float64)
        return distances(expected, actual), self.allowed(expected)

    def allowed(self, expected: torch.Tensor) -> torch.Tensor:
        """The difference allowed at each element, or one number for all, in float64 and in the unit of the output."""
        if self.rtol is not None or self.atol is not None:
            return (self.atol or 0.0) + (self.rtol or 0.0) * expected.double().abs()
        moved = max(self.by_spread(expected.dtype), self.slack)
        return torch.tensor(moved + noise_floor(expected), dtype=torch.float64)

    def by_spread(self, dtype: torch.dtype) -> float:
        """The part of what is allowed that follows the spread; complex types have the share of float32."""
        return max(RTOL.get(dtype, RTOL[torch.float32]), self.share) * self.spread

    def hides(self, expected: torch.Tensor) -> float:
        """The tolerance as a share of the spread: smaller differences are hidden. 0 if the output does not vary."""
        if not self.spread or not expected.numel():
            return 0.0
        return float(self.allowed(expected).max()) / self.spread

    def sees(self, expected: torch.Tensor, actual: torch.Tensor) -> bool:
        """Whether the metric sees any difference between two tensors of one shape; always True for `close`."""
        if self.metric_of(expected) == "argmax":
            return any(bool(gaps.any()) for gaps in (regrets(expected, actual), regrets(actual, expected)))
        if self.metric_of(expected) == "cosine":
            return float(angles(expected, actual).max()) > RTOL.get(expected.dtype, 0.0)
        return True

    def describe(self, expected: torch.Tensor, gap: float, allowed: float, index: Sequence[int]) -> str:
        """A difference in the words of the metric: `off by 3.0e+00 at [1], allowed 1.0e-04`."""
        metric = self.metric_of(expected)
        at = f" at {list(index)}" if index else ""
        if metric == "argmax":
            return f"another argmax{at}, whose value is {gap:.1e} less in eager, allowed {allowed:.1e}"
        if metric == "cosine":
            return f"cosine similarity {1 - gap:.6f}{at}, allowed {1 - allowed:.6f}"
        return f"off by {gap:.1e} at {list(index)}, allowed {allowed:.1e}"

    def noise_only(self) -> OutputTolerance:
        """The tolerance by which two kernels may differ, whatever the spread."""
        return OutputTolerance(name=self.name, cast=self.cast)

    def _angle(self, dtype: torch.dtype) -> float:
        if self.rtol is None and self.atol is None:
            return RTOL[dtype]
        return (self.rtol or 0.0) + (self.atol or 0.0)

    def slack_by(self, expected: torch.Tensor, emulated: torch.Tensor) -> float:
        """The absolute difference that rounding may cause, from eager with and without it; 0 for NaN or inf."""
        if expected.shape != emulated.shape or not expected.numel():
            return 0.0
        off = float(distances(expected, emulated).max())
        most = EMULATED_MOST * self.share * max(self.spread, magnitude(expected))
        return min(EMULATED_TIMES * off, most) if math.isfinite(off) else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """The tolerances of all outputs; `of(name)` gives that of one. The fields are those of `OutputTolerance`.

    `rtol`, `atol` and `metric` are one value for all outputs, or one for each output name. What the user gives for one
    output never changes what is allowed for another.
    """

    spread: Mapping[str, float] = field(default_factory=dict)
    rtol: float | Mapping[str, float] | None = None
    atol: float | Mapping[str, float] | None = None
    metric: str | Mapping[str, str] | None = None
    cast: bool = False
    share: float = 0.0
    slack: Mapping[str, float] = field(default_factory=dict)

    def of(self, name: str) -> OutputTolerance:
        """The tolerance of one output."""
        return OutputTolerance(
            name=name,
            spread=self.spread.get(name, 0.0),
            rtol=_of(self.rtol, name),
            atol=_of(self.atol, name),
            metric=_of(self.metric, name),
            share=self.share,
            slack=self.slack.get(name, 0.0),
            cast=self.cast,
        )

    def derived(self) -> Tolerance:
        """The tolerance by the rule for the CPU and one dtype, without what the user gave."""
        return Tolerance(spread=self.spread)

    def widened(self, eager: Leaves, emulated: Leaves) -> Tolerance:
        """This tolerance, with slack from emulated rounding for each output for which the user gave nothing."""
        limits = {name: self.of(name) for name in eager}
        slack = {name: limit.slack_by(eager[name], emulated[name]) for name, limit in limits.items() if not limit.given}
        return replace(self, slack=slack)


def noise_floor(expected: torch.Tensor) -> float:
    """8 * eps * A: the difference that two kernels may have."""
    if not (expected.is_floating_point() or expected.is_complex()) or not expected.numel():
        return 0.0
    largest = expected.abs().nan_to_num(0.0, 0.0, 0.0).max().item()
    return NOISE * torch.finfo(expected.dtype).eps * float(largest)


def _of(value: T | Mapping[str, T] | None, name: str) -> T | None:
    return value.get(name) if isinstance(value, Mapping) else value
