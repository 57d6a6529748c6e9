"""cases, judge -> findings: judges essential cases, then listed and drawn ones, and shrinks the breaches.

The essential cases are judged whatever the budget is; only a time limit ends them. Further cases (edges, sweeps) are a
list, visited in order as long as the budget lasts. If none of these cases is a breach, hypothesis draws more. For each
set of axes, the smallest breach is then shrunk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from hypothesis import strategies as st

from pytest_tsexport.cases.bisection import bisect_changes
from pytest_tsexport.cases.case import Case, at, is_allowed
from pytest_tsexport.cases.clock import Clock
from pytest_tsexport.cases.findings import CaseResult, Findings
from pytest_tsexport.cases.hypothesis_adapter import Enough, below, smallest
from pytest_tsexport.cases.patterns import masks_of, values_of
from pytest_tsexport.cases.shrinking import corners, shrink
from pytest_tsexport.cases.visited_sizes import farthest_drawn
from pytest_tsexport.subjects.domains.base import MASK_PATTERNS, VALUES
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

DRAWS_PER_CASE = 3
"""Draws for each wanted case: hypothesis draws some cases more than once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to visit: the essential cases, the listed ones, then drawn ones up to `total`.

    The listed cases may name the essential ones again. With `off_size`, sizes are drawn too; without, only values and
    masks at the traced size. `progress` gets one line of text at a time.
    """

    subject: Subject
    essential: Sequence[Case]
    listed: Sequence[Case]
    total: int
    off_size: bool
    random: Random
    clock: Clock
    progress: Callable[[str], None]


def search(plan: Plan, judge: Callable[[Case], CaseResult | None]) -> Findings:
    """Judge the cases of a plan. `judge` returns None for a case that it does not judge.

    The list is finished even after a breach: its results show at which sizes the artifact is right (`envelope`).
    """
    seen = _Seen(plan, judge)
    late = [case for case in plan.essential if not seen.visit_essential(case)]
    skipped = [case for case in plan.listed if not seen.visit(case)]
    drawn = plan.total - len(seen.judged)
    if not seen.breaches() and drawn > 0:
        smallest(_cases(plan), seen.is_drawn_breach, tries=DRAWS_PER_CASE * drawn, random=plan.random)
    for breach in corners(plan.subject, [one.case for one in seen.breaches()]) if plan.off_size else ():
        shrink(plan.subject, breach, seen.is_breach)
    if plan.off_size:
        bisect_changes(plan.subject, seen.all, seen.visit)
    judged = seen.all()
    return Findings(
        judged=judged,
        planned=max(seen.planned, len(judged)),
        smallest=next(iter(seen.breaches()), None),
        skipped=tuple(skipped),
        essential=len(set(plan.essential)),
        late=tuple(dict.fromkeys(late)),
        out_of_time=seen.out_of_time,
    )


class _Seen:
    """The results so far. A case is judged once, so that hypothesis never sees two results of one case."""

    def __init__(self, plan: Plan, judge: Callable[[Case], CaseResult | None]) -> None:
        self._plan = plan
        self._judge = judge
        self._largest = 1, 0.0
        self._no_time: set[Case] = set()
        self._ran_out = False
        self._random = Random(plan.random.randrange(2**32))
        self._seeds: dict[Case, int] = {}
        self.judged: dict[Case, CaseResult | None] = {}
        self.planned = max(plan.total, len({*plan.essential, *plan.listed}))

    @property
    def out_of_time(self) -> bool:
        """Whether some case was left out because there was no time for it."""
        return self._ran_out or bool(self._no_time)

    def visit_essential(self, case: Case) -> bool:
        """Judge a case, however long it takes, unless the time limit is over; return False if it is."""
        if case in self.judged:
            return True
        if not self._plan.clock.allows(essential=True):
            return False
        self._visit(case)
        return True

    def visit(self, case: Case) -> bool:
        """Judge a case if the budget has time for one of its volume; return False if it has not."""
        if case in self.judged:
            return True
        if case in self._no_time or self._plan.clock.left < self._expected_seconds(case):
            self._no_time.add(case)
            return False
        self._visit(case)
        return True

    def _visit(self, case: Case) -> None:
        started = self._plan.clock.now()
        self.judged[case] = self._judge(case)
        self._remember_time(case.volume, self._plan.clock.now() - started)
        done = len(self.judged)
        # Shrinking and bisecting judge more than was planned.
        self._plan.progress(f"{done} of {self.planned} cases" if done <= self.planned else f"{done} cases")

    def _remember_time(self, volume: int, seconds: float) -> None:
        """Remember the time of the largest case. Of equally large cases the fastest counts: a failure takes longer."""
        if volume > self._largest[0] or (volume == self._largest[0] and not 0 < self._largest[1] < seconds):
            self._largest = volume, seconds

    def _expected_seconds(self, case: Case) -> float:
        """The seconds that a case is expected to take, from the largest case so far.

        The exponent lies between 1 (the cost of linear layers) and 2 (the cost of attention).
        """
        volume, seconds = self._largest
        return seconds * math.pow(case.volume / volume, 1.5)

    def is_breach(self, case: Case) -> bool:
        """Whether a case is a breach. If there is no time to judge it, it is not counted as a breach."""
        self.visit(case)
        one = self.judged.get(case)
        return one is not None and one.breach

    def is_drawn_breach(self, case: Case) -> bool:
        """The same for a drawn case. Raises `Enough` if a new case is drawn, and no further one is to be judged.

        That is so once the planned number is reached without a breach, or once the time is over, when hypothesis itself
        would go on. The seed of a new case is replaced by one that is drawn here, because hypothesis likes to reuse
        seeds.
        """
        case = replace(case, seed=self._seeds.setdefault(case, self._random.randrange(2**16)))
        if case not in self.judged and self._is_enough():
            raise Enough
        return self.is_breach(case)

    def _is_enough(self) -> bool:
        if not self._plan.clock.allows(essential=False):
            self._ran_out = True
            return True
        return len(self.judged) >= self._plan.total and not self.breaches()

    def all(self) -> tuple[CaseResult, ...]:
        """The results of all judged cases, in the order of the visits."""
        return tuple(one for one in self.judged.values() if one is not None)

    def breaches(self) -> list[CaseResult]:
        """The breaches so far, smallest first."""
        return sorted((one for one in self.all() if one.breach), key=_smallness)


def _cases(plan: Plan) -> st.SearchStrategy[Case]:
    """The strategy for cases: sizes up to `farthest_drawn`, and every pattern of values and masks."""
    sizes = {a.name: _sizes(a, farthest_drawn(a)) if plan.off_size else st.just(a.size) for a in plan.subject.free}
    patterns, masks = values_of(plan.subject), masks_of(plan.subject)
    drawn = st.builds(
        lambda sizes, seed, values, mask: at(plan.subject, sizes, seed, patterns[values], masks[mask]),
        sizes=st.fixed_dictionaries(sizes),
        seed=below(2**16),
        values=below(len(patterns)),
        mask=below(len(masks)),
    )
    if plan.subject.free == plan.subject.axes:
        return drawn
    return drawn.filter(lambda case: is_allowed(case, plan.subject))


def _sizes(axis: Axis, far: int) -> st.SearchStrategy[int]:
    """The strategy for the sizes of one axis: half of them small, the other half anywhere up to `far`."""
    low = axis.least
    near = min(max(far, low), low + 2 * axis.size)
    return st.one_of(below(near - low + 1), below(max(far, low) - low + 1)).map(lambda size: low + size)


def _smallness(one: CaseResult) -> tuple[object, ...]:
    """Fewest elements first, then simple patterns."""
    case = one.case
    return (
        case.volume,
        tuple(size for _, size in case.sizes),
        VALUES.index(case.values),
        MASK_PATTERNS.index(case.mask),
        case.seed,
    )
