"""two answers -> tolerance: a third one joins where a compiler casts: eager on the CPU in the compiler's bits.

What rounding costs a model is measured on the model: the device may be off by a few times what the CPU is off by when
it rounds alike, and never by more than a few times what the casting may cost any model. (facts: neuron, 2.5.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch

from pytest_tsexport.backends.casting import emulated
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.metrics import distances
from pytest_tsexport.comparison.sampling import magnitude
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.subjects.reference import Inputs
from pytest_tsexport.tensors.tree import Leaves

TIMES = 5.0
"""Times that a device may be off by what the CPU is off by: it adds in another order, and rounds in other places."""

MOST = 4.0
"""Times the casting's usual share of the spread, or of the answer: where rounding ruins a model, so is its export.

Of the answer's largest magnitude where that is more: extreme inputs move it beyond the spread of usual ones.
"""

Rounded = Callable[[], Leaves | None]
"""What eager answers to the same inputs in the compiler's bits; asked where there is a difference."""


def rounded(evidence: Evidence, inputs: Inputs) -> Leaves | None:
    """What eager answers on the CPU under the casting of the device; None where it raises, or nothing is emulated."""
    casting = None if evidence.device is None else evidence.device.casting
    if casting is None or casting.dtype is None:
        return None
    with emulated(casting):
        return evidence.reference.case(inputs)[0].leaves


def excused(evidence: Evidence, eager: Leaves, artifact: Leaves, third: Rounded) -> tuple[Leaves, Tolerance]:
    """What to compare eager with, and by which tolerance, once rounding is allowed for."""
    tolerance = evidence.tolerance
    found = None if evidence.device is None else difference(eager, artifact, tolerance)
    alike = third() if found is not None and found.kind == "value" and tolerance.derived else None
    if evidence.device is None or alike is None or list(alike) != list(eager):
        return artifact, tolerance
    share = MOST * evidence.device.casting.share
    most = {name: share * max(tolerance.spread.get(name, 0.0), magnitude(leaf)) for name, leaf in eager.items()}
    slack = {name: min(TIMES * _off(leaf, alike[name]), most[name]) for name, leaf in eager.items()}
    return _agreed(eager, artifact, alike), replace(tolerance, slack=slack)


def _off(expected: torch.Tensor, alike: torch.Tensor) -> float:
    """The largest difference that rounding alone makes; 0 where it makes no number at all, which excuses nothing."""
    if expected.shape != alike.shape or not expected.numel():
        return 0.0
    largest = float(distances(expected, alike).max())
    return largest if math.isfinite(largest) else 0.0


def _agreed(eager: Leaves, artifact: Leaves, alike: Leaves) -> Leaves:
    """The artifact's leaves, with eager's whole numbers where rounding alone makes the artifact's of them."""
    return {
        name: leaf
        if leaf.is_floating_point() or leaf.shape != alike[name].shape
        else torch.where(leaf == alike[name], eager[name], leaf)
        for name, leaf in artifact.items()
    }
