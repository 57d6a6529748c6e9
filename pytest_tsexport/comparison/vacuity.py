"""subject -> whether positions influence one another, or are kept apart only by tiny weights.

What vanishes in a zero-init model is the mixing between positions: its outputs move, and a wrong trace of it is off by
next to nothing. (See docs/explanation/measurements.md#vacuous-subjects.)
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from pytest_tsexport.cases.case import at, tensors
from pytest_tsexport.comparison.factors import KERNELS, RTOL
from pytest_tsexport.comparison.metrics import size_of
from pytest_tsexport.comparison.sampling import answers, deviations, same_shapes, spread_at
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.reference import Inputs, Reference
from pytest_tsexport.subjects.subject import Subject

MINIMUM_INFLUENCE, REVIVED_INFLUENCE = 2, 100
"""How far one position moves the others, in allowed shares of the spread: below the first, a wrong answer would pass.

Above the second, larger weights bring the influence back. A zero-init Longformer has an influence of 0, a freshly built
RocBERT of 11 (the least of 70 families), ELECTRA of 69.
"""


def unmixed(subject: Subject, reference: Reference, spread: Mapping[str, torch.Tensor]) -> bool:
    """Whether moving one position leaves the others alone only because the weights are too small."""
    axis = next((axis for axis in subject.axes if axis.name != "batch" and axis.size > 1), None)
    if axis is None:
        return False
    single = Reference(_in_single(reference.deep_copy()), subject.constants)
    moved = _moved_others(subject, axis, single)
    if moved is None or any(influence(moved[name], spread.get(name)) >= MINIMUM_INFLUENCE for name in moved):
        return False
    revived = Reference(_rescaled(single.deep_copy()), subject.constants)
    after = _moved_others(subject, axis, revived)
    scale = {name: deviations([leaves[name] for leaves in answers(subject, revived)]) for name in after or {}}
    return after is not None and any(
        bool(scale[name].any()) and influence(after[name], scale[name]) > REVIVED_INFLUENCE for name in after
    )


def influence(moved: torch.Tensor, spread: torch.Tensor | None) -> float:
    """The largest movement in shares of the spread at its place; infinite for a leaf that has no spread."""
    if spread is None or not spread.any():
        return float("inf")
    places = spread_at(spread, moved.shape).expand(moved.shape)
    shares = moved[places > 0] / (RTOL[torch.float32] * places[places > 0])
    return float(shares.max()) if shares.numel() else 0.0


def _in_single(model: nn.Module) -> nn.Module:
    """The model in float32 if it is in half precision, whose rounding would hide the influence."""
    halves = (torch.float16, torch.bfloat16)
    return model.float() if any(parameter.dtype in halves for parameter in model.parameters()) else model


def _moved_others(subject: Subject, axis: Axis, reference: Reference) -> dict[str, torch.Tensor] | None:
    """How far each place of a per-position leaf moves in its second half when the first half is given other values.

    None if no leaf has that axis, or if no input can be changed.
    """
    inputs = tensors(at(subject, {}, seed=7), subject)
    other = _first_moved(subject, axis, inputs)
    if other is None:
        return None
    one, two = (reference.case(given)[0].leaves for given in (inputs, other))
    if one is None or two is None or not same_shapes(one, two):
        return None
    moved = {name: _elsewhere(one[name], two[name], axis.size) for name in one if one[name].is_floating_point()}
    return {name: value for name, value in moved.items() if value is not None} or None


def _first_moved(subject: Subject, axis: Axis, inputs: Inputs) -> dict[str, torch.Tensor] | None:
    """The inputs with the first half of one ids or floats input changed in every row."""
    moved = dict(inputs)
    for field in subject.fields:
        other = field.domain.moved(inputs[field.name], subject.sizes) if axis.name in field.dims else None
        if other is not None:
            place, half = field.dims.index(axis.name), axis.size // 2
            changed = inputs[field.name].clone()
            changed.narrow(place, 0, half).copy_(other.narrow(place, 0, half))
            moved[field.name] = changed
            return moved
    return None


def _elsewhere(one: torch.Tensor, two: torch.Tensor, size: int) -> torch.Tensor | None:
    place = next((place for place, length in enumerate(one.shape) if place and length == size), None)
    if place is None:
        return None
    moved = (one.double() - two.double()).nan_to_num(0.0, 0.0, 0.0).abs()
    rounding = KERNELS * torch.finfo(one.dtype).eps * torch.maximum(size_of(one), size_of(two))
    moved = torch.where(moved > rounding, moved, torch.zeros_like(moved))
    moved.narrow(place, 0, size // 2).zero_()
    return moved


def _rescaled(model: nn.Module) -> nn.Module:
    """The model, changed in place: its matrices get a standard deviation of 2/sqrt(fan_in).

    A matrix whose values are all equal is redrawn. One of a single value has no deviation, and stays as it is.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() < 2 or parameter.numel() < 2 or not parameter.is_floating_point():
                continue
            fan_in = parameter.shape[1:].numel()
            if float(parameter.double().std()) == 0.0:
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
            parameter.mul_(2 / fan_in**0.5 / float(parameter.double().std()))
    return model
