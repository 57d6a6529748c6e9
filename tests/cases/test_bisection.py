"""Proves that the size at which the status changes is found exactly and in few visits, and only if there is one."""

from __future__ import annotations

import pytest

from pytest_tsexport.cases.bisection import bisect_changes, by_size, visits
from pytest_tsexport.cases.case import Case, alone, at
from pytest_tsexport.cases.findings import CaseResult, Status
from pytest_tsexport.verdict import Visit
from tests.cases.small_subjects import BATCH, LENGTH, subject

BOTH = subject(BATCH, LENGTH)


class Visits:
    """Visits with a result that follows from the length alone."""

    def __init__(self, rule: dict[int, Status], *sizes: int, patience: int = 99) -> None:
        self._rule = rule
        self._patience = patience
        self.judged: list[CaseResult] = []
        for size in sizes:
            self._judge(alone(BOTH, LENGTH, size))
        self.visits = 0

    def _judge(self, case: Case) -> None:
        start = max(size for size in self._rule if size <= case.size("length"))
        status = self._rule[start]
        self.judged.append(CaseResult(case=case, status=status, breach=status == "wrong"))

    def visit(self, case: Case) -> bool:
        self.visits += 1
        if self.visits > self._patience:
            return False
        self._judge(case)
        return True

    def sizes(self) -> dict[int, Status]:
        bisect_changes(BOTH, lambda: self.judged, self.visit)
        return by_size(self.judged, BOTH, LENGTH)


@pytest.mark.parametrize("change", [9, 10, 301, 512])
def test_the_size_of_a_change_is_found_exactly(change: int) -> None:
    visits = Visits({1: "equal", change: "wrong"}, 8, 513)
    sizes = visits.sizes()
    assert (sizes[change - 1], sizes[change]) == ("equal", "wrong")
    assert visits.visits <= 10


def test_each_of_several_changes_is_found() -> None:
    sizes = Visits({1: "raises", 5: "equal", 40: "wrong", 100: "raises"}, 1, 33, 65, 129).sizes()
    assert [sizes[size] for size in (4, 5, 39, 40, 99, 100)] == [
        "raises",
        "equal",
        "equal",
        "wrong",
        "wrong",
        "raises",
    ]


def test_the_largest_size_that_eager_takes_is_not_a_change() -> None:
    visits = Visits({1: "equal", 49: "both raise"}, 8, 513)
    visits.sizes()
    assert visits.visits == 0


def test_without_time_the_bisection_stops() -> None:
    visits = Visits({1: "equal", 301: "wrong"}, 8, 513, patience=2)
    assert set(visits.sizes()) == {7, 8, 260, 386, 513}


def test_no_more_than_a_few_changes_are_bisected() -> None:
    rule: dict[int, Status] = {1: "equal"}
    rule |= {start: "wrong" if start % 20 else "equal" for start in range(10, 200, 10)}
    visits = Visits(rule, *range(5, 200, 10))
    visits.sizes()
    assert visits.visits == 15  # four bisections of at most four visits


def test_the_worst_answer_at_a_size_is_its_visit() -> None:
    sizes = {"batch": 3, "length": 9}
    statuses: tuple[Status, ...] = ("left out", "eager raises", "equal", "wrong", "raises", "unsettled")
    judged = [
        CaseResult(case=at(BOTH, sizes, seed=seed), status=status, breach=status == "wrong")
        for seed, status in enumerate(statuses)
    ]
    judged.append(CaseResult(case=at(BOTH, {"batch": 1}), status="left out", breach=False))
    assert visits(judged, BOTH) == (
        Visit(sizes=(1, LENGTH.size), status="left out"),
        Visit(sizes=(3, 9), status="wrong"),
    )
