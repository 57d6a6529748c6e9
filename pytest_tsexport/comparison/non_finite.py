"""evidence, case -> whether a difference says something: which of several NaN is the best is not defined."""

from __future__ import annotations

from pytest_tsexport.cases.case import Case
from pytest_tsexport.comparison.evidence import Evidence

NON_FINITE = ("nan", "infinite")

CHOICES = frozenset(
    {"argmax", "argmin", "argsort", "kthvalue", "median", "mode", "msort", "searchsorted", "sort", "topk", "unique"}
)
"""Operators that choose by value. Another kernel may take another one of several NaN or infinite values."""


def chooses_among_nan(evidence: Evidence, case: Case) -> bool:
    """Whether the case has values that are not finite, and the model chooses by value."""
    return case.example is None and case.values in NON_FINITE and not CHOICES.isdisjoint(evidence.operators)
