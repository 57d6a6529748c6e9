"""case -> result: calls eager and the artifact three times each with the inputs of a case, and compares the answers."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from pytest_tsexport.cases.case import Case, at, tensors
from pytest_tsexport.cases.findings import CaseResult, Difference, Status
from pytest_tsexport.comparison.difference import difference, distance
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.rounding import emulated_answer
from pytest_tsexport.comparison.settle import Settled, Settling
from pytest_tsexport.subjects.domains.base import ODD_MASKS
from pytest_tsexport.subjects.reference import Answer, same_bits
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves

CALLS = 3
"""The executor profiles at call 1 and optimises at call 2; state shows at call 2 or 3."""

BAD_EXAMPLES = {
    "stale": (
        "neither the file nor eager gives the outputs that are stored with an example",
        "store new outputs with it, or give the model that the stored ones came from",
    ),
    "refused": ("eager refuses an example", "give examples= that the model takes"),
}
"""Headline and fix if the user's example is wrong and not the file, by the kind of the difference."""

TRACED_SIZE_SEED = 3
"""Seed of a case at the traced size. If that case is wrong, a check of other sizes would say nothing new."""

LONG = 16
"""A case of more than this many times the traced volume is called only once."""


def compare_case(evidence: Evidence, case: Case) -> CaseResult:
    """Compare the answers of eager and the artifact to a case. The first call that is not equal decides.

    `breach` stays False: the check sets it, by its contract.
    """
    inputs = tensors(case, evidence.subject)
    calls = 1 if is_long(case, evidence.subject) else CALLS
    eager = evidence.reference.case(inputs, calls)
    artifact = evidence.runner.case(inputs, calls)
    if case.example is not None:
        failed = _example(evidence, case, eager[0], artifact[0])
        if failed is not None:
            return failed
    settling = Settling(
        evidence,
        lambda reference, converted: reference.case(converted(inputs), calls),
        lambda: emulated_answer(evidence, inputs),
    )
    first = _call(settling, case, 0, eager[0], artifact[0])
    if first.status != "equal":
        return first
    for number in range(1, calls):
        later = _call(settling, case, number, eager[number], artifact[number])
        if later.status != "equal":
            return replace(later, text=f"on call {number + 1} with the same inputs: {later.text}")
    return first


def bad_example(found: CaseResult) -> tuple[str, str] | None:
    """Headline and fix if the example is wrong, and not the file; else None."""
    return None if found.difference is None else BAD_EXAMPLES.get(found.difference.kind)


def wrong_at_traced_size(evidence: Evidence, like: Case | None = None) -> CaseResult | None:
    """The result of a case at the traced size if it is wrong or raises; None if it is right.

    With `like`, the case has the values and the mask of that case: a mask that the trace has frozen is wrong at the
    traced size too, and is not a fault of the size.
    """
    case = at(evidence.subject, {}, seed=TRACED_SIZE_SEED)
    one = compare_case(evidence, case if like is None else replace(like, sizes=case.sizes, example=None))
    return one if one.status in ("wrong", "raises") else None


def is_long(case: Case, subject: Subject) -> bool:
    """Whether a case is so much larger than the traced one that it is called only once."""
    return case.volume > LONG * prod(max(size, 1) for size in subject.sizes.values())


def _call(settling: Settling, case: Case, number: int, eager: Answer, artifact: Answer) -> CaseResult:
    evidence = settling.evidence
    if eager.leaves is None:
        status: Status = "both raise" if artifact.leaves is None else "eager raises"
        return CaseResult(case=case, status=status, breach=False, text=eager.raised or "")
    if artifact.leaves is None:
        return _raises(evidence, case, artifact)
    settled = settling.settle(number, eager.leaves, artifact.leaves)
    if settled.unsettled:
        text = "it may be a tie-break, and the time to find out is spent"
        return CaseResult(case=case, status="unsettled", breach=False, text=text)
    found = settled.difference or _overwrites(eager, artifact)
    if found is not None:
        evidence.tie_break_time.refuted |= case.mask not in ODD_MASKS
        return _wrong(case, found)
    return _equal(case, settled)


def _equal(case: Case, settled: Settled) -> CaseResult:
    eager, actual, tolerance = settled.compared.eager, settled.compared.actual, settled.compared.tolerance
    hidden = {name: tolerance.of(name).hides(leaf) for name, leaf in eager.items() if not same_bits(leaf, actual[name])}
    if settled.tie_break:
        return CaseResult(case=case, status="equal", breach=False, tie_break=True, hidden=hidden)
    nearest = distance(eager, actual, tolerance)
    return CaseResult(case=case, status="equal", breach=False, nearest=nearest, hidden=hidden)


def _example(evidence: Evidence, case: Case, eager: Answer, artifact: Answer) -> CaseResult | None:
    """The result if a real input fails: eager must not raise, and the artifact must give the outputs stored with it."""
    assert case.example is not None
    if eager.leaves is None:
        text = f"eager raises on it: {eager.raised}"
        return _wrong(case, Difference(kind="refused", leaf="", text=text, value=float("inf"), allowed=0.0))
    expected = evidence.subject.examples[case.example].expected
    if not expected or artifact.leaves is None:
        return None
    found = _off_stored(evidence, expected, artifact.leaves)
    if found is None:
        return None
    stale = _off_stored(evidence, expected, eager.leaves) is not None
    text = f"from the outputs stored with it: {found.text}" + ("; eager differs from them too" if stale else "")
    return _wrong(case, replace(found, kind="stale" if stale else found.kind, text=text))


def _wrong(case: Case, found: Difference) -> CaseResult:
    return CaseResult(case=case, status="wrong", breach=False, difference=found, text=found.text)


def _off_stored(evidence: Evidence, expected: Leaves, answered: Leaves) -> Difference | None:
    there = {name: answered[name] for name in expected if name in answered}
    found = difference(expected, there, evidence.tolerance.sharing())
    return None if found is None else replace(found, text=found.text.replace("eager's", "the stored one"))


def _raises(evidence: Evidence, case: Case, artifact: Answer) -> CaseResult:
    """The result if only the artifact raises. On a device, an exception class that no caller expects is wrong.

    The message does not matter: no caller relies on it.
    """
    if evidence.device is None or isinstance(artifact.error, evidence.artifact.format.refusals):
        return CaseResult(case=case, status="raises", breach=False, text=artifact.raised or "")
    text = f"raises {artifact.raised}, where callers expect a RuntimeError or a ValueError"
    return _wrong(case, Difference(kind="raise", leaf="", text=text, value=float("inf"), allowed=0.0))


def _overwrites(eager: Answer, artifact: Answer) -> Difference | None:
    names = [name for name in artifact.overwritten if name not in eager.overwritten]
    if not names:
        return None
    text = f"the artifact overwrites its input {names[0]}, eager leaves it alone"
    return Difference(kind="overwrite", leaf=names[0], text=text, value=float("inf"), allowed=0.0)
