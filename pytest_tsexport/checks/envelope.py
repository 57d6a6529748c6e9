"""findings -> envelope: per axis, the sizes that are right, raise, or are silently wrong, as text.

Read off the cases that leave the traced size along one axis alone; borders between visited sizes are not claimed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from pytest_tsexport.generation.cases import off_size
from pytest_tsexport.generation.search import Findings, Status
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

_RANK: dict[str, int] = {"wrong": 4, "raises": 3, "equal": 2, "both raise": 1, "eager raises": 0}


def by_size(findings: Findings, subject: Subject, axis: Axis) -> dict[int, Status]:
    """What happened at each visited size of one axis, the others at the traced size; the worst where cases differ."""
    sizes: dict[int, Status] = {axis.size: "equal"}
    for one in findings.judged:
        if off_size(one.case, subject) == (axis.name,):
            size = one.case.size(axis.name)
            known = sizes.get(size, "eager raises")
            sizes[size] = max(known, one.status, key=lambda status: _RANK[status])
    return dict(sorted(sizes.items()))


def right_for(findings: Findings, subject: Subject) -> str:
    """`batch 2, sequence 1-8        raises for batch 1; wrong from batch 3, and from sequence 9`."""
    right, raises, wrong = [], [], []
    for axis in subject.axes:
        sizes = by_size(findings, subject, axis)
        runs = list(_runs(sizes))
        right.append(f"{axis.name} {', '.join(text for status, text, _ in runs if status == 'equal')}")
        raises += [f"{axis.name} {text}" for status, text, _ in runs if status == "raises"]
        wrong += [f"from {axis.name} {first}" for status, _, first in runs if status == "wrong"][:2]
    tail = [f"raises for {', '.join(raises)}"] if raises else []
    tail += [f"wrong {', and '.join(wrong)}"] if wrong else []
    return f"{', '.join(right)}        {'; '.join(tail)}".rstrip()


def raising(findings: Findings, subject: Subject) -> tuple[str, ...]:
    """Notes for a green line: `batch ≠ 2 raises`, `sequence 33 raises`."""
    notes = []
    for axis in subject.axes:
        sizes = by_size(findings, subject, axis)
        off = {size: status for size, status in sizes.items() if size != axis.size and status in ("equal", "raises")}
        if off and all(status == "raises" for status in off.values()):
            notes.append(f"{axis.name} ≠ {axis.size} raises")
        else:
            notes += [f"{axis.name} {text} raises" for status, text, _ in _runs(sizes) if status == "raises"]
    joint = [one.case for one in findings.judged if one.status == "raises" and len(off_size(one.case, subject)) > 1]
    if joint and not notes:
        notes.append(f"{joint[0]} raises")
    return tuple(notes)


def _runs(sizes: dict[int, Status]) -> Iterator[tuple[str, str, int]]:
    """(status, `3-33`, 3) for each stretch of visited sizes of one status."""
    for status, stretch in groupby(sizes.items(), key=lambda item: item[1]):
        found = [size for size, _ in stretch]
        yield status, f"{found[0]}-{found[-1]}" if len(found) > 1 else str(found[0]), found[0]
