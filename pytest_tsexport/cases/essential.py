"""subject -> cases: those that are judged whatever the budget is.

Nothing is right that did not see them. They are few, and the largest are bounded as those of `listed` are, so that
every machine can afford them. They are chosen from the listed cases: what is listed there in future is found here too.
"""

from __future__ import annotations

from pytest_tsexport.cases.case import Case, alone
from pytest_tsexport.cases.listed import edge_cases, edge_sizes, farthest_drawn, traced_cases
from pytest_tsexport.subjects.domains.base import MASK_PATTERNS, PATTERNS
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

ABOVE = 3
"""Sizes next above the traced one that are essential, besides twice the traced one and the farthest that is drawn."""

FAR = (65, 129)
"""Sizes past the usual windows and blocks, which not every model names; small enough for every machine."""


def essential_at_traced_size(subject: Subject) -> list[Case]:
    """Each pattern of values once, and each pattern of masks once. Every case draws every input anew."""
    values: set[str] = set()
    masks: set[str] = set()
    cases = []
    for case in traced_cases(subject):
        if len(values) == len(PATTERNS) and len(masks) == len(MASK_PATTERNS):
            break  # what follows are sweeps, thousands of them for a large vocabulary
        if case.values not in values or case.mask not in masks:
            cases.append(case)
        values.add(case.values)
        masks.add(case.mask)
    return cases


def essential_off_size(subject: Subject) -> list[Case]:
    """Each axis alone at its essential sizes, then all axes together a little above the traced size."""
    listed = list(edge_cases(subject))
    traced = alone(subject, subject.axes[0], subject.axes[0].size).volume if subject.axes else 0
    single = {alone(subject, axis, size) for axis in subject.axes for size in edge_sizes(axis)}
    wanted = {alone(subject, axis, size) for axis in subject.axes for size in essential_sizes(axis)}
    together = next((case for case in listed if case not in single and case.volume > traced), None)
    return [case for case in listed if case in wanted or case == together]


def essential_sizes(axis: Axis) -> list[int]:
    """Of the sizes that are listed: the smallest, the next below, several above, and each edge with its neighbours."""
    sizes = edge_sizes(axis)
    above = [size for size in sizes if size > axis.size]
    edges = (*axis.edges, *(() if axis.high is None else (axis.high,)))
    near = {edge + step for edge in edges for step in (-1, 0, 1)}
    below = [size for size in sizes if size < axis.size]
    wanted = {*below[:1], *below[-1:], *above[:ABOVE], 2 * axis.size, farthest_drawn(axis), *FAR, *near}
    return [size for size in sizes if size in wanted]
