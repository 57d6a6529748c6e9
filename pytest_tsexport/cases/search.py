"""cases, judge -> findings: listed cases first, then drawn ones, and the smallest breach of all.

Cases that must be visited (examples, edges) are a list, visited in order. If it has no breach, hypothesis draws more.
The smallest breach of each kind is then shrunk.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import strategies as st

from pytest_tsexport.cases.bisection import bisect_changes
from pytest_tsexport.cases.case import Case, at
from pytest_tsexport.cases.findings import CaseResult, Findings
from pytest_tsexport.cases.hypothesis_adapter import below, smallest
from pytest_tsexport.cases.listed import farthest_drawn
from pytest_tsexport.cases.shrinking import corners, shrink
from pytest_tsexport.subjects.domains.base import MASK_PATTERNS, PATTERNS
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

REPEATS = 3
"""How many times as many cases are drawn as are wanted: some are drawn twice."""


@dataclass(kw_only=True)
class Clock:
    """How long a search may take: `seconds` from the moment that this is made."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """The seconds that are left; negative once the time is over."""
        return self.started + self.seconds - time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to visit: the listed cases, then drawn ones up to `total`.

    With `off_size` sizes are drawn too, otherwise only values and masks at the traced size. `tell` gets the progress.
    """

    subject: Subject
    listed: Sequence[Case]
    total: int
    off_size: bool
    random: Random
    clock: Clock
    tell: Callable[[str], None]


def search(plan: Plan, judge: Callable[[Case], CaseResult | None]) -> Findings:
    """Judge the listed cases, then drawn ones. `judge` returns None for a case that it does not judge.

    The list is finished even after a breach, because the envelope is made from its results.
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
    """The results so far. A case is judged once, so that hypothesis never sees two results of one case."""

    def __init__(self, plan: Plan, judge: Callable[[Case], CaseResult | None]) -> None:
        self._plan = plan
        self._judge = judge
        self._largest = 1, 0.0
        self._refused: set[Case] = set()
        self._random = Random(plan.random.randrange(2**32))
        self._seeds: dict[Case, int] = {}
        self.judged: dict[Case, CaseResult | None] = {}

    def visit(self, case: Case) -> bool:
        """Judge a case if there is time for one of its volume; return False if there is not."""
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
        """Remember the time of the largest case; the shortest time of equals, because explaining takes longer."""
        if volume > self._largest[0] or (volume == self._largest[0] and not 0 < self._largest[1] < seconds):
            self._largest = volume, seconds

    def _price(self, case: Case) -> float:
        """The seconds that a case may take, estimated from the largest one so far.

        The exponent is between 1, with which the layers grow, and 2, with which attention grows.
        """
        volume, seconds = self._largest
        return seconds * math.pow(case.volume / volume, 1.5)

    def breaks(self, case: Case) -> bool:
        """Whether a case is a breach; one for which there is no time is not judged, and counts as no breach."""
        self.visit(case)
        one = self.judged.get(case)
        return one is not None and one.breach

    def drawn_breaks(self, case: Case) -> bool:
        """The same for a drawn case, until as many are judged as planned: hypothesis draws some cases twice.

        Each new case gets a seed from here, because hypothesis repeats parts of what it drew, seeds among them.
        """
        case = replace(case, seed=self._seeds.setdefault(case, self._random.randrange(2**16)))
        enough = len(self.judged) >= self._plan.total and not self.breaches()
        return self.breaks(case) if not enough or case in self.judged else False

    def all(self) -> tuple[CaseResult, ...]:
        """The results of all judged cases, in the order of the visits."""
        return tuple(one for one in self.judged.values() if one is not None)

    def breaches(self) -> list[CaseResult]:
        """The breaches so far, smallest first."""
        return sorted((one for one in self.all() if one.breach), key=_smallness)


def _cases(plan: Plan) -> st.SearchStrategy[Case]:
    """Drawn cases: sizes up to the farthest, which shrink to small ones, and every pattern of values and masks."""
    sizes = {a.name: _sizes(a, farthest_drawn(a)) if plan.off_size else st.just(a.size) for a in plan.subject.axes}
    return st.builds(
        lambda sizes, seed, values, mask: at(plan.subject, sizes, seed, PATTERNS[values], MASK_PATTERNS[mask]),
        sizes=st.fixed_dictionaries(sizes),
        seed=below(2**16),
        values=below(len(PATTERNS)),
        mask=below(len(MASK_PATTERNS)),
    )


def _sizes(axis: Axis, far: int) -> st.SearchStrategy[int]:
    """Half of the sizes are small, where faults shrink to; the other half is anywhere up to `far`."""
    low = max(axis.low, 1)
    near = min(max(far, low), low + 2 * axis.size)
    return st.one_of(below(near - low + 1), below(max(far, low) - low + 1)).map(lambda size: low + size)


def _smallness(one: CaseResult) -> tuple[object, ...]:
    """Fewest elements first, then simple patterns."""
    case = one.case
    return (
        case.volume,
        tuple(size for _, size in case.sizes),
        PATTERNS.index(case.values),
        MASK_PATTERNS.index(case.mask),
        case.seed,
    )
