"""dimensions, eager -> what varies: dimensions that eager takes at other sizes, alone or together, and all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_tsexport.subjects.bound_values import bound_values
from pytest_tsexport.subjects.couplings import Found, rules, step_of
from pytest_tsexport.subjects.domains.lengths import Lengths
from pytest_tsexport.subjects.inquiry import Dimension, Inquiry


@dataclass(frozen=True, slots=True, kw_only=True)
class Varying:
    """How `dimensions` vary that eager refuses alone, the `domains` of values that follow sizes, and what is given up.

    `given_up` has a line for each dimension that varies in no way that was tried: `dim1 (12): eager refuses 13: …`.
    """

    dimensions: Mapping[Dimension, Found]
    domains: Mapping[str, Lengths]
    given_up: Mapping[str, str]


def varying(free: Sequence[Dimension], refused: Sequence[Dimension], inquiry: Inquiry) -> Varying:
    """What is found by asking eager about the dimensions that it takes at one more (`free`), and about the others."""
    if inquiry.refusal({}) is not None:  # it does not run on its example, which is told elsewhere
        return Varying(dimensions={}, domains={}, given_up={})
    bound = bound_values(refused, free, inquiry)
    found = {dimension: Found() for dimension in bound.dimensions}
    for dimension in refused:
        if dimension not in found:
            alone = _alone(dimension, inquiry)
            found |= {} if alone is None else {dimension: alone}
    found |= rules([dimension for dimension in refused if dimension not in found], inquiry)
    lines = {one.name: given_up(one, inquiry) for one in refused if one not in found}
    return Varying(dimensions=found, domains=bound.domains, given_up=lines)


def _alone(dimension: Dimension, inquiry: Inquiry) -> Found | None:
    """How a dimension varies alone: up to the example's size, which may be the model's maximum, or by a step."""
    # A size of 1 may be taken because it broadcasts, which says nothing about others.
    if dimension.size > 2 and inquiry.accepts({dimension: dimension.size - 1}):
        return Found(high=dimension.size)
    step = step_of(dimension, inquiry)
    return None if step is None else Found(step=step)


def given_up(dimension: Dimension, inquiry: Inquiry) -> str:
    """The line about a dimension that is taken as fixed."""
    why = inquiry.refusal({dimension: dimension.size + 1}) or ""
    return f"{dimension.name} ({dimension.size}): eager refuses {dimension.size + 1}: {why}"
