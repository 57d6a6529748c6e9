"""results -> sizes: what happened at each size of an axis, and between which sizes that changes.

Only cases in which one axis alone leaves its traced size are used: a breach may need two axes, and then says nothing
about one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_tsexport.cases.case import Case, alone, is_allowed, moved_axes
from pytest_tsexport.cases.findings import CaseResult, Status
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.verdict import Visit

MAX_BISECTIONS = 4
"""Changes of one axis that are bisected: a fault at every second size has too many."""

_RANK: dict[str, int] = {
    "wrong": 4,
    "raises": 3,
    "equal": 2,
    "both raise": 1,
    "eager raises": 0,
    "unsettled": 0,
    "left out": 0,
}


def by_size(judged: Sequence[CaseResult], subject: Subject, axis: Axis) -> dict[int, Status]:
    """What happened at each visited size of one axis; if the cases of one size differ, the worst of them counts."""
    sizes: dict[int, Status] = {axis.size: "equal"}
    for one in judged:
        if moved_axes(one.case, subject) == (axis.name,):
            size = one.case.size(axis.name)
            sizes[size] = max(sizes.get(size, "eager raises"), one.status, key=lambda status: _RANK[status])
    return dict(sorted(sizes.items()))


def visits(judged: Sequence[CaseResult], subject: Subject) -> tuple[Visit, ...]:
    """What happened at each visited size of the free axes; the worst case of a size counts."""
    found: dict[tuple[int, ...], Status] = {}
    for one in judged:
        sizes = tuple(one.case.size(axis.name) for axis in subject.free)
        found[sizes] = max(found.get(sizes, "left out"), one.status, key=lambda status: _RANK[status])
    return tuple(Visit(sizes=sizes, status=found[sizes]) for sizes in sorted(found))


def bisect_changes(subject: Subject, judged: Callable[[], Sequence[CaseResult]], visit: Callable[[Case], bool]) -> None:
    """Bisect where the status changes along each axis; `visit` returns False if there is no time left."""
    for axis in subject.free:
        for low, high in list(_changes(by_size(judged(), subject, axis), axis.step))[:MAX_BISECTIONS]:
            _Bisection(subject, axis, judged, visit).close_in(low, high)


def _changes(sizes: Mapping[int, Status], step: int) -> Iterator[tuple[int, int]]:
    """Pairs of visited sizes with a different status, and only unvisited ones between them."""
    answered = [(size, status) for size, status in sizes.items() if status in ("wrong", "raises", "equal")]
    for (size, status), (larger, other) in pairwise(answered):
        if status != other and larger - size > step:
            yield size, larger


@dataclass(frozen=True, slots=True)
class _Bisection:
    subject: Subject
    axis: Axis
    judged: Callable[[], Sequence[CaseResult]]
    visit: Callable[[Case], bool]

    def close_in(self, low: int, high: int) -> None:
        """Bisect as long as there is time and eager answers."""
        status = self._status(low)
        while high - low > self.axis.step:
            middle = max(self.axis.fitting((low + high) // 2), low + self.axis.step)
            case = alone(self.subject, self.axis, middle)
            if not is_allowed(case, self.subject) or not self.visit(case):
                return
            if self._status(middle) == status:
                low = middle
            else:
                high = middle

    def _status(self, size: int) -> Status | None:
        return by_size(self.judged(), self.subject, self.axis).get(size)
