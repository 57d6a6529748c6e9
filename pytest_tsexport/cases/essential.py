"""listed cases -> essential cases: those that are judged whatever the budget is.

Nothing is right that did not see them. They are few, and the largest are bounded as those of `listed` are, so that
every machine can afford them. They are chosen from the listed cases: a pattern or an edge that is listed in future is
found here too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

from pytest_tsexport.cases.case import Case, alone, at
from pytest_tsexport.cases.corners import essential_corner
from pytest_tsexport.cases.patterns import every_pattern
from pytest_tsexport.cases.visited_sizes import edge_sizes, farthest_drawn, number_sizes
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

ABOVE = 3
"""Sizes next above the traced one that are essential, besides twice the traced one and the farthest that is drawn."""

FAR = (65, 129)
"""Sizes past the usual windows and blocks, which not every model names; small enough for every machine."""


def essential_at_traced_size(subject: Subject) -> list[Case]:
    """Each pattern of values and each pattern of masks, with all variants. Every case draws every input anew."""
    return list(dict.fromkeys(every_pattern(subject)))


def essential_off_size(subject: Subject, listed: Sequence[Case], numbers: Collection[int] = ()) -> list[Case]:
    """Of the cases at other sizes: each axis alone at its essential sizes, and all axes together twice.

    That is once just above the traced size, and once at the maxima if every machine can hold it.
    `numbers` are those that sizes met while the model was traced. The cases keep the order of `listed`, in which small
    ones come first.
    """
    wanted: set[Case | None] = {essential_corner(subject)}
    wanted |= {alone(subject, axis, size) for axis in subject.free for size in essential_sizes(axis, numbers)}
    together = (case for case in listed if _is_above(subject, case) and not _is_alone(subject, case))
    wanted.update(islice(together, 1))
    return [case for case in listed if case in wanted]


def _is_above(subject: Subject, case: Case) -> bool:
    """Whether the case is larger than the traced one in some axes, and in none smaller."""
    above = all(case.size(axis.name) >= axis.size for axis in subject.free)
    return above and case.volume > at(subject, {}).volume


def _is_alone(subject: Subject, case: Case) -> bool:
    """Whether one axis alone was moved, together with those that follow it."""
    return any(case == alone(subject, axis, case.size(axis.name)) for axis in subject.free)


def essential_sizes(axis: Axis, numbers: Collection[int] = ()) -> list[int]:
    """Of the sizes that are listed: the smallest, the next below, several above, and each edge with its neighbours."""
    sizes = edge_sizes(axis)
    below = [size for size in sizes if size < axis.size]
    above = [size for size in sizes if size > axis.size]
    edges = (*axis.edges, *numbers, *(() if axis.high is None else (axis.high,)))
    near = {edge + step for edge in edges for step in (-1, 0, 1)}
    wanted = {*below[:1], *below[-1:], *above[:ABOVE], 2 * axis.size, farthest_drawn(axis), *FAR, *near}
    return sorted({*sizes, *number_sizes(axis, numbers)} & wanted)
