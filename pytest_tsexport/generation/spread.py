"""subject -> spread: how much each output leaf moves, and whether there is anything to compare at all.

A zero-init model answers the same whatever it is asked, so every export of it passes: such a subject is refused
as vacuous. bf16 models and small heads are not. (facts: detection, 1 and 4.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from pytest_tsexport.generation.cases import at, tensors
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.reference import Inputs, Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.subjects.values import MASK_PATTERNS, PATTERNS
from pytest_tsexport.tensors.metrics import angles, regrets
from pytest_tsexport.tensors.tolerance import RTOL, Tolerance
from pytest_tsexport.tensors.tree import Leaves

Metric = str | Mapping[str, str] | None

DRAWS = 10
"""Cases that the spread is measured over."""

UNSEEN, SEEN = 2, 100
"""Tolerances that positions move one another by: below the first, a wrong answer would pass as a right one.

A zero-init Longformer moves by none, a freshly built RocBERT by 11 (the least of 70 families), ELECTRA by 69.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The largest standard deviation of each floating leaf over drawn inputs, in the unit of the leaf.

    `flat` are the leaves that do not move, or not in their metric; `vacuous` says why no comparison would mean
    anything, or is None.
    """

    by_leaf: Mapping[str, float]
    flat: tuple[str, ...] = ()
    vacuous: str | None = None


def measure(subject: Subject, reference: Reference, metric: Metric = None) -> Spread:
    """The spread of `subject` at the traced size; what `metric` does not see move is flat."""
    answers = _answers(subject, reference)
    by_name = {name: [leaves[name] for leaves in answers] for name in (answers[0] if answers else ())}
    floating = [name for name, leaves in by_name.items() if _moves_by_degrees(leaves[0])]
    spread = {name: _deviation(by_name[name]) for name in floating}
    compare = Tolerance(metric=metric)
    flat = tuple(n for n in floating if _is_flat(by_name[n], spread[n], compare.metric_of(n, by_name[n][0])))
    vacuous = None
    if answers and _still(by_name, flat, floating):
        seen = "" if metric is None else f", as metric={metric!r} compares them"
        vacuous = f"its outputs do not move when its inputs do{seen}, so any export would pass"
    elif floating and _unmixed(subject, reference, spread):
        vacuous = "its positions hardly touch one another (zero-init weights?), so a wrong export would pass"
    return Spread(by_leaf=spread, flat=flat, vacuous=vacuous)


def _still(by_name: Mapping[str, list[torch.Tensor]], flat: tuple[str, ...], floating: list[str]) -> bool:
    """Whether nothing moves: no floating leaf, or, where there is none, no other."""
    if floating:
        return len(flat) == len(floating)
    return all(_one_shape(leaves) and _deviation(leaves) == 0 for leaves in by_name.values())


def _is_flat(leaves: list[torch.Tensor], spread: float, metric: str) -> bool:
    """Whether a leaf has one shape and one value in all answers, or what is as good as one to its metric."""
    if not _one_shape(leaves):
        return False
    first = leaves[0]
    if spread <= 2 * torch.finfo(first.dtype).eps * max(map(_magnitude, leaves)):
        return True
    if metric == "argmax":
        return not any(gaps.any() for one in leaves for gaps in (regrets(first, one), regrets(one, first)))
    return metric == "cosine" and all(float(angles(first, one).max()) <= RTOL.get(first.dtype, 0.0) for one in leaves)


def _one_shape(leaves: list[torch.Tensor]) -> bool:
    return len({leaf.shape for leaf in leaves}) == 1


def _answers(subject: Subject, reference: Reference) -> list[Leaves]:
    """The answers with the leaves of the first; their shapes may follow from the values that were drawn."""
    found: list[Leaves] = []
    for seed in range(DRAWS):
        values, mask = PATTERNS[0 if seed % 3 else 1], MASK_PATTERNS[seed % len(MASK_PATTERNS)]
        leaves = reference.case(tensors(at(subject, {}, 1000 + seed, values, mask), subject))[0].leaves
        if leaves is not None and (not found or list(leaves) == list(found[0])):
            found.append(leaves)
    return found


def _alike(leaves: Leaves, other: Leaves) -> bool:
    return {n: leaf.shape for n, leaf in leaves.items()} == {n: leaf.shape for n, leaf in other.items()}


def _moves_by_degrees(leaf: torch.Tensor) -> bool:
    return leaf.is_floating_point() or leaf.is_complex()


def _real(leaf: torch.Tensor) -> torch.Tensor:
    return (torch.view_as_real(leaf.resolve_conj()) if leaf.is_complex() else leaf).double()


def _deviation(leaves: list[torch.Tensor]) -> float:
    """Of the place that deviates most; of all values together where the shape moves and no place is one."""
    real = [_real(leaf).nan_to_num(0.0, 0.0, 0.0) for leaf in leaves]
    if not any(leaf.numel() for leaf in real):
        return 0.0
    if _one_shape(leaves):
        return float(torch.stack(real).std(dim=0, correction=0).max())
    return float(torch.cat([leaf.flatten() for leaf in real]).std(correction=0))


def _magnitude(leaf: torch.Tensor) -> float:
    return float(_real(leaf).nan_to_num(0.0, 0.0, 0.0).abs().max()) if leaf.numel() else 0.0


def _unmixed(subject: Subject, reference: Reference, spread: Mapping[str, float]) -> bool:
    """Whether moving one position leaves the others alone only because the weights are too small."""
    axis = next((axis for axis in subject.axes if axis.name != "batch" and axis.size > 1), None)
    if axis is None:
        return False
    single = Reference(_in_single(reference.safe_copy()), subject.constants)
    moved = _moved_others(subject, axis, single)
    if moved is None or any(moved[name] >= UNSEEN * RTOL[torch.float32] * spread.get(name, 0.0) for name in moved):
        return False
    revived = Reference(_rescaled(single.safe_copy()), subject.constants)
    again = _moved_others(subject, axis, revived)
    scale = {name: _deviation([leaves[name] for leaves in _answers(subject, revived)]) for name in again or {}}
    return again is not None and any(again[name] > SEEN * RTOL[torch.float32] * scale[name] > 0 for name in again)


def _in_single(model: nn.Module) -> nn.Module:
    """The model in float32 where it is in half precision, whose rounding would hide what is asked of its weights."""
    halves = (torch.float16, torch.bfloat16)
    return model.float() if any(parameter.dtype in halves for parameter in model.parameters()) else model


def _moved_others(subject: Subject, axis: Axis, reference: Reference) -> dict[str, float] | None:
    """By how much each per-position leaf moves in its second half when the first half is given other values.

    None where no leaf has that axis, or no input can be moved.
    """
    inputs = tensors(at(subject, {}, seed=7), subject)
    other = _first_moved(subject, axis, inputs)
    if other is None:
        return None
    one, two = (reference.case(given)[0].leaves for given in (inputs, other))
    if one is None or two is None or not _alike(one, two):
        return None
    moved = {name: _elsewhere(one[name], two[name], axis.size) for name in one if one[name].is_floating_point()}
    return {name: value for name, value in moved.items() if value is not None} or None


def _first_moved(subject: Subject, axis: Axis, inputs: Inputs) -> dict[str, torch.Tensor] | None:
    """The inputs with the first half of one ids or floats input changed in every row."""
    moved = dict(inputs)
    for field in subject.fields:
        if axis.name in field.dims and field.domain.kind != "mask":
            place = field.dims.index(axis.name)
            changed = inputs[field.name].clone()
            first = changed.narrow(place, 0, axis.size // 2)
            high = max(field.domain.high - field.domain.low, 2)
            floats, low = field.domain.kind == "floats", field.domain.low
            first.copy_(first * -2 + 1 if floats else (first - low + 1) % high + low)
            moved[field.name] = changed
            return moved
    return None


def _elsewhere(one: torch.Tensor, two: torch.Tensor, size: int) -> float | None:
    place = next((place for place, length in enumerate(one.shape) if place and length == size), None)
    if place is None:
        return None
    half = size // 2
    gap = (one.double() - two.double()).narrow(place, half, size - half)
    return _magnitude(gap)


def _rescaled(model: nn.Module) -> nn.Module:
    """A copy of its own whose matrices have standard deviation 2/sqrt(fan_in), drawn anew where they are all equal."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() < 2 or not parameter.is_floating_point():
                continue
            fan_in = parameter.shape[1:].numel()
            if float(parameter.double().std()) == 0.0:
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
            parameter.mul_(2 / fan_in**0.5 / float(parameter.double().std()))
    return model
