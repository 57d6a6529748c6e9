"""cases, judge -> findings: small sizes first, then drawn ones, and the smallest breach of all.

What must be looked at (examples, edges) is a list, visited in order; what may be looked at is drawn by hypothesis,
where the list holds no breach. The smallest breach of each kind is then made smaller still.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import strategies as st

from pytest_tsexport.cases.bisection import bisect_changes
from pytest_tsexport.cases.cases import Case, at, reach
from pytest_tsexport.cases.findings import Findings, Judged
from pytest_tsexport.cases.hypothesis_adapter import below, smallest
from pytest_tsexport.cases.shrinking import corners, shrink
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.subjects.values import MASK_PATTERNS, PATTERNS

REPEATS = 3
"""Times as many cases are drawn as are wanted: some come twice."""


@dataclass(kw_only=True)
class Clock:
    """How long a search may go on: `seconds` from its making, as a deadline that can be asked."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds that are left, below 0 where they are spent."""
        return self.started + self.seconds - time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to visit: the listed cases, then as many drawn ones as `total` leaves room for.

    `off_size` draws sizes too; otherwise only values and masks at the traced size.
    """

    subject: Subject
    listed: Sequence[Case]
    total: int
    off_size: bool
    random: Random
    clock: Clock
    tell: Callable[[str], None]


def search(plan: Plan, judge: Callable[[Case], Judged | None]) -> Findings:
    """Judge the listed cases, then drawn ones; `judge` gives None for a case that is none (eager's domain ends).

    The list is finished even after a breach: its verdicts make the envelope.
    """
    seen = _Seen(plan, judge)
    skipped = [case for case in plan.listed if not seen.visit(case)]
    drawn = plan.total - len(seen.judged)
    if not seen.breaches() and drawn > 0:
        smallest(_cases(plan), seen.drawn_breaks, tries=REPEATS * drawn, random=plan.random)
    for breach in corners(plan.subject, [one.case for one in seen.breaches()]) if plan.off_size else ():
        shrink(plan.subject, breach, seen.breaks)
    if plan.off_size:
        bisect_changes(plan.subject, seen.all, seen.visit)
    judged = seen.all()
    planned = max(plan.total, len(plan.listed), len(judged))
    return Findings(judged=judged, planned=planned, smallest=next(iter(seen.breaches()), None), skipped=tuple(skipped))


class _Seen:
    """What has been judged so far; a case is judged once, so that hypothesis never sees it flip."""

    def __init__(self, plan: Plan, judge: Callable[[Case], Judged | None]) -> None:
        self._plan = plan
        self._judge = judge
        self._largest = 1, 0.0
        self._refused: set[Case] = set()
        self._random = Random(plan.random.randrange(2**32))
        self._seeds: dict[Case, int] = {}
        self.judged: dict[Case, Judged | None] = {}

    def visit(self, case: Case) -> bool:
        """Judge a case if there is time for one of its volume; False where there is not."""
        if case in self.judged:
            return True
        if case in self._refused or self._plan.clock.left < self._price(case) * (len(self.judged) > 1):
            self._refused.add(case)
            return False
        started = time.monotonic()
        self.judged[case] = self._judge(case)
        self._learn(case.volume, time.monotonic() - started)
        self._plan.tell(f"{len(self.judged)} of {max(self._plan.total, len(self._plan.listed))} cases")
        return True

    def _learn(self, volume: int, seconds: float) -> None:
        """What the largest case took; of those as large, the quickest: to look into a difference takes longer."""
        if volume > self._largest[0] or (volume == self._largest[0] and not 0 < self._largest[1] < seconds):
            self._largest = volume, seconds

    def _price(self, case: Case) -> float:
        """Seconds that a case may take, from the largest one so far: between a layer's growth and attention's."""
        volume, seconds = self._largest
        return seconds * math.pow(case.volume / volume, 1.5)

    def breaks(self, case: Case) -> bool:
        """Whether a drawn case is a breach; an unaffordable one is not looked at, and so is none."""
        self.visit(case)
        one = self.judged.get(case)
        return one is not None and one.breach

    def drawn_breaks(self, case: Case) -> bool:
        """The same, until as many were judged as planned: hypothesis draws some cases twice.

        Values are drawn anew for each new case: hypothesis repeats parts of what it drew, seeds among them.
        """
        case = replace(case, seed=self._seeds.setdefault(case, self._random.randrange(2**16)))
        enough = len(self.judged) >= self._plan.total and not self.breaches()
        return self.breaks(case) if not enough or case in self.judged else False

    def all(self) -> tuple[Judged, ...]:
        """Every case that was one, in the order of visits."""
        return tuple(one for one in self.judged.values() if one is not None)

    def breaches(self) -> list[Judged]:
        """The breaches so far, smallest first."""
        return sorted((one for one in self.all() if one.breach), key=_smallness)


def _cases(plan: Plan) -> st.SearchStrategy[Case]:
    """Drawn cases: sizes in reach, shrinking to small ones; values and masks of every pattern."""
    sizes = {a.name: _sizes(a, reach(a)) if plan.off_size else st.just(a.size) for a in plan.subject.axes}
    return st.builds(
        lambda sizes, seed, values, mask: at(plan.subject, sizes, seed, PATTERNS[values], MASK_PATTERNS[mask]),
        sizes=st.fixed_dictionaries(sizes),
        seed=below(2**16),
        values=below(len(PATTERNS)),
        mask=below(len(MASK_PATTERNS)),
    )


def _sizes(axis: Axis, far: int) -> st.SearchStrategy[int]:
    """Half near the small end, where faults shrink to, half anywhere in reach."""
    low = max(axis.low, 1)
    near = min(max(far, low), low + 2 * axis.size)
    return st.one_of(below(near - low + 1), below(max(far, low) - low + 1)).map(lambda size: low + size)


def _smallness(one: Judged) -> tuple[object, ...]:
    """Fewest elements first, a listed spread before a drawn one."""
    case = one.case
    return (
        case.volume,
        tuple(size for _, size in case.sizes),
        PATTERNS.index(case.values),
        MASK_PATTERNS.index(case.mask),
        case.seed,
    )
