"""subject -> spread: how much each output leaf moves, and whether there is anything to compare at all.

A zero-init model answers the same whatever it is asked, so every export of it would pass: such a subject is refused
as vacuous. bf16 models and small heads are not. (See docs/explanation/measurements.md#tolerance and
docs/explanation/measurements.md#vacuous-subjects.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from pytest_tsexport.cases.case import at, off_size, tensors
from pytest_tsexport.cases.listed import example_cases
from pytest_tsexport.comparison.metrics import as_real
from pytest_tsexport.comparison.sampling import answers, deviations, one_shape
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.comparison.vacuity import unmixed
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject

Metric = str | Mapping[str, str] | None

Names = tuple[str, ...]

MORE = 50
"""Further cases that are drawn if the choices of the first ones do not move."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """The standard deviation at each place of each floating leaf over drawn inputs, in the unit of the leaf.

    A place that does not move has a spread of 0. `flat` are the leaves that do not move, or that their metric does not
    see move; `vacuous` says why no comparison would mean anything, or is None.
    """

    by_place: Mapping[str, torch.Tensor]
    flat: tuple[str, ...] = ()
    vacuous: str | None = None


def _is_nan(leaf: torch.Tensor) -> bool:
    """Whether there are values, and each is NaN. Not every floating type has the operator, so float64 is asked."""
    return bool(leaf.numel()) and bool(as_real(leaf).isnan().all())


def measure(subject: Subject, reference: Reference, metric: Metric = None) -> Spread:
    """The spread of `subject` at the traced size; what `metric` does not see move is flat."""
    drawn = answers(subject, reference)
    by_name = {name: [leaves[name] for leaves in drawn] for name in (drawn[0] if drawn else ())}
    floating = [name for name, (leaf, *_) in by_name.items() if leaf.is_floating_point() or leaf.is_complex()]
    spread = {name: deviations(by_name[name]) for name in floating}
    still = tuple(name for name in floating if one_shape(by_name[name]) and not spread[name].any())
    flat = still if metric is None else _flat_to(metric, subject, reference, by_name, still)
    vacuous = None
    if floating and all(_is_nan(leaf) for name in floating for leaf in by_name[name]):
        vacuous = "its outputs are NaN whatever its inputs are, so any export would pass"
    elif drawn and _still(by_name, still, floating):
        vacuous = "its outputs do not move when its inputs do, so any export would pass"
    elif floating and len(flat) == len(floating):
        vacuous = f"what metric={metric!r} compares is the same for all inputs, so any export would pass"
    elif floating and unmixed(subject, reference, spread):
        vacuous = "its positions hardly influence one another (zero-init weights?), so a wrong export would pass"
    return Spread(by_place=spread, flat=flat, vacuous=vacuous)


def _still(by_name: Mapping[str, list[torch.Tensor]], flat: tuple[str, ...], floating: list[str]) -> bool:
    """Whether nothing moves: no floating leaf, or no leaf at all if none is floating."""
    if floating:
        return len(flat) == len(floating)
    return all(one_shape(leaves) and not deviations(leaves).any() for leaves in by_name.values())


def _flat_to(
    metric: Metric, subject: Subject, reference: Reference, by_name: Mapping[str, list[torch.Tensor]], still: Names
) -> Names:
    """The leaves that do not move, or that their metric does not see move, over real examples and further draws too."""
    compare = Tolerance(metric=metric)
    same = {name for name, leaves in by_name.items() if _is_same(compare, name, leaves)}
    for case in (*example_cases(subject), *(at(subject, {}, 2000 + seed) for seed in range(MORE))):
        if not same - set(still):
            break
        if not off_size(case, subject):
            more = reference.case(tensors(case, subject))[0].leaves or {}
            same -= {name for name in same & set(more) if not _is_same(compare, name, [by_name[name][0], more[name]])}
    return tuple(name for name in by_name if name in same or name in still)


def _is_same(compare: Tolerance, name: str, leaves: list[torch.Tensor]) -> bool:
    """Whether the metric of a leaf sees no difference from one answer to another; the value is asked elsewhere."""
    first, limit = leaves[0], compare.of(name)
    return one_shape(leaves) and not any(limit.sees(first, one) for one in leaves)
