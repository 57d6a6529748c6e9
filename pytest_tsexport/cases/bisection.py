"""judged cases -> borders: per axis, what happened at each size, and between which sizes that changes.

One axis at a time from the traced size: a breach may be joint, and says nothing of either axis then (facts:
detection, 10). Where something is wrong, so is whatever lies above the noise floor: a difference begins small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_tsexport.cases.cases import Case, alone, off_size
from pytest_tsexport.cases.findings import Judged, Status
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

MAX_BISECTIONS = 4
"""Borders of one axis that are looked for: a fault at every second size has too many."""

_RANK: dict[str, int] = {"wrong": 4, "raises": 3, "equal": 2, "both raise": 1, "eager raises": 0, "unsettled": 0}


def by_size(judged: Sequence[Judged], subject: Subject, axis: Axis) -> dict[int, Status]:
    """What happened at each visited size of one axis, the others at the traced size; the worst where cases differ."""
    somewhere_wrong = any(one.status == "wrong" for one in judged)
    sizes: dict[int, Status] = {axis.size: "equal"}
    for one in judged:
        if off_size(one.case, subject) == (axis.name,):
            size = one.case.size(axis.name)
            status: Status = "wrong" if somewhere_wrong and one.above_noise else one.status
            sizes[size] = max(sizes.get(size, "eager raises"), status, key=lambda status: _RANK[status])
    return dict(sorted(sizes.items()))


def bisect_changes(subject: Subject, judged: Callable[[], Sequence[Judged]], visit: Callable[[Case], bool]) -> None:
    """Visit sizes between two that ended otherwise, until they are neighbours; `visit` says False out of time."""
    for axis in subject.axes:
        for low, high in list(_changes(by_size(judged(), subject, axis)))[:MAX_BISECTIONS]:
            _Bisection(subject, axis, judged, visit).close_in(low, high)


def _changes(sizes: Mapping[int, Status]) -> Iterator[tuple[int, int]]:
    """Neighbouring visited sizes that ended otherwise, with unvisited ones between them."""
    answered = [(size, status) for size, status in sizes.items() if status in ("wrong", "raises", "equal")]
    for (size, status), (larger, other) in pairwise(answered):
        if status != other and larger - size > 1:
            yield size, larger


@dataclass(frozen=True, slots=True)
class _Bisection:
    subject: Subject
    axis: Axis
    judged: Callable[[], Sequence[Judged]]
    visit: Callable[[Case], bool]

    def close_in(self, low: int, high: int) -> None:
        """Bisection, as long as there is time and eager answers."""
        status = self._status(low)
        while high - low > 1 and self.visit(alone(self.subject, self.axis, (low + high) // 2)):
            middle = (low + high) // 2
            if self._status(middle) == status:
                low = middle
            else:
                high = middle

    def _status(self, size: int) -> Status | None:
        return by_size(self.judged(), self.subject, self.axis).get(size)
