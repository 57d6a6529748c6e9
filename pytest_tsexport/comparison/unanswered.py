"""findings -> sentences: inputs of which eager answers too few of the drawn values."""

from __future__ import annotations

from pytest_tsexport.cases.case import at, drawn_fields, tensors
from pytest_tsexport.cases.findings import CaseResult, Findings
from pytest_tsexport.cases.stand_ins import is_added, is_silent
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.subjects.domains.own_values import OWN

TRIES = 4
"""Cases in which one input alone is drawn, to find out which of them eager refuses."""


def unanswered(evidence: Evidence, findings: Findings) -> tuple[str, ...]:
    """One line if eager has no answer to more than half of the drawn cases at the traced size; else none.

    Values that no example shows do not count: nobody says that a model answers them.
    """
    drawn = [one for one in findings.judged if _is_drawn(one)]
    missed = [one for one in drawn if one.instead_of is not None or one.status in ("eager raises", "both raise")]
    if 2 * len(missed) <= len(drawn):
        return ()
    names = ", ".join(_refused(evidence) or evidence.subject.inputs)
    text = f"{names}: eager refuses the values of {len(missed)} of {len(drawn)} drawn cases, or answers NaN"
    return (f"{text}; the example's own values were given instead",) if missed[0].instead_of is not None else (text,)


def _is_drawn(one: CaseResult) -> bool:
    case = one.instead_of or one.case
    return case.example is None and case.values not in OWN and not is_added(case)


def _refused(evidence: Evidence) -> list[str]:
    """The inputs that eager refuses where they alone are drawn, and the others are those of the example."""
    subject = evidence.subject
    found = []
    for field in drawn_fields(subject):
        silent = 0
        for seed in range(TRIES):
            own, drawn = (tensors(at(subject, {}, seed, values), subject) for values in (OWN[1], "uniform"))
            silent += is_silent(evidence.reference.case({**own, field.name: drawn[field.name]})[0])
        if 2 * silent > TRIES:
            found.append(field.name)
    return found
