"""case -> cases: what one copy of the model and one loaded file are called with, one call after the other.

Equal calls show what changes from call to call: a counter, and what the TorchScript executor optimises at the second
call. They do not move a running peak, a background or a state to which they are equal already. So some cases have calls
with other values in between.
"""

from __future__ import annotations

from dataclasses import replace

from pytest_tsexport.cases.case import Case
from pytest_tsexport.subjects.domains.base import PATTERNS
from pytest_tsexport.subjects.domains.own_values import OWN

CALLS = 3
"""The executor profiles at call 1 and optimises at call 2; state shows at call 2 or 3."""

EVERY = 32
"""One seed of so many has other values in between: a fault of state shows in every case that has them."""


def equal_calls(case: Case) -> tuple[Case, ...]:
    """The same case again and again."""
    return (case,) * CALLS


def calls_between(case: Case) -> tuple[Case, ...]:
    """Equal calls, then other and larger values of the same size, and the case again; empty for most cases.

    Whether a case has them follows from the case alone, so that a stored counterexample and a rerun have them too.
    """
    if case.example is not None or case.seed % EVERY or case.values not in (PATTERNS[0], *OWN):
        return ()
    larger = "extremes" if case.values == PATTERNS[0] else case.values
    return *equal_calls(case), replace(case, seed=case.seed + 1, values=larger), case
