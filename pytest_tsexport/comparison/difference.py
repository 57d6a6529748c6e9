"""two answers, tolerance -> where they differ: names, shapes, dtypes, NaNs and values, in that order."""

from __future__ import annotations

import torch

from pytest_tsexport.cases.findings import Difference
from pytest_tsexport.comparison.tolerance import OutputTolerance, Tolerance
from pytest_tsexport.tensors.tree import Leaves


def difference(expected: Leaves, actual: Leaves, tolerance: Tolerance) -> Difference | None:
    """The worst difference of `actual` from `expected`, or None if all of it is within tolerance."""
    return max(differences(expected, actual, tolerance), key=_severity, default=None)


def differences(expected: Leaves, actual: Leaves, tolerance: Tolerance) -> list[Difference]:
    """The difference of each output that has one; a single one for the whole answer if its outputs are not the same."""
    if list(expected) != list(actual):
        return [_structure(expected, actual)]
    found = [_output(expected[name], actual[name], tolerance.of(name)) for name in expected]
    return [one for one in found if one is not None]


def is_above_noise(expected: Leaves, actual: Leaves, tolerance: Tolerance) -> bool:
    """Whether two answers with the same outputs differ by more than any kernel does.

    Outputs about which the user said something are left out: there, the user's word alone counts.
    """
    rulers = [tolerance.of(name) for name in expected]
    return any(
        _output(expected[ruler.name], actual[ruler.name], ruler.noise_only()) is not None
        for ruler in rulers
        if not ruler.given
    )


def distance(expected: Leaves, actual: Leaves, tolerance: Tolerance) -> tuple[float, float, str]:
    """(difference, allowed, output) where two answers come nearest to the tolerance, or exceed it the most."""
    worst = (0.0, 0.0, "")
    share = -1.0
    for name in expected:
        if name in actual and expected[name].shape == actual[name].shape and expected[name].numel():
            ruler = tolerance.of(name)
            gap, allowed, _ = _gap(*ruler.aligned(expected[name], actual[name]), ruler)
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


def _output(expected: torch.Tensor, actual: torch.Tensor, ruler: OutputTolerance) -> Difference | None:
    name, inf = ruler.name, float("inf")
    if expected.shape != actual.shape:
        text = f"{name} has shape {tuple(actual.shape)}, eager's has {tuple(expected.shape)}"
        return Difference(kind="shape", leaf=name, text=text, value=inf, allowed=0.0)
    expected, actual = ruler.aligned(expected, actual)
    if expected.dtype != actual.dtype:
        text = f"{name} is {_short(actual)}, eager's is {_short(expected)}"
        return Difference(kind="dtype", leaf=name, text=text, value=inf, allowed=0.0)
    actual = actual.to(expected.device)
    if torch.equal(expected, actual):  # most answers are equal, and nothing is cheaper to ask
        return None
    if expected.is_floating_point() and not torch.equal(expected.isnan(), actual.isnan()):
        return _nan(name, expected, actual)
    gap, allowed, index = _gap(expected, actual, ruler)
    if gap <= allowed:
        return None
    text = f"{name} {tuple(expected.shape)}: {ruler.describe(expected, gap, allowed, index)}"
    return Difference(kind="value", leaf=name, text=text, value=gap, allowed=allowed, at=str(list(index)))


def _nan(name: str, expected: torch.Tensor, actual: torch.Tensor) -> Difference:
    index = [int(place) for place in (expected.isnan() != actual.isnan()).nonzero()[0]]
    who, other = ("eager", "the artifact") if expected[tuple(index)].isnan() else ("the artifact", "eager")
    text = f"{name} {tuple(expected.shape)}: {who} is NaN at {index}, {other} is not"
    return Difference(kind="nan", leaf=name, text=text, value=float("nan"), allowed=0.0, at=str(index))


def _gap(expected: torch.Tensor, actual: torch.Tensor, ruler: OutputTolerance) -> tuple[float, float, tuple[int, ...]]:
    """The element that exceeds what is allowed there the most: (difference, allowed, index)."""
    gaps, allowed = ruler.gaps(expected, actual)
    allowed = allowed.nan_to_num(0.0).expand_as(gaps)
    place = int((gaps - allowed).flatten().argmax())
    return float(gaps.flatten()[place]), float(allowed.flatten()[place]), _unravelled(place, gaps.shape)


def _unravelled(place: int, shape: torch.Size) -> tuple[int, ...]:
    index: list[int] = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        index.append(rest)
    return tuple(reversed(index))


def _short(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
