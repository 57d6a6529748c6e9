"""two answers -> where they differ: names, shapes, dtypes, NaNs, values, in that order.

The tolerance for floating leaves is |d| <= rtol * S + 8 * eps * A, S being the largest standard deviation of
that leaf over drawn inputs and A its largest magnitude: right families differ by 0, silently wrong ones by 60
times as much at least (facts: detection, 1). Integers and booleans are compared exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from pytest_tsexport.tensors.tree import Leaves

RTOL: Mapping[torch.dtype, float] = {
    torch.float64: 1e-4,
    torch.float32: 1e-4,
    torch.float16: 5e-3,
    torch.bfloat16: 5e-2,
}
"""Share of the spread S that an answer may be off by."""

NOISE = 8
"""Units in the last place of A that any kernel may differ by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What difference is allowed: by the spread of each leaf, or by the user's own rtol and atol.

    With `rtol` and `atol` given, |d| <= atol + rtol * |expected| for each element, as in `torch.testing.assert_close`.
    """

    spread: Mapping[str, float] = field(default_factory=dict)
    rtol: float | Mapping[str, float] | None = None
    atol: float | Mapping[str, float] | None = None

    @property
    def derived(self) -> bool:
        """Whether the user said nothing of it."""
        return self.rtol is None and self.atol is None

    def allowed(self, name: str, expected: torch.Tensor) -> torch.Tensor:
        """The difference allowed at each element (or one number for all) of the leaf `name`, in float64."""
        rtol, atol = _of(self.rtol, name), _of(self.atol, name)
        if rtol is not None or atol is not None:
            return (atol or 0.0) + (rtol or 0.0) * expected.double().abs()
        share = RTOL.get(expected.dtype, RTOL[torch.float32])  # complex ones too
        return torch.tensor(share * self.spread.get(name, 0.0) + noise_floor(expected), dtype=torch.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The worst place at which two answers differ beyond what is allowed.

    `kind` is one of structure, shape, dtype, nan, value; `text` says it in words without sizes of the case.
    """

    kind: str
    leaf: str
    text: str
    value: float
    allowed: float
    at: str = ""


def noise_floor(expected: torch.Tensor) -> float:
    """8 * eps * A: what any kernel may differ by."""
    if not (expected.is_floating_point() or expected.is_complex()) or not expected.numel():
        return 0.0
    magnitude = expected.abs().nan_to_num(0.0, 0.0, 0.0).max().item()
    return NOISE * torch.finfo(expected.dtype).eps * float(magnitude)


def difference(expected: Leaves, actual: Leaves, tolerance: Tolerance) -> Difference | None:
    """The worst difference of `actual` from `expected`, or None where all is within tolerance."""
    if list(expected) != list(actual):
        return _structure(expected, actual)
    found = [_leaf(name, expected[name], actual[name], tolerance) for name in expected]
    real = [one for one in found if one is not None]
    return max(real, key=_severity, default=None)


def distance(expected: Leaves, actual: Leaves, tolerance: Tolerance) -> tuple[float, float, str]:
    """(difference, allowed, leaf) where the answers come nearest to the tolerance, passed or not."""
    worst = (0.0, 0.0, "")
    share = -1.0
    for name in expected:
        if name in actual and expected[name].shape == actual[name].shape and expected[name].numel():
            gap, allowed, _ = _gap(name, expected[name], actual[name], tolerance)
            if gap / max(allowed, 1e-300) > share:
                worst, share = (gap, allowed, name), gap / max(allowed, 1e-300)
    return worst


def _severity(one: Difference) -> tuple[bool, float]:
    return one.kind != "value", one.value / max(one.allowed, 1e-300)


def _structure(expected: Leaves, actual: Leaves) -> Difference:
    missing = [name for name in expected if name not in actual]
    extra = [name for name in actual if name not in expected]
    text = f"eager answers {', '.join(expected) or 'nothing'}; the artifact answers {', '.join(actual) or 'nothing'}"
    leaf = (missing or extra or list(expected))[0]
    return Difference(kind="structure", leaf=leaf, text=text, value=float("inf"), allowed=0.0)


def _leaf(name: str, expected: torch.Tensor, actual: torch.Tensor, tolerance: Tolerance) -> Difference | None:
    inf = float("inf")
    if expected.shape != actual.shape:
        text = f"{name} has shape {tuple(actual.shape)}, eager's has {tuple(expected.shape)}"
        return Difference(kind="shape", leaf=name, text=text, value=inf, allowed=0.0)
    if expected.dtype != actual.dtype:
        text = f"{name} is {_short(actual)}, eager's is {_short(expected)}"
        return Difference(kind="dtype", leaf=name, text=text, value=inf, allowed=0.0)
    if not expected.numel():
        return None
    actual = actual.to(expected.device)
    if expected.is_floating_point() and not torch.equal(expected.isnan(), actual.isnan()):
        return _nan(name, expected, actual)
    gap, allowed, index = _gap(name, expected, actual, tolerance)
    if gap <= allowed:
        return None
    text = f"{name} {tuple(expected.shape)}: off by {gap:.1e} at {list(index)}, allowed {allowed:.1e}"
    return Difference(kind="value", leaf=name, text=text, value=gap, allowed=allowed, at=str(list(index)))


def _nan(name: str, expected: torch.Tensor, actual: torch.Tensor) -> Difference:
    index = [int(place) for place in (expected.isnan() != actual.isnan()).nonzero()[0]]
    who, other = ("eager", "the artifact") if expected[tuple(index)].isnan() else ("the artifact", "eager")
    text = f"{name} {tuple(expected.shape)}: {who} is NaN at {index}, {other} is not"
    return Difference(kind="nan", leaf=name, text=text, value=float("nan"), allowed=0.0, at=str(index))


def _gap(
    name: str, expected: torch.Tensor, actual: torch.Tensor, tolerance: Tolerance
) -> tuple[float, float, tuple[int, ...]]:
    """The element that exceeds what is allowed there the most: (difference, allowed, index)."""
    if not expected.is_floating_point() and not expected.is_complex():
        gaps = (expected.to(torch.float64) - actual.to(torch.float64)).abs()
        gaps[expected != actual] = gaps[expected != actual].clamp_min(1.0)
        allowed = torch.zeros((), dtype=torch.float64)
    else:
        gaps = _finite_gaps(expected, actual)
        allowed = tolerance.allowed(name, expected)
    allowed = allowed.nan_to_num(0.0).expand_as(gaps)
    place = int((gaps - allowed).flatten().argmax())
    index = tuple(int(i) for i in torch.unravel_index(torch.tensor(place), gaps.shape)) if gaps.dim() else ()
    return float(gaps.flatten()[place]), float(allowed.flatten()[place]), index


def _finite_gaps(expected: torch.Tensor, actual: torch.Tensor) -> torch.Tensor:
    """|expected - actual|, 0 where both are the same infinity or both NaN."""
    wide = torch.complex128 if expected.is_complex() else torch.float64
    gaps = (expected.to(wide) - actual.to(wide)).abs()
    same = (expected == actual) | (expected.isnan() & actual.isnan())
    return torch.where(same, torch.zeros_like(gaps), gaps).nan_to_num(float("inf"), float("inf"))


def _of(value: float | Mapping[str, float] | None, name: str) -> float | None:
    return value.get(name) if isinstance(value, Mapping) else value


def _short(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
