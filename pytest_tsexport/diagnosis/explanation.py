"""explanations, evidence, case -> rows: the one place where the checks ask why a case failed.

What explains a failure may never take its place: whatever an explanation raises, the failure is reported without a
cause, and the traceback goes to the debug log (`pytest --log-level=DEBUG`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from pytest_tsexport.cases.case import Case
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.verdict import Row

LOG = logging.getLogger("pytest_tsexport")

Explanation = Callable[[Evidence, Case], tuple[Row, ...]]
"""Gives rows such as `likely cause`; none if it has nothing to say."""


def explain(evidence: Evidence, case: Case, *explanations: Explanation) -> tuple[Row, ...]:
    """The rows of the first explanation that has any."""
    for explanation in explanations:
        rows = _attempt(explanation, evidence, case)
        if rows:
            return rows
    return ()


def _attempt(explanation: Explanation, evidence: Evidence, case: Case) -> tuple[Row, ...]:
    try:
        return explanation(evidence, case)
    except Exception:  # it runs the model and the file in ways that nobody planned for, and those may raise anything
        name = getattr(explanation, "__name__", repr(explanation))
        LOG.debug("%s could not explain %s, which %s found", name, case, evidence.check, exc_info=True)
        return ()
