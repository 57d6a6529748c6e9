"""case -> result -> findings: the result of one case, and the results of a search."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_tsexport.cases.case import Case
from pytest_tsexport.cases.stand_ins import is_added

Status = Literal["equal", "raises", "both raise", "eager raises", "wrong", "unsettled", "left out"]
"""`unsettled`: a difference that may be a tie-break, and no time was left to find out.

`left out`: values were added to those of the example, and eager refuses them or answers with a whole output of NaN.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where two answers exceed the tolerance the most.

    `kind` is one of structure, shape, dtype, nan, value, raise and overwrite; for a real example also refused and stale
    (see `compare_case`). `text` describes the difference without the sizes of the case.
    """

    kind: str
    leaf: str
    text: str
    value: float
    allowed: float
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case compared: what happened, whether that breaks the contract, and by how much.

    `nearest` is (difference, allowed, leaf) where the answers come nearest to the tolerance. `hidden` is, for each
    output that is not bit-equal, the largest difference that would have passed, as a share of what its place usually
    moves by. `tie_break`: they differ only by a tie-break decided by rounding. `wanted_raise`: both raise, and the
    contract is that the artifact raises, whatever eager does. `instead_of` is the planned case, where eager has no
    answer to it and the example's own values were given.
    """

    case: Case
    status: Status
    breach: bool
    difference: Difference | None = None
    nearest: tuple[float, float, str] = (0.0, 0.0, "")
    hidden: Mapping[str, float] = field(default_factory=dict)
    tie_break: bool = False
    wanted_raise: bool = False
    text: str = ""
    instead_of: Case | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The results of one search, in the order of the visits, and the smallest breach.

    `skipped` are listed cases for which the budget left no time. Of the `essential` cases, the `late` ones were not
    judged, because the time limit was over. `out_of_time`: some case was left out for want of time.
    """

    judged: tuple[CaseResult, ...]
    planned: int
    smallest: CaseResult | None = None
    skipped: tuple[Case, ...] = ()
    essential: int = 0
    late: tuple[Case, ...] = ()
    out_of_time: bool = False

    @property
    def breaches(self) -> tuple[CaseResult, ...]:
        """The cases that break the contract."""
        return tuple(one for one in self.judged if one.breach)

    @property
    def counted(self) -> tuple[CaseResult, ...]:
        """The results that say something about the artifact: verdicts and reports count only these.

        A case that eager refuses says nothing, unless the contract is that the artifact raises and it does. A
        case that is unsettled or that was left out says nothing either.
        """
        return tuple(one for one in self.judged if one.status in ("equal", "wrong", "raises") or one.wanted_raise)

    @property
    def both_raise(self) -> tuple[CaseResult, ...]:
        """The cases that eager and the artifact both refuse, of which nothing was compared."""
        return tuple(one for one in self.judged if one.status == "both raise" and not one.wanted_raise)

    @property
    def first_breach(self) -> int | None:
        """How many cases were counted up to the first breach, this one included; None if there is no breach."""
        return next((number for number, one in enumerate(self.counted, 1) if one.breach), None)

    @property
    def tie_break_notes(self) -> tuple[str, ...]:
        """One note on how many cases differ only by a tie-break; empty if no case does."""
        count = sum(one.tie_break for one in self.judged)
        what = f"{count} of {len(self.counted)} cases"
        return (f"{what} differ only by a tie-break decided by rounding",) if count else ()

    @property
    def both_raise_notes(self) -> tuple[str, ...]:
        """One note on how many cases were not compared because both raise; empty if none is."""
        count = len(self.both_raise)
        return (f"in {count} of {len(self.judged)} cases both raise, so nothing was compared",) if count else ()

    @property
    def worst(self) -> CaseResult | None:
        """The breach with the largest difference, at usual values if there is one."""
        return max(self.breaches, key=lambda one: (not is_added(one.case), _magnitude(one)), default=None)


def _magnitude(one: CaseResult) -> float:
    if one.difference is None:
        return 0.0
    return float("inf") if math.isnan(one.difference.value) else one.difference.value
