"""two answers -> where they differ: names, shapes, dtypes, NaNs, values, in that order."""

from __future__ import annotations

import torch

from pytest_tsexport.cases.findings import Difference
from pytest_tsexport.comparison.metrics import angles, distances, mistakes, regrets
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.tensors.tree import Leaves


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
            one, other = _alike(expected[name], actual[name]) if tolerance.cast else (expected[name], actual[name])
            gap, allowed, _ = _gap(name, one, other, tolerance)
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
    if tolerance.cast:
        expected, actual = _alike(expected, actual)
    if expected.dtype != actual.dtype:
        text = f"{name} is {_short(actual)}, eager's is {_short(expected)}"
        return Difference(kind="dtype", leaf=name, text=text, value=inf, allowed=0.0)
    actual = actual.to(expected.device)
    if torch.equal(expected, actual):  # most answers are, and nothing is cheaper to ask
        return None
    if expected.is_floating_point() and not torch.equal(expected.isnan(), actual.isnan()):
        return _nan(name, expected, actual)
    gap, allowed, index = _gap(name, expected, actual, tolerance)
    if gap <= allowed:
        return None
    text = f"{name} {tuple(expected.shape)}: {_told(tolerance.metric_of(name, expected), gap, allowed, index)}"
    return Difference(kind="value", leaf=name, text=text, value=gap, allowed=allowed, at=str(list(index)))


def _alike(expected: torch.Tensor, actual: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both in the coarser of two floating types, whose tolerance is the one to be judged by."""
    if not expected.is_floating_point() or not actual.is_floating_point():
        return expected, actual
    coarser = max(expected.dtype, actual.dtype, key=lambda dtype: torch.finfo(dtype).eps)
    return expected.to(coarser), actual.to(coarser)


def _nan(name: str, expected: torch.Tensor, actual: torch.Tensor) -> Difference:
    index = [int(place) for place in (expected.isnan() != actual.isnan()).nonzero()[0]]
    who, other = ("eager", "the artifact") if expected[tuple(index)].isnan() else ("the artifact", "eager")
    text = f"{name} {tuple(expected.shape)}: {who} is NaN at {index}, {other} is not"
    return Difference(kind="nan", leaf=name, text=text, value=float("nan"), allowed=0.0, at=str(index))


def _gap(
    name: str, expected: torch.Tensor, actual: torch.Tensor, tolerance: Tolerance
) -> tuple[float, float, tuple[int, ...]]:
    """The place that exceeds what is allowed there the most: (difference, allowed, index)."""
    gaps, allowed = _gaps(name, expected, actual, tolerance)
    allowed = allowed.nan_to_num(0.0).expand_as(gaps)
    place = int((gaps - allowed).flatten().argmax())
    return float(gaps.flatten()[place]), float(allowed.flatten()[place]), _unravelled(place, gaps.shape)


def _unravelled(place: int, shape: torch.Size) -> tuple[int, ...]:
    index: list[int] = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        index.append(rest)
    return tuple(reversed(index))


def _gaps(
    name: str, expected: torch.Tensor, actual: torch.Tensor, tolerance: Tolerance
) -> tuple[torch.Tensor, torch.Tensor]:
    """By place, how far apart the leaves are in the metric of this one, and how far they may be."""
    if not expected.is_floating_point() and not expected.is_complex():
        return mistakes(expected, actual), torch.zeros((), dtype=torch.float64)
    metric = tolerance.metric_of(name, expected)
    if metric == "argmax":
        return regrets(expected, actual), tolerance.allowed(name, expected.amax(-1)).clamp_min(0.0)
    if metric == "cosine":
        return angles(expected, actual), tolerance.angle(name, expected)
    return distances(expected, actual), tolerance.allowed(name, expected)


def _told(metric: str, gap: float, allowed: float, index: tuple[int, ...]) -> str:
    at = f" at {list(index)}" if index else ""
    if metric == "argmax":
        return f"another argmax{at}, whose value is {gap:.1e} less in eager, allowed {allowed:.1e}"
    if metric == "cosine":
        return f"cosine similarity {1 - gap:.6f}{at}, allowed {1 - allowed:.6f}"
    return f"off by {gap:.1e} at {list(index)}, allowed {allowed:.1e}"


def _short(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
