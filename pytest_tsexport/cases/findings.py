"""case -> result -> findings: the result of one case, and the results of a search."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_tsexport.cases.case import Case

Status = Literal["equal", "raises", "both raise", "eager raises", "wrong", "unsettled"]
"""`unsettled`: a difference that may be a tie-break, and no time was left to find out."""


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
    moves by. `tie_break`: they differ only by a tie-break decided by rounding.
    """

    case: Case
    status: Status
    breach: bool
    difference: Difference | None = None
    nearest: tuple[float, float, str] = (0.0, 0.0, "")
    hidden: Mapping[str, float] = field(default_factory=dict)
    tie_break: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The results of one search, in the order of the visits, and the smallest breach.

    `skipped` are listed cases for which the budget left no time.
    """

    judged: tuple[CaseResult, ...]
    planned: int
    smallest: CaseResult | None = None
    skipped: tuple[Case, ...] = ()

    @property
    def breaches(self) -> tuple[CaseResult, ...]:
        """The cases that break the contract."""
        return tuple(one for one in self.judged if one.breach)

    @property
    def counted(self) -> tuple[CaseResult, ...]:
        """The results that say something about the artifact: verdicts and reports count only these.

        A case that only eager refuses, or that is unsettled, says nothing.
        """
        return tuple(one for one in self.judged if one.status not in ("eager raises", "unsettled"))

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
    def worst(self) -> CaseResult | None:
        """The breach with the largest difference."""
        return max(self.breaches, key=_magnitude, default=None)


def _magnitude(one: CaseResult) -> float:
    if one.difference is None:
        return 0.0
    return float("inf") if math.isnan(one.difference.value) else one.difference.value
