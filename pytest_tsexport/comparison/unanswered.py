"""findings -> sentences: inputs whose drawn values eager refuses, or whose drawn values callers may never send."""

from __future__ import annotations

from pytest_tsexport.cases.case import at, drawn_fields, tensors
from pytest_tsexport.cases.findings import CaseResult, Findings
from pytest_tsexport.cases.stand_ins import is_added, is_silent
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.subjects.domains.own_values import OWN
from pytest_tsexport.subjects.subject import Subject

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
    return (
        (f"{text}; the example's own values were given instead; draw possible ones with strategies=",)
        if missed[0].instead_of is not None
        else (text,)
    )


def right_for_own_values(subject: Subject, findings: Findings) -> str | None:
    """What to say if a file is right for whole rows of the example, and wrong for most drawn values; else None.

    Rows that are sorted, one-hot or of length 1 are nothing that a rule guesses. Ids and masks have rules.
    """
    own = [one for one in findings.judged if one.case.values == OWN[1] and one.instead_of is None]
    drawn = [one for one in findings.judged if one.instead_of is None and _is_drawn(one)]
    floats = [
        name for name, one in subject.inputs.items() if one.is_floating_point() and name not in subject.strategies
    ]
    wrong = sum(one.breach for one in drawn)
    if not floats or not own or any(one.status != "equal" for one in own) or 2 * wrong <= len(drawn):
        return None
    names = ", ".join(floats)
    return f"the rows of the example; if callers send only such values of {names}, draw them with strategies="


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
