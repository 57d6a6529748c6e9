"""breach -> smaller breach: shrunk along every axis as long as it remains a breach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_tsexport.cases.case import Case, off_size
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

Breaks = Callable[[Case], bool]

SHRINKS = 12
"""How many small sizes are tried one by one along each axis of a breach, before it is bisected."""


def corners(subject: Subject, breaches: Sequence[Case]) -> list[Case]:
    """The smallest breach of every set of axes off the traced size: each may shrink to another corner."""
    smallest_of: dict[tuple[str, ...], Case] = {}
    for case in breaches:
        smallest_of.setdefault(off_size(case, subject), case)
    return list(smallest_of.values())


def shrink(subject: Subject, case: Case, breaks: Breaks) -> Case:
    """The breach with each axis as small as possible, one axis after the other. A real example is not shrunk."""
    if case.example is None:
        for axis in subject.axes:
            case = _least(axis, case, breaks)
    return case


def _least(axis: Axis, case: Case, breaks: Breaks) -> Case:
    """The breach at the smallest size of one axis: small sizes one by one, then bisection."""
    low, size = axis.least, case.size(axis.name)
    right = low - 1
    for right in range(low, min(size, low + SHRINKS)):
        if breaks(_resized(case, axis, right)):
            return _resized(case, axis, right)
    while size - right > 1:
        middle = (right + size) // 2
        if breaks(_resized(case, axis, middle)):
            size = middle
        else:
            right = middle
    return _resized(case, axis, size)


def _resized(case: Case, axis: Axis, size: int) -> Case:
    return replace(case, sizes=tuple({**dict(case.sizes), axis.name: size}.items()))
