"""eager, artifact -> what is compared, by which tolerance, where a compiler casts to fewer bits.

What rounding costs a model is measured on the model: eager is run on the CPU under the compiler's casting, and the
tolerance is widened by the emulated rounding error. (See docs/explanation/neuron-sdk.md#numerics.)
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from pytest_tsexport.backends.casting import emulated
from pytest_tsexport.comparison.difference import differences
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.subjects.reference import Inputs
from pytest_tsexport.tensors.tree import Leaves

Emulate = Callable[[], Leaves | None]
"""Gives what eager answers to the same inputs in the compiler's bits; called only if there is a difference."""


def emulated_answer(evidence: Evidence, inputs: Inputs) -> Leaves | None:
    """What eager answers on the CPU under the device's casting; None if it raises, or if nothing is emulated."""
    casting = None if evidence.device is None else evidence.device.casting
    if casting is None or casting.dtype is None:
        return None
    with emulated(casting):
        return evidence.reference.case(inputs)[0].leaves


def allow_rounding(evidence: Evidence, eager: Leaves, artifact: Leaves, emulate: Emulate) -> tuple[Leaves, Tolerance]:
    """What to compare with eager, and by which tolerance, once rounding is allowed for.

    Only outputs about which the user said nothing get more room.
    """
    tolerance = evidence.tolerance
    if evidence.device is None or not _may_be_rounding(eager, artifact, tolerance):
        return artifact, tolerance
    rounded = emulate()
    if rounded is None or list(rounded) != list(eager):
        return artifact, tolerance
    return _agreed(eager, artifact, rounded, tolerance), tolerance.widened(eager, rounded)


def _may_be_rounding(eager: Leaves, artifact: Leaves, tolerance: Tolerance) -> bool:
    """Whether all that differs are values, some of them in an output that may be widened."""
    found = differences(eager, artifact, tolerance)
    return all(one.kind == "value" for one in found) and any(not tolerance.of(one.leaf).given for one in found)


def _agreed(eager: Leaves, artifact: Leaves, rounded: Leaves, tolerance: Tolerance) -> Leaves:
    """The artifact's leaves, with eager's integers and booleans wherever rounding alone gives the artifact's."""
    return {
        name: leaf
        if leaf.is_floating_point() or leaf.shape != rounded[name].shape or tolerance.of(name).given
        else torch.where(leaf == rounded[name], eager[name], leaf)
        for name, leaf in artifact.items()
    }
