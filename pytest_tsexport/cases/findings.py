"""case -> judged -> findings: what one case showed, and all that a search saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_tsexport.cases.cases import Case

Status = Literal["equal", "raises", "both raise", "eager raises", "wrong", "unsettled"]
"""`unsettled` is a difference that may be a tie, where the time to find out is spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The worst place at which two answers differ beyond what is allowed.

    `kind` is one of structure, shape, dtype, nan, value; `text` says it in words without sizes of the case.
    """

    kind: str
    leaf: str
    text: str
    value: float
    allowed: float
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One case compared: what happened, whether that breaks the promise, and by how much.

    `nearest` is (difference, allowed, leaf) where the answers came nearest to the tolerance; `above_noise` tells that
    they differ by more than any kernel does, though it is allowed; `tie` that they differ by a choice alone that turns
    on the last bit.
    """

    case: Case
    status: Status
    breach: bool
    difference: Difference | None = None
    nearest: tuple[float, float, str] = (0.0, 0.0, "")
    above_noise: bool = False
    tie: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that a search saw, in the order it saw it; `skipped` are listed cases that the budget had no room for."""

    judged: tuple[Judged, ...]
    planned: int
    smallest: Judged | None = None
    skipped: tuple[Case, ...] = ()

    @property
    def breaches(self) -> tuple[Judged, ...]:
        """The cases that break the promise."""
        return tuple(one for one in self.judged if one.breach)

    @property
    def counted(self) -> tuple[Judged, ...]:
        """The cases that were compared, or that both refuse: what eager alone refuses says nothing."""
        return tuple(one for one in self.judged if one.status not in ("eager raises", "unsettled"))

    @property
    def first_breach(self) -> int | None:
        """How many cases were counted until one broke the promise, that one included; None where none did."""
        return next((number for number, one in enumerate(self.counted, 1) if one.breach), None)

    @property
    def tied(self) -> tuple[str, ...]:
        """A note on the cases that only a tie kept from being equal."""
        ties = sum(one.tie for one in self.judged)
        how = "by a choice that turns on the last bit, and no more"
        return (f"{ties} of {len(self.counted)} cases differ {how}",) if ties else ()

    @property
    def worst(self) -> Judged | None:
        """The breach that is furthest off."""
        return max(self.breaches, key=_badness, default=None)


def _badness(one: Judged) -> float:
    if one.difference is None:
        return 0.0
    return one.difference.value if one.difference.value == one.difference.value else float("inf")
