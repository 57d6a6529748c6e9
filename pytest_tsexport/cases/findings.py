"""case -> result -> findings: what one case showed, and all that a search saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_tsexport.cases.case import Case

Status = Literal["equal", "raises", "both raise", "eager raises", "wrong", "unsettled"]
"""`unsettled` is a difference that may be a tie-break, when there is no time left to find out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The place at which two answers differ most beyond what is allowed.

    `kind` is one of structure, shape, dtype, nan, value; `text` describes it without the sizes of the case.
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

    `nearest` is (difference, allowed, leaf) at the place that comes nearest to the tolerance. `above_noise` says that
    the answers differ by more than kernels do, although it is allowed. `tie_break` says that they differ only by a
    tie-break that is decided by rounding.
    """

    case: Case
    status: Status
    breach: bool
    difference: Difference | None = None
    nearest: tuple[float, float, str] = (0.0, 0.0, "")
    above_noise: bool = False
    tie_break: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that a search saw, in this order. `skipped` are listed cases for which the budget left no time."""

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
        """The cases that were compared, or that both refuse. A case that only eager refuses says nothing."""
        return tuple(one for one in self.judged if one.status not in ("eager raises", "unsettled"))

    @property
    def first_breach(self) -> int | None:
        """How many cases were counted up to the first breach, this one included; None if there is no breach."""
        return next((number for number, one in enumerate(self.counted, 1) if one.breach), None)

    @property
    def tie_breaks(self) -> tuple[str, ...]:
        """A note on the cases that differ only by a tie-break."""
        count = sum(one.tie_break for one in self.judged)
        how = "differ only by a tie-break decided by rounding"
        return (f"{count} of {len(self.counted)} cases {how}",) if count else ()

    @property
    def worst(self) -> CaseResult | None:
        """The breach with the largest difference."""
        return max(self.breaches, key=_badness, default=None)


def _badness(one: CaseResult) -> float:
    if one.difference is None:
        return 0.0
    return one.difference.value if one.difference.value == one.difference.value else float("inf")
