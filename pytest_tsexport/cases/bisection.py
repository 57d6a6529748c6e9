"""results -> sizes: what happened at each size of an axis, and between which sizes that changes.

Only cases in which one axis alone leaves its traced size are used: a breach may need two axes, and then says nothing
about one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_tsexport.cases.case import Case, alone, off_size
from pytest_tsexport.cases.findings import CaseResult, Status
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

MAX_BISECTIONS = 4
"""Changes of one axis that are bisected: a fault at every second size has too many."""

_RANK: dict[str, int] = {"wrong": 4, "raises": 3, "equal": 2, "both raise": 1, "eager raises": 0, "unsettled": 0}


def by_size(judged: Sequence[CaseResult], subject: Subject, axis: Axis) -> dict[int, Status]:
    """What happened at each visited size of one axis; if the cases of one size differ, the worst of them counts."""
    sizes: dict[int, Status] = {axis.size: "equal"}
    for one in judged:
        if off_size(one.case, subject) == (axis.name,):
            size = one.case.size(axis.name)
            sizes[size] = max(sizes.get(size, "eager raises"), one.status, key=lambda status: _RANK[status])
    return dict(sorted(sizes.items()))


def bisect_changes(subject: Subject, judged: Callable[[], Sequence[CaseResult]], visit: Callable[[Case], bool]) -> None:
    """Bisect where the status changes along each axis; `visit` returns False if there is no time left."""
    for axis in subject.axes:
        for low, high in list(_changes(by_size(judged(), subject, axis)))[:MAX_BISECTIONS]:
            _Bisection(subject, axis, judged, visit).close_in(low, high)


def _changes(sizes: Mapping[int, Status]) -> Iterator[tuple[int, int]]:
    """Pairs of visited sizes with a different status, and only unvisited ones between them."""
    answered = [(size, status) for size, status in sizes.items() if status in ("wrong", "raises", "equal")]
    for (size, status), (larger, other) in pairwise(answered):
        if status != other and larger - size > 1:
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
        while high - low > 1 and self.visit(alone(self.subject, self.axis, (low + high) // 2)):
            middle = (low + high) // 2
            if self._status(middle) == status:
                low = middle
            else:
                high = middle

    def _status(self, size: int) -> Status | None:
        return by_size(self.judged(), self.subject, self.axis).get(size)
