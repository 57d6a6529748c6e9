"""evidence, case -> whether a difference says something where values are not finite.

Which of several NaN is the best is not defined. Nor is how far a NaN spreads in a kernel: one takes the largest of a
block that holds a NaN, and another one the largest of the rest.
"""

from __future__ import annotations

import math

from pytest_tsexport.cases.case import Case
from pytest_tsexport.cases.findings import CaseResult
from pytest_tsexport.comparison.choices import UNORDERED
from pytest_tsexport.comparison.evidence import Evidence

NON_FINITE = ("nan", "infinite")

CHOICES = UNORDERED | {"argmax", "argmin", "msort", "searchsorted", "unique"}
"""Operators that choose by value. Another kernel may take another one of several NaN or infinite values."""


def is_undefined(evidence: Evidence, case: Case, found: CaseResult) -> bool:
    """Whether eager and the artifact may differ in this case because of values that are not finite, and both be right.

    Where the model chooses by value, always. Else, if the places of NaN or of infinite values differ and the artifact
    uses other kernels than eager, so that it does not give eager's very bits for ordinary values either: far larger
    values than usual may overflow in one kernel alone.
    """
    if found.status != "wrong" or case.example is not None or case.values not in (*NON_FINITE, "beyond"):
        return False
    if case.values in NON_FINITE and not CHOICES.isdisjoint(evidence.operators):
        return True
    return found.difference is not None and not math.isfinite(found.difference.value) and not evidence.is_same_kernel
