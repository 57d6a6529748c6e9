"""findings -> text: the sizes of each axis that are right, that raise, or that are silently wrong.

They are taken from the cases in which one axis alone leaves its traced size. What is wrong only in combination is
listed separately.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from pytest_tsexport.cases.bisection import by_size
from pytest_tsexport.cases.case import Case, moved_axes
from pytest_tsexport.cases.findings import Findings, Status
from pytest_tsexport.subjects.subject import Subject

MOST = 3
"""Ranges of one axis that are listed: a fault at every second size has too many."""


@dataclass(frozen=True, slots=True)
class Range:
    """Neighbouring visited sizes with the same status. `last` says that eager answered at no larger size.

    Every size from `first` to `whole` was visited, and then some up to `largest`.
    """

    status: Status
    first: int
    whole: int
    largest: int
    last: bool

    def __str__(self) -> str:
        text = str(self.first) if self.first == self.whole else f"{self.first}-{self.whole}"
        return text if self.whole == self.largest else f"{text} … {self.largest}"


def right_for(findings: Findings, subject: Subject) -> str:
    """`batch 2 with sequence 1-8        raises for batch 1; wrong from batch 3, and from sequence 9`."""
    right, raises, wrong = [], [], []
    for axis in subject.free:
        ranges = list(_ranges(by_size(findings.judged, subject, axis)))
        right.append(f"{axis.name} {_listed(ranges, 'equal')}")
        if any(one.status == "raises" for one in ranges):
            raises.append(f"{axis.name} {_listed(ranges, 'raises')}")
        wrong += [_wrong(axis.name, one) for one in ranges if one.status == "wrong"][:2]
    tail = [f"raises for {', '.join(raises)}"] if raises else []
    tail += [f"wrong {', and '.join(wrong)}"] if wrong else []
    joint = _joint(findings, subject)
    tail += [f"wrong in combination from {joint}"] if joint is not None else []
    return f"{' with '.join(right)}        {'; '.join(tail)}".rstrip()


def _listed(ranges: list[Range], status: Status) -> str:
    found = [str(one) for one in ranges if one.status == status]
    return ", ".join(found[:MOST]) + (" …" if len(found) > MOST else "")


def _wrong(axis: str, one: Range) -> str:
    return f"from {axis} {one.first}" if one.last else f"at {axis} {one}"


def _joint(findings: Findings, subject: Subject) -> Case | None:
    """The smallest wrong case off several axes, at sizes of which none is wrong alone."""
    alone = {axis.name: by_size(findings.judged, subject, axis) for axis in subject.free}
    joint = [
        one.case
        for one in findings.judged
        if one.status == "wrong"
        and len(off := moved_axes(one.case, subject)) > 1
        and not any("wrong" in _near(alone[axis], one.case.size(axis)) for axis in off)
    ]
    return min(joint, key=lambda case: case.volume, default=None)


def _near(sizes: Mapping[int, Status], size: int) -> set[Status]:
    """What happens at a size if it was visited; else at the visited ones next to it, since it may be any of that."""
    if size in sizes:
        return {sizes[size]}
    below, above = [one for one in sizes if one < size][-1:], [one for one in sizes if one > size][:1]
    return {sizes[one] for one in (*below, *above)}


def raising(findings: Findings, subject: Subject) -> tuple[str, ...]:
    """Notes on a passed check: `batch ≠ 2 raises`, `sequence 33 raises`."""
    notes = []
    for axis in subject.free:
        sizes = by_size(findings.judged, subject, axis)
        off = {size: status for size, status in sizes.items() if size != axis.size and status in ("equal", "raises")}
        if off and all(status == "raises" for status in off.values()):
            notes.append(f"{axis.name} ≠ {axis.size} raises")
        elif "raises" in off.values():
            notes.append(f"{axis.name} {_listed(list(_ranges(sizes)), 'raises')} raises")
    joint = [one.case for one in findings.judged if one.status == "raises" and len(moved_axes(one.case, subject)) > 1]
    if joint and not notes:
        notes.append(f"{joint[0]} raises")
    return tuple(notes)


def _ranges(sizes: Mapping[int, Status]) -> Iterator[Range]:
    """The ranges of visited sizes with one status, in order."""
    largest = max(size for size, status in sizes.items() if status in ("wrong", "raises", "equal"))
    for status, members in groupby(sizes.items(), key=lambda item: item[1]):
        found = [size for size, _ in members]
        whole = next(size for size in found if size + 1 not in found)
        yield Range(status, found[0], whole, found[-1], found[-1] >= largest)
