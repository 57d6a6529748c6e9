"""breach -> smaller breach: shrunk along every axis as long as it remains a breach."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_tsexport.cases.case import Case, is_allowed, moved_axes, resized
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

Breaks = Callable[[Case], bool]

SHRINKS = 12
"""How many small sizes are tried one by one along each axis of a breach, before it is bisected."""


def corners(subject: Subject, breaches: Sequence[Case]) -> list[Case]:
    """The smallest breach of every set of axes off the traced size: each may shrink to another corner."""
    smallest_of: dict[tuple[str, ...], Case] = {}
    for case in breaches:
        smallest_of.setdefault(moved_axes(case, subject), case)
    return list(smallest_of.values())


def shrink(subject: Subject, case: Case, breaks: Breaks) -> Case:
    """The breach with each axis as small as possible, one axis after the other. A real example is not shrunk."""
    if case.example is None:
        for axis in subject.free:
            case = _least(subject, axis, case, breaks)
    return case


def _least(subject: Subject, axis: Axis, case: Case, breaks: Breaks) -> Case:
    """The breach at the smallest size of one axis: small sizes one by one, then bisection over the steps."""

    def breaks_at(size: int) -> bool:
        smaller = resized(case, subject, axis, size)
        return is_allowed(smaller, subject) and breaks(smaller)

    low, size, step = axis.fitting(axis.least), case.size(axis.name), axis.step
    right = low - step
    for right in range(low, min(size, low + SHRINKS * step), step):
        if breaks_at(right):
            return resized(case, subject, axis, right)
    while size - right > step:
        middle = max(axis.fitting((right + size) // 2), right + step)
        if breaks_at(middle):
            size = middle
        else:
            right = middle
    return resized(case, subject, axis, size)
