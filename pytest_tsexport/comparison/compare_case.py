"""case -> judged: one case put to eager and to the artifact, three times each, and what the two said."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import torch

from pytest_tsexport.cases.case import Case, at, tensors
from pytest_tsexport.cases.findings import CaseResult, Difference, Status
from pytest_tsexport.comparison.difference import difference, distance
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.rounding import excused, rounded
from pytest_tsexport.comparison.tie_breaks import is_tie
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.subjects.domains.base import ODD_MASKS
from pytest_tsexport.subjects.reference import Answer, Inputs
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves

CALLS = 3
"""The executor profiles at call 1 and optimises at call 2; state shows at 2 or 3."""

EXAMPLE_FAULTS = {
    "stale": (
        "neither the file nor eager gives the outputs that are stored with an example",
        "store its outputs again, or give the model that they were stored from",
    ),
    "refused": ("eager refuses an example", "give examples= that the model takes"),
}
"""What is wrong with an example of the user's own, and with no file: headline and fix, by the kind of difference."""

REFUSALS = (RuntimeError, torch.jit.Error, ValueError)
"""What a file for a device raises at another size."""

HOME = 3
"""Seed of the case without which those of other sizes say nothing."""

LONG = 16
"""Times the traced volume."""


def judged(evidence: Evidence, case: Case) -> CaseResult:
    """What eager and the artifact answer to a case; the first call that is not equal decides. No breach is set."""
    inputs = tensors(case, evidence.subject)
    calls = 1 if is_long(case, evidence.subject) else CALLS
    eager = evidence.reference.case(inputs, calls)
    artifact = evidence.runner.case(inputs, calls)
    if case.example is not None:
        failed = _example(evidence, case, eager[0], artifact[0])
        if failed is not None:
            return failed
    first = _one(evidence, case, inputs, eager[0], artifact[0])
    if first.status != "equal":
        return first
    for number in range(1, calls):
        later = _one(evidence, case, inputs, eager[number], artifact[number])
        if later.status != "equal":
            return replace(later, text=f"on call {number + 1} with the same inputs: {later.text}")
    return first


def fault_of_example(found: CaseResult) -> tuple[str, str] | None:
    """Headline and fix where the example is at fault, and not the file."""
    return None if found.difference is None else EXAMPLE_FAULTS.get(found.difference.kind)


def wrong_at_home(evidence: Evidence, like: Case | None = None) -> CaseResult | None:
    """A case at the traced size, where it is not right: then no other size has anything to tell.

    With `like`, the values and the mask of that case: a frozen mask shows wherever it is drawn.
    """
    case = at(evidence.subject, {}, seed=HOME)
    one = judged(evidence, case if like is None else replace(like, sizes=case.sizes, example=None))
    return one if one.status in ("wrong", "raises") else None


def is_long(case: Case, subject: Subject) -> bool:
    """Whether a case is so much larger than the traced one that it is called once only."""
    return case.volume > LONG * prod(max(size, 1) for size in subject.sizes.values())


def _one(evidence: Evidence, case: Case, inputs: Inputs, eager: Answer, artifact: Answer) -> CaseResult:
    if eager.leaves is None:
        status: Status = "both raise" if artifact.leaves is None else "eager raises"
        return CaseResult(case=case, status=status, breach=False, text=eager.raised or "")
    if artifact.leaves is None:
        return _raises(evidence, case, artifact)
    answered, tolerance = excused(evidence, eager.leaves, artifact.leaves, lambda: rounded(evidence, inputs))
    found = difference(eager.leaves, answered, tolerance)
    tie = found is not None and is_tie(evidence, inputs, eager.leaves, artifact.leaves)
    if tie is None:
        return CaseResult(
            case=case, status="unsettled", breach=False, text="it may be a tie, and the time to tell is spent"
        )
    found = (None if tie else found) or _overwrites(eager, artifact)
    if found is not None:
        evidence.patience.lost = evidence.patience.lost or case.mask not in ODD_MASKS
        return _wrong(case, found)
    if tie:
        return CaseResult(case=case, status="equal", breach=False, tie_break=True)
    nearest = distance(eager.leaves, answered, tolerance)
    floor = Tolerance(cast=evidence.tolerance.cast)
    noisy = evidence.tolerance.derived and difference(eager.leaves, artifact.leaves, floor) is not None
    return CaseResult(case=case, status="equal", breach=False, nearest=nearest, above_noise=noisy)


def _example(evidence: Evidence, case: Case, eager: Answer, artifact: Answer) -> CaseResult | None:
    """What is wrong with a real input, which is no guess of ours: eager has to answer it, and what is stored holds."""
    assert case.example is not None
    if eager.leaves is None:
        text = f"eager itself raises on it: {eager.raised}"
        return _wrong(case, Difference(kind="refused", leaf="", text=text, value=float("inf"), allowed=0.0))
    expected = evidence.subject.examples[case.example].expected
    if not expected or artifact.leaves is None:
        return None
    found = _missed(evidence, expected, artifact.leaves)
    if found is None:
        return None
    stale = _missed(evidence, expected, eager.leaves) is not None
    text = f"from the outputs stored with it: {found.text}" + ("; eager differs from them too" if stale else "")
    return _wrong(case, replace(found, kind="stale" if stale else found.kind, text=text))


def _wrong(case: Case, found: Difference) -> CaseResult:
    return CaseResult(case=case, status="wrong", breach=False, difference=found, text=found.text)


def _missed(evidence: Evidence, expected: Leaves, answered: Leaves) -> Difference | None:
    there = {name: answered[name] for name in expected if name in answered}
    found = difference(expected, there, evidence.tolerance)
    return None if found is None else replace(found, text=found.text.replace("eager's", "the stored one"))


def _raises(evidence: Evidence, case: Case, artifact: Answer) -> CaseResult:
    """A raise; one of a class that no caller of a device's file expects is wrong. What it says is nobody's contract."""
    if evidence.device is None or isinstance(artifact.error, REFUSALS):
        return CaseResult(case=case, status="raises", breach=False, text=artifact.raised or "")
    text = f"raises {artifact.raised}, where callers expect a RuntimeError or a ValueError"
    return _wrong(case, Difference(kind="raise", leaf="", text=text, value=float("inf"), allowed=0.0))


def _overwrites(eager: Answer, artifact: Answer) -> Difference | None:
    names = [name for name in artifact.overwritten if name not in eager.overwritten]
    if not names:
        return None
    text = f"the artifact overwrites its input {names[0]}, eager leaves it alone"
    return Difference(kind="overwrite", leaf=names[0], text=text, value=float("inf"), allowed=0.0)
