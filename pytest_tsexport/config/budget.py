"""check, budget -> seconds: how much of the budget each check may spend on one subject and backend.

The budget pays for the search: cases are drawn and compared, and differences are tested for tie-breaks. It is counted
in CPU time of the thread that judges. What is essential is judged even if it takes more (`--ts-timeout` limits it).
The rest is outside it: the export (`--ts-timeout`), the process of `round_trip` (`ROUND_TRIP_SECONDS`), and the few
questions that are always asked (how much the outputs move, whether the traced size is right, why a case failed). See
"What the budget pays for" in docs/explanation/detection.md.
"""

from __future__ import annotations

from collections.abc import Mapping

SHARES: Mapping[str, float] = {"parity": 0.35, "shapes": 0.5, "padding": 0.15}
"""Part of the budget that each searching check may spend; 1 in all. The other checks ask one fixed question each."""

TIE_BREAKS = 0.6
"""The part of its share that a check may spend on tie-breaks: the rest is left for other cases."""

ROUND_TRIP_SECONDS = 300
"""Limit of the process of `round_trip`: a cold import of torch on a loaded machine takes most of it."""


def search_seconds(check: str, budget: float) -> float:
    """How long one check may search."""
    return SHARES[check] * budget


def tie_break_seconds(check: str, budget: float) -> float:
    """How much of that time it may spend on tie-breaks; 0 for a check that does not search."""
    return TIE_BREAKS * SHARES.get(check, 0.0) * budget
