"""two answers, tolerance -> differences: compares names, shapes, dtypes, NaNs and values, in that order."""

from __future__ import annotations

import torch

from pytest_tsexport.cases.findings import Difference
from pytest_tsexport.comparison.tolerance import OutputTolerance, Tolerance
from pytest_tsexport.tensors.tree import Leaves

LEAST = 1e-300
"""What stands for a tolerance of 0 where times of it are compared."""


def difference(expected: Leaves, actual: Leaves, tolerance: Tolerance) -> Difference | None:
    """The worst difference of `actual` from `expected`; None if every output is within tolerance."""
    return max(differences(expected, actual, tolerance), key=_severity, default=None)


def differences(expected: Leaves, actual: Leaves, tolerance: Tolerance) -> list[Difference]:
    """One difference for each output that exceeds its tolerance; a single one if the names of the outputs differ."""
    if list(expected) != list(actual):
        return [_structure(expected, actual)]
    found = [_output(expected[name], actual[name], tolerance.of(name)) for name in expected]
    return [one for one in found if one is not None]


def exceeding(expected: torch.Tensor, actual: torch.Tensor, limit: OutputTolerance) -> torch.Tensor:
    """The elements of one output, by their metric, that differ by more than is allowed; a NaN of one side differs."""
    gaps, allowed = limit.gaps(expected, actual)
    return gaps > allowed.nan_to_num(0.0, 0.0, 0.0)


def distance(expected: Leaves, actual: Leaves, tolerance: Tolerance) -> tuple[float, float, str]:
    """(difference, allowed, output) where two answers come nearest to the tolerance, or exceed it the most."""
    worst = (0.0, 0.0, "")
    ratio = -1.0
    for name in expected:
        if name in actual and expected[name].shape == actual[name].shape and expected[name].numel():
            limit = tolerance.of(name)
            gap, allowed, _ = _gap(*limit.aligned(expected[name], actual[name]), limit)
            if gap / max(allowed, LEAST) > ratio:
                worst, ratio = (gap, allowed, name), gap / max(allowed, LEAST)
    return worst


def _severity(one: Difference) -> tuple[bool, float]:
    return one.kind != "value", one.value / max(one.allowed, LEAST)


def _structure(expected: Leaves, actual: Leaves) -> Difference:
    missing = [name for name in expected if name not in actual]
    extra = [name for name in actual if name not in expected]
    text = f"eager returns {', '.join(expected) or 'nothing'}; the artifact returns {', '.join(actual) or 'nothing'}"
    leaf = (missing or extra or list(expected))[0]
    return Difference(kind="structure", leaf=leaf, text=text, value=float("inf"), allowed=0.0)


def _output(expected: torch.Tensor, actual: torch.Tensor, limit: OutputTolerance) -> Difference | None:
    name, inf = limit.name, float("inf")
    if expected.shape != actual.shape:
        text = f"{called(name)} has shape {tuple(actual.shape)}, eager's has {tuple(expected.shape)}"
        return Difference(kind="shape", leaf=name, text=text, value=inf, allowed=0.0)
    expected, actual = limit.aligned(expected, actual)
    if expected.dtype != actual.dtype:
        text = f"{called(name)} is {_short(actual)}, eager's is {_short(expected)}"
        return Difference(kind="dtype", leaf=name, text=text, value=inf, allowed=0.0)
    actual = actual.to(expected.device)
    if torch.equal(expected, actual):  # most answers are equal, and this test is the cheapest
        return None
    if expected.is_floating_point() and not torch.equal(expected.isnan(), actual.isnan()):
        return _nan(name, expected, actual)
    gap, allowed, index = _gap(expected, actual, limit)
    if gap <= allowed:
        return None
    text = f"{called(name)} {tuple(expected.shape)}: {limit.describe(expected, gap, allowed, index)}"
    return Difference(kind="value", leaf=name, text=text, value=gap, allowed=allowed, at=str(list(index)))


def called(name: str) -> str:
    """The name of an output in a sentence: those in a tuple have numbers for names."""
    return f"output {name}" if name[:1].isdigit() else name


def _nan(name: str, expected: torch.Tensor, actual: torch.Tensor) -> Difference:
    index = [int(place) for place in (expected.isnan() != actual.isnan()).nonzero()[0]]
    who, other = ("eager", "the artifact") if expected[tuple(index)].isnan() else ("the artifact", "eager")
    text = f"{called(name)} {tuple(expected.shape)}: {who} is NaN at {index}, {other} is not"
    return Difference(kind="nan", leaf=name, text=text, value=float("nan"), allowed=0.0, at=str(index))


def _gap(expected: torch.Tensor, actual: torch.Tensor, limit: OutputTolerance) -> tuple[float, float, tuple[int, ...]]:
    """(difference, allowed, index) of the element that comes nearest to its tolerance, or exceeds it by most times."""
    gaps, allowed = limit.gaps(expected, actual)
    allowed = allowed.nan_to_num(0.0, 0.0, 0.0).expand_as(gaps)
    place = int((gaps / allowed.clamp_min(LEAST)).flatten().argmax())
    return float(gaps.flatten()[place]), float(allowed.flatten()[place]), _unravelled(place, gaps.shape)


def _unravelled(place: int, shape: torch.Size) -> tuple[int, ...]:
    index: list[int] = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        index.append(rest)
    return tuple(reversed(index))


def _short(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
