"""measured noise, a share of the spread, or the user's numbers -> tolerance: how far each output may be off.

This is the only module that knows the rule; its numbers stand in `factors`. Other modules ask an `OutputTolerance`
what it allows.

For a floating output, each element may be off by what rounding was measured to do at that very element: by `times()`
the movement of eager in the wider type and with each step moved by a few ULP, and by the last rounding of the element.
Integers and booleans are compared exactly. On a device, and with `reference=`, the file computes in another way than
eager; there a share of the spread is allowed too, at each place by its own spread. (See
docs/explanation/tolerances.md and docs/explanation/measurements.md#tolerance.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch

from pytest_tsexport.comparison.factors import (
    EMULATED_MOST,
    EMULATED_TIMES,
    HALF_BITS,
    KERNELS,
    LAST,
    LAST_IN_HALF,
    RTOL,
    noise_floor,
)
from pytest_tsexport.comparison.metrics import angles, distances, magnitude, mistakes, regrets, size_of
from pytest_tsexport.comparison.sampling import spread_at
from pytest_tsexport.tensors.tree import Leaves

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutputTolerance:
    """What one output may differ by.

    `rtol` and `atol` are the user's, |d| <= atol + rtol * |expected| for each element, as in
    `torch.testing.assert_close`; without them the rule above holds. `metric` is one of `names.METRICS`: `argmax` allows
    another index if eager's value there is smaller by no more than the tolerance, `cosine` allows an angle with
    1 - cos <= rtol + atol. `noise` is the difference that rounding explains, and `slack` the one that emulated
    rounding explains, at each element of the answer. `spread` is that at each place of the traced size; with `shared`,
    a share of it is allowed, on a device at least `share`. With `by_magnitude`, `KERNELS` ULP of the largest element
    are allowed: for answers of which nothing was measured. With `cast`, two floating types are compared in the coarser
    one.
    """

    name: str
    spread: torch.Tensor | None = None
    rtol: float | None = None
    atol: float | None = None
    metric: str | None = None
    share: float = 0.0
    shared: bool = False
    noise: torch.Tensor | None = None
    slack: torch.Tensor | None = None
    by_magnitude: bool = False
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
            return regrets(expected, actual), self._regretted(expected, actual)
        if metric == "cosine":
            return angles(expected, actual), torch.tensor(self._angle(expected.dtype), dtype=torch.float64)
        return distances(expected, actual), self.allowed(expected)

    def allowed(self, expected: torch.Tensor) -> torch.Tensor:
        """The difference allowed at each element, in float64 and in the unit of the output; it may be one for all."""
        size = size_of(expected)
        if self.rtol is not None or self.atol is not None:
            return (self.atol or 0.0) + (self.rtol or 0.0) * size
        if self.by_magnitude:
            return torch.tensor(noise_floor(expected), dtype=torch.float64)
        shared = self.shared or self.metric is not None
        half = torch.finfo(expected.dtype).bits <= HALF_BITS
        last = KERNELS if shared else LAST_IN_HALF if half else LAST
        parts = [self.noise, self.slack, self.by_spread(expected) if shared else None]
        known = [part.to(size.device) for part in parts if part is not None]
        moved = torch.zeros((), dtype=torch.float64)
        for part in known:
            moved = torch.maximum(moved, part)
        return moved + last * torch.finfo(expected.dtype).eps * size

    def by_spread(self, expected: torch.Tensor) -> torch.Tensor:
        """The share of the spread at each element; complex types have the share of float32."""
        share = max(RTOL.get(expected.dtype, RTOL[torch.float32]), self.share)
        return share * spread_at(self.spread, expected.shape)

    def hides(self, expected: torch.Tensor) -> float:
        """The tolerance as a share of the spread at its place, where that is most; 0 if no place moves."""
        spread = spread_at(self.spread, expected.shape)
        if self.metric_of(expected) == "cosine" or not expected.numel() or not bool((spread > 0).any()):
            return 0.0
        shares = self.allowed(expected).expand(expected.shape) / spread.expand(expected.shape)
        finite = shares[shares.isfinite()]
        return float(finite.max()) if finite.numel() else 0.0

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

    def _regretted(self, expected: torch.Tensor, actual: torch.Tensor) -> torch.Tensor:
        """What a choice may lose: what its own value and the best one may be off by."""
        if self.rtol is not None or self.atol is not None:
            return self.allowed(expected.amax(-1)).clamp_min(0.0)
        allowed = self.allowed(expected).nan_to_num(0.0, 0.0, 0.0).expand(expected.shape)
        best, chosen = (one.nan_to_num(-math.inf).argmax(-1, keepdim=True) for one in (expected, actual))
        return (allowed.gather(-1, best) + allowed.gather(-1, chosen)).squeeze(-1)

    def _angle(self, dtype: torch.dtype) -> float:
        if self.rtol is None and self.atol is None:
            return RTOL[dtype]
        return (self.rtol or 0.0) + (self.atol or 0.0)

    def slack_by(self, expected: torch.Tensor, emulated: torch.Tensor) -> torch.Tensor | None:
        """What rounding may cause at each element, from eager with and without it; None for NaN or inf."""
        if expected.shape != emulated.shape or not expected.numel():
            return None
        off = distances(expected, emulated)
        return self.emulated(expected, off) if bool(off.isfinite().all()) else None

    def emulated(self, expected: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
        """What is allowed at each element that rounding to a device's bits moves so far."""
        spread = 0.0 if self.spread is None or not self.spread.numel() else float(self.spread.max())
        most = EMULATED_MOST * self.share * max(spread, magnitude(expected))
        return (EMULATED_TIMES * moved).clamp_max(most)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tolerance:
    """The tolerances of all outputs; `of(name)` gives that of one. The fields are those of `OutputTolerance`.

    `rtol`, `atol` and `metric` are one value for all outputs, or one for each output name. What the user gives for one
    output never changes what is allowed for another.
    """

    spread: Mapping[str, torch.Tensor] = field(default_factory=dict)
    rtol: float | Mapping[str, float] | None = None
    atol: float | Mapping[str, float] | None = None
    metric: str | Mapping[str, str] | None = None
    cast: bool = False
    share: float = 0.0
    shared: bool = False
    by_magnitude: bool = False
    slack: Mapping[str, torch.Tensor] = field(default_factory=dict)
    noise: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def of(self, name: str) -> OutputTolerance:
        """The tolerance of one output."""
        return OutputTolerance(
            name=name,
            spread=self.spread.get(name),
            rtol=_of(self.rtol, name),
            atol=_of(self.atol, name),
            metric=_of(self.metric, name),
            share=self.share,
            shared=self.shared,
            by_magnitude=self.by_magnitude,
            slack=self.slack.get(name),
            noise=self.noise.get(name),
            cast=self.cast,
        )

    def derived(self) -> Tolerance:
        """A share of the spread for each output, without what the user gave: for answers of which no noise is known."""
        return Tolerance(spread=self.spread, shared=True)

    def sharing(self) -> Tolerance:
        """This tolerance, with a share of the spread for each output about which the user said nothing."""
        return replace(self, shared=True)

    def widened(self, eager: Leaves, emulated: Leaves) -> Tolerance:
        """This tolerance, with slack from emulated rounding for each output for which the user gave nothing."""
        limits = {name: self.of(name) for name in eager}
        slack = {name: limit.slack_by(eager[name], emulated[name]) for name, limit in limits.items() if not limit.given}
        return replace(self, slack={name: one for name, one in slack.items() if one is not None})

    def measured(self, noise: Mapping[str, torch.Tensor]) -> Tolerance:
        """This tolerance, with the noise of each output for which the user gave nothing."""
        return replace(self, noise={name: one for name, one in noise.items() if not self.of(name).given})


BY_KERNELS = Tolerance(by_magnitude=True)
"""For answers of which nothing was measured: two kernels may differ by a few ULP of the largest element."""


def _of(value: T | Mapping[str, T] | None, name: str) -> T | None:
    return value.get(name) if isinstance(value, Mapping) else value
