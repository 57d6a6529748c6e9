"""Proves that a border is found to the size, in few visits, and that a search without one pays nothing."""

from __future__ import annotations

import pytest

from pytest_tsexport.cases.bisection import MAX_BISECTIONS, bisect_changes, by_size
from pytest_tsexport.cases.cases import Case, alone
from pytest_tsexport.cases.findings import Judged, Status
from tests.cases.test_cases import BATCH, LENGTH, subject

BOTH = subject(BATCH, LENGTH)


class Looked:
    """Visits that are answered by a rule of the length alone."""

    def __init__(self, rule: dict[int, Status], *sizes: int, patience: int = 99) -> None:
        self._rule = rule
        self._patience = patience
        self.judged: list[Judged] = []
        for size in sizes:
            self._judge(alone(BOTH, LENGTH, size))
        self.visits = 0

    def _judge(self, case: Case) -> None:
        start = max(size for size in self._rule if size <= case.size("length"))
        status = self._rule[start]
        self.judged.append(Judged(case=case, status=status, breach=status == "wrong"))

    def visit(self, case: Case) -> bool:
        self.visits += 1
        if self.visits > self._patience:
            return False
        self._judge(case)
        return True

    def sizes(self) -> dict[int, Status]:
        bisect_changes(BOTH, lambda: self.judged, self.visit)
        return by_size(self.judged, BOTH, LENGTH)


@pytest.mark.parametrize("border", [9, 10, 301, 512])
def test_a_border_is_found_to_the_size(border: int) -> None:
    looked = Looked({1: "equal", border: "wrong"}, 8, 513)
    sizes = looked.sizes()
    assert (sizes[border - 1], sizes[border]) == ("equal", "wrong")
    assert looked.visits <= 10


def test_each_of_several_borders_is_found() -> None:
    sizes = Looked({1: "raises", 5: "equal", 40: "wrong", 100: "raises"}, 1, 33, 65, 129).sizes()
    assert [sizes[size] for size in (4, 5, 39, 40, 99, 100)] == [
        "raises",
        "equal",
        "equal",
        "wrong",
        "wrong",
        "raises",
    ]


def test_where_eager_ends_there_is_no_border() -> None:
    looked = Looked({1: "equal", 49: "both raise"}, 8, 513)
    looked.sizes()
    assert looked.visits == 0


def test_out_of_time_the_border_stays_open() -> None:
    looked = Looked({1: "equal", 301: "wrong"}, 8, 513, patience=2)
    assert set(looked.sizes()) == {7, 8, 260, 386, 513}


def test_a_fault_at_every_second_stretch_is_not_followed_for_ever() -> None:
    rule: dict[int, Status] = {1: "equal"}
    rule |= {start: "wrong" if start % 20 else "equal" for start in range(10, 200, 10)}
    looked = Looked(rule, *range(5, 200, 10))
    looked.sizes()
    assert looked.visits <= MAX_BISECTIONS * 5
